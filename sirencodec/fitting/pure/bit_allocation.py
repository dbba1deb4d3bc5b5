"""Fitted network and a budget -> quantisation steps that spend it where it counts.

Rounding a weight with step s adds an error of variance s^2/12, and the image's squared error grows
by that times the weight's *sensitivity*, the mean square of the derivative of the output with
respect to it (``sensitivities``). At the best split of a budget each weight costs the same:
s^2 * sensitivity is one constant for the whole network (reverse water-filling), and that constant
is found by bisection on the coded size.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor

from sirencodec.bitstream.format import LARGEST_LEVEL
from sirencodec.bitstream.quantize import STEP_SIZES, Matrix, nearest_step_index, quantize
from sirencodec.entropy.matrices import matrices_bits

# Root-mean-square errors of the image by one rounded weight, between which to look, and halvings of
# that range's logarithm: finer than the table of steps.
FINEST_ERROR: Final = 2.0**-20
COARSEST_ERROR: Final = 2.0**4
HALVINGS: Final = 24


def allocate_steps(
    weights: Sequence[Matrix], layer_sensitivities: Sequence[float], budget_bits: float
) -> tuple[int, ...]:
    """Weights, their sensitivities and a budget -> the finest steps that keep to it.

    Args:
        weights: one float matrix a layer.
        layer_sensitivities: one a layer, from ``sensitivities``; all equal gives one step to all.
        budget_bits: bits the payload may take.

    Returns:
        One step index a layer. If even the coarsest steps exceed the budget, those.
    """

    def indices(error: float) -> tuple[int, ...]:
        return tuple(
            max(nearest_step_index(error / math.sqrt(max(sensitivity, 1e-30))), _finest(matrix))
            for matrix, sensitivity in zip(weights, layer_sensitivities, strict=True)
        )

    fine, coarse = FINEST_ERROR, COARSEST_ERROR
    for _ in range(HALVINGS):
        middle = math.sqrt(fine * coarse)
        if matrices_bits(quantize(weights, indices(middle))) > budget_bits:
            fine = middle
        else:
            coarse = middle
    return indices(coarse)


def _finest(matrix: Matrix) -> int:
    """Smallest step index at which the largest weight still has a level."""
    return int(np.searchsorted(STEP_SIZES, float(np.abs(matrix).max()) / LARGEST_LEVEL))


def sensitivities(layers: Sequence[Tensor], points: Tensor) -> list[float]:
    """Network and a sample of points -> harm that errors in each layer's weights do.

    The mean over a layer's weights w and over points of sum_c (d value_c / d w)^2, the sum being
    over channels: the diagonal of the Gauss-Newton matrix. It is estimated from the derivative of
    sum_c +-value_c, with one random sign a point and channel (Hutchinson), and exact for one
    channel.

    Args:
        layers: augmented matrices.
        points: (3, n) from ``augment``.

    Returns:
        One non-negative number a layer.
    """
    generator = torch.Generator().manual_seed(0)
    num_points = points.shape[1]
    signs = torch.randint(0, 2, (layers[-1].shape[0], num_points), generator=generator) * 2 - 1
    inputs, cosines = [points], []
    for layer in layers[:-1]:
        phase = layer @ inputs[-1]
        inputs.append(torch.cat([torch.sin(phase), torch.ones_like(phase[:1])]))
        cosines.append(phase.cos_())
    gradient = signs.to(points)
    result = []
    for index in range(len(layers) - 1, -1, -1):
        squares = gradient.square() @ inputs[index].square().t()
        result.append(float(squares.mean()) / num_points)
        if index:
            gradient = (layers[index][:, :-1].t() @ gradient).mul_(cosines[index - 1])
    return result[::-1]
