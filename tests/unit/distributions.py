"""What tests of SIREN's theory compare distributions by."""

import math
from collections.abc import Callable

import numpy as np

from sirencodec.theory import LEMMA_FREQUENCY

SAMPLES = 200_000
# Of samples that follow the distribution, fewer than one in 10^6 sets is further away.
CLOSE = 2.7 / math.sqrt(SAMPLES)
FREQUENCIES = [1.0, LEMMA_FREQUENCY]


def integral(
    density: Callable[[np.ndarray], np.ndarray], start: float, stop: float, count: int = 200_001
) -> float:
    """By the midpoint rule."""
    width = (stop - start) / count
    return float(density(start + width * (np.arange(count) + 0.5)).sum() * width)
