"""The Gaussian window through which measures of structure look."""

import math
from typing import Final

RADIUS: Final = 5
DEVIATION: Final = 1.5  # in pixels (Wang et al. 2003, and all that followed)


def window(radius: int = RADIUS) -> list[float]:
    """Radius -> its 2 radius + 1 weights, which sum to 1."""
    weights = [math.exp(-((x / DEVIATION) ** 2) / 2) for x in range(-radius, radius + 1)]
    return [weight / sum(weights) for weight in weights]
