"""Bounds of the uniform distributions that a fit starts from; without PyTorch."""

import math
from typing import Final

# Bounds of initial biases: the first layer's, a whole period; the others' relative to their
# weights' bound.
FIRST_BIAS_BOUND: Final = math.pi
HIDDEN_BIAS_SHARE: Final = 0.5
LAST_LAYER_SHARE: Final = 0.1  # of the hidden bound: a fit starts near the targets' mean; by eye


def axis_scale(width: int, height: int) -> tuple[float, float]:
    """Image size -> factors on the first layer's x and y weights: 1 along the longer axis."""
    longest = max(width, height)
    return width / longest, height / longest
