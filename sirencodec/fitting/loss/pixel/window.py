"""The Gaussian window through which measures of structure look."""

import math
from typing import Final

from torch import Tensor

RADIUS: Final = 5
DEVIATION: Final = 1.5  # in pixels (Wang et al. 2003, and all that followed)


def window(radius: int = RADIUS) -> list[float]:
    """Radius -> its 2 radius + 1 weights, which sum to 1."""
    weights = [math.exp(-((x / DEVIATION) ** 2) / 2) for x in range(-radius, radius + 1)]
    return [weight / sum(weights) for weight in weights]


def weighted_sum(planes: Tensor, weights: list[float], axis: int) -> Tensor:
    """Planes -> sums under a window all along an axis, which is shorter by the window less one."""
    length = planes.shape[axis] - len(weights) + 1
    total = weights[0] * planes.narrow(axis, 0, length)
    for start, weight in enumerate(weights[1:], 1):
        total = total.add(planes.narrow(axis, start, length), alpha=weight)
    return total
