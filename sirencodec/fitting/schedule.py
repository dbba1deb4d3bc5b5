"""Progress of a fit -> what goes with it, in both profiles."""

import math


def cosine(progress: float) -> float:
    """Progress, 0 to 1 -> share of the first learning rate: (1 + cos(pi progress)) / 2.

    From 1 to 0 along half a cosine (Loshchilov and Hutter 2017, arXiv 1608.03983).
    """
    return (1 + math.cos(math.pi * progress)) / 2


def linear(ends: tuple[float, float], progress: float) -> float:
    """First and last value, and progress, 0 to 1 -> the value in between."""
    return ends[0] + (ends[1] - ends[0]) * progress


def warmth(update: int, updates: float) -> float:
    """Number of an update, from 0 -> share of the full rate: 1 from the ``updates``-th on."""
    return min(1, (update + 1) / updates)
