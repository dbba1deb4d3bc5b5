"""Fitted network and a budget -> quantisation steps that spend it where it counts.

Rounding a weight with step s adds an error of variance s^2/12, and the image's squared error grows
by that times the weight's *sensitivity*, the mean square of the derivative of the output with
respect to it (``sensitivities``). At the best split of a budget each weight costs the same:
s^2 * sensitivity is one constant for the whole network (reverse water-filling), and that constant
is found by bisection on the coded size.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from sirencodec.bitstream.format import LARGEST_LEVEL
from sirencodec.bitstream.quantize import STEP_SIZES, Matrix, nearest_step_index, quantize
from sirencodec.entropy.matrices import matrices_bits

SEARCH_STEPS = 24  # halvings of a range of 2^24: finer than the table of steps


def allocate_steps(
    weights: Sequence[Matrix], layer_sensitivities: Sequence[float], budget_bits: float
) -> tuple[int, ...]:
    """Weights, their sensitivities and a budget -> the finest steps that keep to it.

    Args:
        weights: one float matrix a layer.
        layer_sensitivities: from ``sensitivities``.
        budget_bits: bits the payload may take.

    Returns:
        One step index a layer. If even the coarsest steps exceed the budget, those.
    """

    def indices(error: float) -> tuple[int, ...]:
        return tuple(
            max(nearest_step_index(error / math.sqrt(max(sensitivity, 1e-30))), _finest(matrix))
            for matrix, sensitivity in zip(weights, layer_sensitivities, strict=True)
        )

    fine, coarse = 2.0**-20, 2.0**4  # root-mean-square error of the image, per rounded weight
    for _ in range(SEARCH_STEPS):
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
    inputs, cosines = [points], []
    for layer in layers[:-1]:
        phase = layer @ inputs[-1]
        inputs.append(torch.cat([torch.sin(phase), torch.ones_like(phase[:1])]))
        cosines.append(phase.cos_())
    delta = signs.to(points)
    result = []
    for index in range(len(layers) - 1, -1, -1):
        squares = delta.square() @ inputs[index].square().t()
        result.append(float(squares.mean()) / num_points)
        if index:
            delta = (layers[index][:, :-1].t() @ delta).mul_(cosines[index - 1])
    return result[::-1]
