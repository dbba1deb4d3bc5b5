"""Progress of a fit -> how much may still move."""

import math


def cosine(progress: float) -> float:
    """Progress, 0 to 1 -> share of what moved at first, from 1 to 0 along half a cosine.

    The usual schedule of learning rates (Loshchilov and Hutter 2017, arXiv 1608.03983).
    """
    return (1 + math.cos(math.pi * progress)) / 2
