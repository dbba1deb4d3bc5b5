"""Values and the original -> SSIMULACRA2, by compiled loops.

What ssimulacra2_torch.py says, in four passes: values to XYB at all scales, sums of maps, gradients
with respect to XYB, and back to values.
"""

from typing import ClassVar, Final

import torch
from torch import Tensor

from sirencodec.fitting.loss.pixel.measure import Score
from sirencodec.fitting.loss.pixel.native_planes import (
    NUM_FACTORS,
    Comparisons,
    Plane,
    Windows,
    empty_plane,
)
from sirencodec.fitting.loss.pixel.native_xyb import Place, Planes, X, Y, convert_xyb, xyb_scale
from sirencodec.fitting.loss.pixel.ssimulacra2_scale import C2, scale_sizes, score_of, weights_of
from sirencodec.fitting.loss.pixel.window import RADIUS, mirrored_blur
from sirencodec.native.measures import EDGES, STRUCTURE, MeasureLoops
from sirencodec.synthesis.threads import Workers

_SMALLEST_NORM: Final = 1e-9  # below it fourth powers vanish in single precision


class NativeSsimulacra2:
    """The score of images against one original; see ``TorchSsimulacra2``."""

    better: ClassVar[int] = 1

    def __init__(self, targets: Tensor, workers: Workers, loops: MeasureLoops) -> None:
        """Keep what is needed of the original.

        Args:
            targets: see ``Measure``; on the CPU.
            workers: threads to share the work among.
            loops: for the targets' dtype.
        """
        self._workers, self._loops = workers, loops
        sizes = scale_sizes(*targets.shape[1:])
        self._places, self._weights = looked_at(len(targets), len(sizes))
        self._sizes = sizes[: 1 + max((scale for scale, _ in self._places), default=-1)]
        originals = {
            (scale, plane): empty_plane(targets, *self._sizes[scale])
            for scale, plane in self._places
        }
        self._convert(targets.contiguous(), originals)
        windows = [
            Windows.of(targets, *size, (RADIUS, RADIUS), mirrored=True) for size in self._sizes
        ]
        planes = workers.map(
            lambda place: Plane.of(originals[place], windows[place[0]], C2, mirrored_blur),
            self._places,
        )
        self._planes = dict(zip(self._places, planes, strict=True))
        self._decoded = {place: plane.decoded for place, plane in self._planes.items()}
        if len(targets) > 1:  # the way back to red and green needs X and Y, looked at or not
            for scale, size in enumerate(self._sizes):
                for plane in (X, Y):
                    self._decoded.setdefault((scale, plane), empty_plane(targets, *size))
        self._comparisons = Comparisons(
            list(self._planes.values()), kinds_of(self._weights), workers, loops
        )

    def __call__(self, values: Tensor) -> Score:
        """Values -> number and gradient."""
        values = values.contiguous()
        if not self._places:
            return Score(self.value(values), torch.zeros_like(values))
        self._convert(values, self._decoded)
        score, factors = judged(self._comparisons.sums(), self._comparisons.pixels, self._weights)
        self._comparisons.backward(factors)
        gradient = torch.empty_like(values)
        self._convert(values, self._decoded, gradient)
        return Score(score, gradient)

    def value(self, values: Tensor) -> float:
        """Values -> number alone."""
        if not self._places:
            return score_of(torch.zeros(())).item()
        self._convert(values.contiguous(), self._decoded)
        norms = norms_of(self._comparisons.sums(), self._comparisons.pixels)
        return score_of((norms * self._weights).sum()).item()

    def _convert(self, values: Tensor, planes: Planes, gradient: Tensor | None = None) -> None:
        """Values -> their XYB in planes; or the planes' gradients -> that of values."""
        if not planes:
            return
        given = {} if gradient is None else {at: p.gradient for at, p in self._planes.items()}
        scales = [xyb_scale(at, size, planes, given) for at, size in enumerate(self._sizes)]
        convert_xyb(values, scales, gradient, self._workers, self._loops)


def looked_at(channels: int, num_scales: int) -> tuple[list[Place], Tensor]:
    """Channels and scales of an image -> the planes that have a weight, and (planes, 2, 3) weights.

    Of gray two of three planes never differ.
    """
    weights = weights_of(num_scales)
    if channels == 1:
        weights = weights * torch.tensor([0.0, 1.0, 0.0])[:, None, None, None]
    used = weights.flatten(2).any(2)
    places = [(scale, plane) for plane, scale in used.nonzero().tolist()]
    return places, weights[used.nonzero().unbind(1)]


def kinds_of(weights: Tensor) -> list[int]:
    """(planes, 2, 3) weights -> how each plane is compared."""
    return [STRUCTURE if of_plane[:, 0].any() else EDGES for of_plane in weights]


def norms_of(sums: Tensor, pixels: Tensor) -> Tensor:
    """(planes, 6) sums of maps, and (planes,) pixels -> (planes, 2, 3) 1-norms and 4-norms."""
    means = sums.reshape(-1, 3, 2).mT / pixels[:, None, None]
    return torch.stack([means[:, 0], means[:, 1] ** 0.25], 1)


def judged(sums: Tensor, pixels: Tensor, weights: Tensor) -> tuple[float, Tensor]:
    """Sums of maps -> the score, and (planes, 9) factors as comparison.h wants them.

    Args:
        sums: (planes, 6), float64.
        pixels: (planes,) that count in each.
        weights: (planes, 2, 3) from ``looked_at``.
    """
    norms = norms_of(sums, pixels).requires_grad_()
    score = score_of((norms * weights).sum())
    (of_norms,) = torch.autograd.grad(score, norms)
    per_pixel = of_norms / pixels[:, None, None]
    fourth = norms.detach()[:, 1]
    inverse = torch.where(fourth > _SMALLEST_NORM, 1 / fourth, 0)
    factors = torch.stack([*per_pixel.unbind(1), inverse], 2).reshape(-1, NUM_FACTORS)
    return score.item(), factors
