"""The Gaussian window through which measures of structure look."""

import math
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

RADIUS: Final = 5
DEVIATION: Final = 1.5  # in pixels (Wang et al. 2003, and all that followed)


def window(radius: int = RADIUS) -> list[float]:
    """Radius -> its 2 radius + 1 weights, which sum to 1."""
    weights = [math.exp(-((x / DEVIATION) ** 2) / 2) for x in range(-radius, radius + 1)]
    return [weight / sum(weights) for weight in weights]


def window_radius(side: int) -> int:
    """Side of an image -> radius of the largest window, up to the usual one, that lies inside."""
    return min(RADIUS, (side - 1) // 2)


def mirrored_blur(planes: Tensor) -> Tensor:
    """(channels, height, width), at least 5 high -> the same, blurred.

    There is nothing beyond the sides, and a mirror above and below.
    """
    above, below = planes[:, :RADIUS].flip(1), planes[:, -RADIUS:].flip(1)
    mirrored = functional.pad(torch.cat([above, planes, below], 1), (RADIUS, RADIUS))
    return _weighted_sum(_weighted_sum(mirrored, window(), 1), window(), 2)


def inner_blur(planes: Tensor) -> Tensor:
    """(channels, height, width) -> what windows see that lie inside, at most as large as it is."""
    down, across = (window(window_radius(side)) for side in planes.shape[1:])
    return _weighted_sum(_weighted_sum(planes, down, 1), across, 2)


def _weighted_sum(planes: Tensor, weights: list[float], axis: int) -> Tensor:
    """Planes -> sums under a window all along an axis, which is shorter by the window less one."""
    length = planes.shape[axis] - len(weights) + 1
    total = weights[0] * planes.narrow(axis, 0, length)
    for start, weight in enumerate(weights[1:], 1):
        total = total.add(planes.narrow(axis, start, length), alpha=weight)
    return total
