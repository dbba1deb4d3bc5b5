"""Model index -> integer frequency table of a layer's levels.

The levels of a fitted layer are bell-shaped around zero: near Gaussian in the first layers, with
longer tails towards the output. A model is one of three shapes at one of 48 widths, named by one
byte in the file. Its table is computed by integer arithmetic alone (FORMAT.md, section 6), so it is
the same on every machine.
"""

from functools import lru_cache
from math import isqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from sirencodec.entropy.range_coder import TOTAL, Frequencies

GAUSSIAN, LOGISTIC, LAPLACE = range(3)
NUM_SHAPES: Final = 3
NUM_SCALES: Final = 48  # standard deviations from 1/2 to 1722 levels, four to an octave
NUM_MODELS: Final = NUM_SHAPES * NUM_SCALES

# 2^33 * 2^(-j/4): reciprocals of the standard deviations 2^(j/4) / 2, with 32 fractional bits.
_RECIPROCAL_SCALES = (8589934592, 7223199471, 6074000999, 5107653328)

# Exponents of 2 for one standard deviation (or its square), with 16 fractional bits.
_GAUSSIAN_RATE = 47274  # log2(e) / 2
_LOGISTIC_RATE = 171493  # log2(e) * pi / sqrt(3)
_LAPLACE_RATE = 133712  # log2(e) * sqrt(2)

_ONE = 1 << 30
Integers = npt.NDArray[np.int64]


def largest_level(model: int) -> int:
    """Model index -> largest magnitude of a level it can code: 7 to 12 standard deviations."""
    return 6 << (model % NUM_SCALES // 4)


@lru_cache(maxsize=NUM_MODELS)
def frequency_table(model: int) -> Frequencies:
    """Model index, 0 to 143 -> how many of 2^24 counts each level has, from the lowest level up.

    Returns:
        (2 * largest_level + 1,) int64, read-only; every entry at least 1, symmetric, sum 2^24.
    """
    shape, scale = divmod(model, NUM_SCALES)
    bound = largest_level(model)
    reciprocal = _RECIPROCAL_SCALES[scale % 4] >> (scale // 4)
    distance = np.arange(bound + 1, dtype=np.int64) * reciprocal >> 16  # in standard deviations
    weights = _density(shape, distance)
    weights = np.concatenate([weights[:0:-1], weights])
    spare = TOTAL - len(weights)
    frequencies = 1 + weights * spare // int(weights.sum())
    frequencies[bound] += TOTAL - int(frequencies.sum())  # what rounding down left over
    frequencies.setflags(write=False)
    return frequencies


def _density(shape: int, distance: Integers) -> Integers:
    """Distances from the centre, 16 fractional bits -> unnormalised density, at most 2^30."""
    if shape == GAUSSIAN:
        return exp2_negative((distance * distance >> 16) * _GAUSSIAN_RATE >> 16)
    if shape == LAPLACE:
        return exp2_negative(distance * _LAPLACE_RATE >> 16)
    tail = exp2_negative(distance * _LOGISTIC_RATE >> 16)
    return (tail << 30) // ((_ONE + tail) * (_ONE + tail) >> 30)


def exp2_negative(exponent: Integers) -> Integers:
    """2^30 * 2^(-exponent), the exponent with 16 fractional bits, in integers.

    Each fractional bit that is set multiplies by 2^(-1/2), 2^(-1/4), ..., found by integer square
    roots; the whole part is a shift.
    """
    power = np.full_like(exponent, _ONE)
    factor = _ONE >> 1
    for bit in range(15, -1, -1):
        factor = isqrt(factor << 30)
        power = np.where(exponent & 1 << bit, power * factor >> 30, power)
    result: Integers = power >> np.minimum(exponent >> 16, 62)
    return result
