"""The sine network: its layers, its values and its derivatives.

A SIREN (Sitzmann et al., NeurIPS 2020) is a chain of layers ``h -> sin(omega_0 (W h + b))`` with a
linear layer on top. This module writes a layer as one augmented matrix ``A = [omega_0 W | omega_0
b]`` and computes ``sin(A [h; 1])``: the frequency factor is folded into the stored numbers.

Folding changes nothing about the function and one thing about fitting it. A gradient update of a
given size on ``A`` moves the phase by that size; the same update on ``(W, b)`` would move it
``omega_0`` times as far. So omega_0 in a hidden layer is a learning-rate factor, for the bias as
well as for the weights, and a quantisation step is meaningful only on ``omega_0 W``. In the first
layer omega_0 is more: it sets the spread of the frequencies the network starts from.

Points are columns, so a layer is one product ``A [h; 1]`` with its bias in it.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from sirencodec.bitstream.architecture import INPUTS

Layers = list[Tensor]  # augmented matrices (outputs, inputs + 1), first layer first


def augment(coordinates: Tensor, features: Tensor | None = None) -> Tensor:
    """Coordinates and features -> points as columns, ready for a first layer.

    Args:
        coordinates: (n, 2).
        features: (features, n); None in the pure profile.

    Returns:
        (3 + features, n): rows x, y, each feature, and 1.
    """
    count = 0 if features is None else len(features)
    points = coordinates.new_ones(INPUTS + count + 1, len(coordinates))
    points[:INPUTS] = coordinates.t()
    if features is not None:
        points[INPUTS:-1] = features
    return points


def evaluate(layers: Sequence[Tensor], points: Tensor) -> Tensor:
    """Points -> values of the network there.

    Args:
        layers: augmented matrices, all of one dtype and device.
        points: (inputs + 1, n): x and y, the image being [-1, 1] x [-1, 1], a feature a grid, and
            1, as from ``augment``.

    Returns:
        (channels, n): 0 is the darkest sample value, 1 the brightest; not clipped.
    """
    hidden = points
    for layer in layers[:-1]:
        hidden = torch.addmm(layer[:, -1:], layer[:, :-1], hidden[: layer.shape[1] - 1]).sin_()
    return torch.addmm(layers[-1][:, -1:], layers[-1][:, :-1], hidden)


def evaluate_with_jacobian(
    layers: Sequence[Tensor], points: Tensor, tangents: Tensor
) -> tuple[Tensor, Tensor]:
    """Points -> values and their exact derivatives along x and y.

    Forward differentiation: each layer maps a tangent t to cos(z) * (W t).

    Args:
        layers: augmented matrices.
        points: (inputs + 1, n), the last row ones.
        tangents: (2, inputs, n) derivatives of the inputs along x and y.

    Returns:
        (channels, n) values and (2, channels, n) derivatives.
    """
    hidden = points[:-1]
    for layer in layers[:-1]:
        phase = torch.addmm(layer[:, -1:], layer[:, :-1], hidden)
        hidden = torch.sin(phase)
        tangents = torch.cos(phase) * (layer[:, :-1] @ tangents)
    values = torch.addmm(layers[-1][:, -1:], layers[-1][:, :-1], hidden)
    return values, layers[-1][:, :-1] @ tangents
