"""Derivatives of a network beside the differences of the picture it was fitted to."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmarks.studies.activations.fitting import Values
from benchmarks.studies.activations.pictures import Signal
from sirencodec.synthesis.network import Layers

Planes = tuple[Tensor, Tensor, Tensor]
"""Mean over channels, size of its gradient, and its Laplacian: each (rows, columns)."""

PICTURE = "picture"


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """Derivatives side by side.

    Attributes:
        columns: planes by name, ``PICTURE`` and the kinds of networks.
    """

    columns: dict[str, Planes]


def make_sheet(signal: Signal, networks: Mapping[str, tuple[Values, Layers]]) -> Sheet:
    """Picture and networks fitted to it -> their derivatives side by side."""
    columns = {PICTURE: differences(signal)}
    for name, (values, layers) in networks.items():
        mean, gradient, laplacian = (
            plane.view(signal.shape) for plane in derivatives(values, layers, signal.points)
        )
        columns[name] = (mean, gradient, laplacian)
    return Sheet(columns)


def correlations(sheet: Sheet, name: str) -> dict[str, float]:
    """Sheet and network -> correlation of each plane with the picture's."""
    inside = (slice(1, -1), slice(1, -1))  # differences at the edge see the mirrored picture
    return {
        what: _correlation(mine[inside], theirs[inside])
        for what, mine, theirs in zip(
            ("value", "gradient", "laplacian"),
            sheet.columns[name],
            sheet.columns[PICTURE],
            strict=True,
        )
    }


def derivatives(values: Values, layers: Layers, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Network at points -> its mean over channels, the size of its gradient, and its Laplacian.

    Args:
        values: of the network, an encoding included.
        layers: augmented matrices.
        points: (inputs + 1, n), the last row ones.

    Returns:
        Three of shape (n,), per unit of coordinate.
    """
    leaf = points.detach().requires_grad_()
    mean = values(layers, leaf).mean(0)
    (slopes,) = torch.autograd.grad(mean.sum(), leaf, create_graph=True)
    laplacian = torch.zeros_like(mean)
    # A network of ReLUs alone is linear between its kinks: its slopes depend on no coordinate.
    for axis in range(len(slopes) - 1) if slopes.requires_grad else ():
        (second,) = torch.autograd.grad(slopes[axis].sum(), leaf, retain_graph=True)
        laplacian += second[axis]
    return mean.detach(), slopes[:-1].norm(dim=0).detach(), laplacian.detach()


def differences(signal: Signal) -> Planes:
    """Picture -> its mean over channels, and central differences of that, a unit of coordinate."""
    picture = signal.targets.mean(0).view(signal.shape)
    padded = torch.nn.functional.pad(picture[None, None], (1, 1, 1, 1), mode="reflect")[0, 0]
    down, across = (side / 2 for side in signal.shape)
    left, right = padded[1:-1, :-2], padded[1:-1, 2:]
    up, below = padded[:-2, 1:-1], padded[2:, 1:-1]
    gradient = torch.hypot((right - left) * across / 2, (below - up) * down / 2)
    laplacian = (left + right - 2 * picture) * across**2 + (up + below - 2 * picture) * down**2
    return picture, gradient, laplacian


def _correlation(mine: Tensor, theirs: Tensor) -> float:
    """Two planes -> their correlation; 0 if one is constant."""
    mine, theirs = mine - mine.mean(), theirs - theirs.mean()
    scale = float(mine.norm() * theirs.norm())
    return float((mine * theirs).sum()) / scale if scale else 0.0
