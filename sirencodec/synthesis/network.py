"""The sine network: its layers, its initialisation, its values and its derivatives.

A SIREN (Sitzmann et al., NeurIPS 2020) is a chain of layers ``h -> sin(omega_0 (W h + b))`` with a
linear layer on top. This module writes a layer as one augmented matrix ``A = [omega_0 W | omega_0
b]`` and computes ``sin(A [h; 1])``: the frequency factor is folded into the stored numbers.

Folding changes nothing about the function and one thing about fitting it. A gradient step of a
given size on ``A`` moves the phase by that size, whereas the same step on ``(W, b)`` would move it
``omega_0`` times as far; so omega_0 in a hidden layer is a learning-rate factor, for the bias as
well as for the weights, and a quantisation step is meaningful only on ``omega_0 W``. In the first
layer omega_0 is more: it sets the spread of the frequencies the network starts from.

Points are columns, so a layer is one product ``A [h; 1]`` with its bias in it.
"""

import math
from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from sirencodec.bitstream.architecture import INPUTS, Architecture
from sirencodec.theory import first_layer_bound, hidden_bound

Layers = list[Tensor]  # augmented matrices (outputs, inputs + 1), first layer first

# Bounds of initial biases: the first layer's, and the others' relative to their weights' bound.
FIRST_BIAS_BOUND: Final = math.pi
HIDDEN_BIAS_SHARE: Final = 0.5


def initial_layers(
    architecture: Architecture, axis_scale: tuple[float, float], generator: torch.Generator
) -> Layers:
    """Architecture -> random layers with SIREN's distribution of activations.

    Weights are uniform, as in the authors' code (their paper's first layer is a slip; see
    vsitzmann/siren issue 4). In terms of the folded matrices:

    * first layer: ``omega_0 * U(-1/2, 1/2)``, as ``1/n`` with n = 2 inputs;
    * hidden layers: ``U(-sqrt(6/n), sqrt(6/n))``. The variance of a weight is then 2/n, that of an
      arcsine-distributed activation 1/2, and the sum over n inputs has variance 1 in every layer;
    * last layer: the hidden bound times 0.1, so that a fit starts near the targets' mean.

    Biases: the first layer's are uniform over a whole period, so that the waves start at every
    phase. Hidden ones are U(+-sqrt(6/n)/2), adding 1/(2n) to the variance; PyTorch's default
    would add 300/n at omega_0 = 30, several times the signal at the widths used here.

    Args:
        architecture: widths, depth and omega_0.
        axis_scale: factors on the first layer's x and y weights, so that a wide image starts with
            the same frequencies, in cycles a pixel, along both axes.
        generator: source of randomness, on the CPU.

    Returns:
        float32 matrices, on the CPU.
    """

    def uniform(rows: int, columns: int, bound: float) -> Tensor:
        return (torch.rand(rows, columns, generator=generator) * 2 - 1) * bound

    width = architecture.hidden_features
    bound = hidden_bound(width)
    first_bound = architecture.omega_0 * first_layer_bound(INPUTS)
    first = uniform(width, INPUTS, first_bound) * torch.tensor(axis_scale)
    layers = [torch.cat([first, uniform(width, 1, FIRST_BIAS_BOUND)], 1)]
    for _ in range(architecture.hidden_layers):
        weight = uniform(width, width, bound)
        layers.append(torch.cat([weight, uniform(width, 1, bound * HIDDEN_BIAS_SHARE)], 1))
    weight = uniform(architecture.channels, width, bound * 0.1)
    layers.append(torch.cat([weight, torch.zeros(architecture.channels, 1)], 1))
    return layers


def axis_scale(width: int, height: int) -> tuple[float, float]:
    """Image size -> factors on the first layer's x and y weights: 1 along the longer axis."""
    longest = max(width, height)
    return width / longest, height / longest


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
        hidden, slope = torch.sin(phase), torch.cos(phase)
        tangents = slope * (layer[:, :-1] @ tangents)
    values = torch.addmm(layers[-1][:, -1:], layers[-1][:, :-1], hidden)
    return values, layers[-1][:, :-1] @ tangents


def sensitivities(layers: Sequence[Tensor], points: Tensor) -> list[float]:
    """Network and a sample of points -> mean squared derivative of an output, by layer.

    The diagonal of the Gauss-Newton matrix, estimated with one random sign a point and output
    (Hutchinson) and averaged over each layer.

    Args:
        layers: augmented matrices.
        points: (3, n) from ``augment``.

    Returns:
        One non-negative number a layer.
    """
    generator = torch.Generator().manual_seed(0)
    num_points = points.shape[1]
    signs = torch.randint(0, 2, (layers[-1].shape[0], num_points), generator=generator) * 2 - 1
    inputs, slopes = [points], []
    for layer in layers[:-1]:
        phase = layer @ inputs[-1]
        inputs.append(torch.cat([torch.sin(phase), torch.ones_like(phase[:1])]))
        slopes.append(phase.cos_())
    delta = signs.to(points)
    result = []
    for index in range(len(layers) - 1, -1, -1):
        squares = delta.square() @ inputs[index].square().t()
        result.append(float(squares.mean()) / num_points)
        if index:
            delta = (layers[index][:, :-1].t() @ delta).mul_(slopes[index - 1])
    return result[::-1]
