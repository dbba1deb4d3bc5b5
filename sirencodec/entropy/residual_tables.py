"""Table index -> integer frequency table of a latent around its prediction.

The context model predicts a latent's centre to an eighth and the scale of a Laplace distribution to
a sixth of an octave. What is coded is the distance from the nearest whole centre, under the table
of that scale and of the eighths that were rounded away. Every table is computed by integer
arithmetic alone (FORMAT.md, section 8), so it is the same on every machine.
"""

from functools import lru_cache
from typing import Final

import numpy as np

from sirencodec.entropy.level_tables import exp2_negative
from sirencodec.entropy.range_coder import TOTAL, Frequencies

CENTRE_PARTS: Final = 8  # centres are multiples of 1/8
NUM_SCALES: Final = 80  # mean absolute deviations of 2^(i/6 - 6): from 1/64 to 147 levels
SCALE_PARTS: Final = 6  # scales to an octave
UNIT_SCALE: Final = 36  # index of the scale 1
NUM_TABLES: Final = NUM_SCALES * CENTRE_PARTS
LARGEST_RESIDUAL: Final = 255

# 2^16 * log2(e) / 8 * 2^(6 - j/6): exponents of 2 for an eighth of a level at the finest scales.
_EIGHTH_RATES = (756387, 673864, 600345, 534846, 476494, 424508)


@lru_cache(maxsize=NUM_TABLES)
def residual_table(index: int) -> Frequencies:
    """Table index, 0 to 639 -> how many of 2^24 counts each residual has, from -255 up.

    Args:
        index: 8 * scale index + eighths by which the centre exceeds the whole number, plus 4.

    Returns:
        (511,) int64, read-only; every entry at least 1, sum 2^24.
    """
    scale, part = divmod(index, CENTRE_PARTS)
    rate = _EIGHTH_RATES[scale % SCALE_PARTS] >> (scale // SCALE_PARTS)
    residual = np.arange(-LARGEST_RESIDUAL, LARGEST_RESIDUAL + 1, dtype=np.int64)
    lower = CENTRE_PARTS * residual - part  # edges in eighths from the centre: r - 1/2 - (p - 4)/8
    upper = lower + CENTRE_PARTS
    # Twice the mass beyond an edge, seen from the centre.
    beyond_lower = exp2_negative(np.abs(lower) * rate)
    beyond_upper = exp2_negative(np.abs(upper) * rate)
    # What is beyond the last residuals is brought to them, so they have its mass too.
    beyond_lower[0] = beyond_upper[-1] = 0
    inside = (lower < 0) & (upper > 0)
    weights = np.where(inside, (1 << 31) - beyond_lower - beyond_upper, beyond_lower - beyond_upper)
    weights = np.abs(weights)
    spare = TOTAL - len(weights)
    frequencies = 1 + (weights * spare >> 31)
    frequencies[LARGEST_RESIDUAL] += TOTAL - int(frequencies.sum())  # what rounding down left over
    frequencies.setflags(write=False)
    return frequencies
