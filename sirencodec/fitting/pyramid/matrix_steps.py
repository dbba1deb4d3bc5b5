"""Matrices -> the quantisation step of each at which it costs least, and their rounding.

The cost of a matrix at a step is loss + bit_error * (bits of its levels), the matrix and those
before it rounded. Steps are powers of two, taken in turn from the first matrix to the last.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache, partial

from torch import Tensor

from sirencodec.bitstream.quantize import STEP_SIZES, nearest_step_index, quantize
from sirencodec.entropy.matrices import best_model
from sirencodec.fitting.pyramid.settings import MatrixSettings
from sirencodec.fitting.rounding import difference, round_matrix

Loss = Callable[[int, Sequence[Tensor]], float]


def cheapest_steps(
    values: Sequence[Tensor],
    bases: Sequence[Tensor | None],
    last: Sequence[int],
    loss: Loss,
    bit_error: float,
    settings: MatrixSettings,
) -> tuple[int, ...]:
    """Matrices -> index of the step of each at which it costs least.

    Args:
        values: all matrices, exact.
        bases: what each is coded as a difference from; None if it is coded as it is.
        last: indices found before, where to look first; empty if none were.
        loss: number of the matrix in question, and all matrices, it and those before it rounded ->
            loss, but for what that matrix does not change.
        bit_error: what a bit is worth, in the unit of the loss.
        settings: which steps there are, and how to look for them.
    """
    current, chosen = list(values), []
    for number, (matrix, base) in enumerate(zip(values, bases, strict=True)):
        first = settings.usual_octave if base is None else settings.usual_difference_octave
        patience = settings.patience
        if last:
            first = -round(math.log2(STEP_SIZES[last[number]]))
            patience = min(patience, settings.known_patience)
        cost = partial(_cost, number, current, matrix, base, loss, bit_error)
        octave = _lowest(cost, first, patience, settings.octaves)
        chosen.append(nearest_step_index(2.0**-octave))
        current[number] = round_matrix(matrix, chosen[-1], base)
    return tuple(chosen)


def _cost(
    number: int,
    others: Sequence[Tensor],
    matrix: Tensor,
    base: Tensor | None,
    loss: Loss,
    bit_error: float,
    octave: int,
) -> float:
    """Step of 2^-octave for matrix ``number`` -> loss, and what its bits are worth."""
    index = nearest_step_index(2.0**-octave)
    trial = [*others[:number], round_matrix(matrix, index, base), *others[number + 1 :]]
    levels = quantize([difference(matrix, base)], [index]).levels[0]
    cost = loss(number, trial) + bit_error * best_model(levels)[1]
    return cost if math.isfinite(cost) else math.inf


def _lowest(cost: Callable[[int], float], first: int, patience: int, octaves: Sequence[int]) -> int:
    """Cost of an octave -> the octave of lowest cost that a walk from ``first`` finds.

    Costs have small bumps, so a walk ends after ``patience`` octaves that are dearer than the best
    so far. The coarsest is tried besides: nothing may be left there of a difference from what is
    shipped, which is cheap though the next octaves are not.
    """
    if not patience:
        return first
    cost = cache(cost)
    best = first
    for direction in (-1, 1):
        octave, dearer = best, 0
        while dearer < patience and (octave := octave + direction) in octaves:
            if cost(octave) < cost(best):
                best, dearer = octave, 0
            else:
                dearer += 1
    return min(best, octaves[0], key=cost)
