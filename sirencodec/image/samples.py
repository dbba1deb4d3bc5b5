"""Samples: the numbers that an image is made of, and what their kinds are called."""

from typing import TYPE_CHECKING, Final, TypeAlias

if (
    TYPE_CHECKING
):  # facts about a file are read without NumPy, whose import takes a tenth of a second
    import numpy as np
    import numpy.typing as npt

# (height, width, channels), 0 black (or transparent), the type's largest number white (or opaque).
Samples: TypeAlias = "npt.NDArray[np.uint8] | npt.NDArray[np.uint16]"

CHANNEL_MODES: Final = ("L", "LA", "RGB", "RGBA")  # by number of channels, from 1


def mode_name(channels: int, bit_depth: int = 8) -> str:
    """1 to 4 channels of 8 or 16 bits -> "L", "LA", "RGB" or "RGBA", with ";16" behind for 16."""
    return CHANNEL_MODES[channels - 1] + (";16" if bit_depth == 16 else "")


def num_colours(channels: int) -> int:
    """1 to 4 channels -> how many are colour, the others being alpha: 1 or 3."""
    return 3 if channels >= 3 else 1


def has_alpha_channel(channels: int) -> bool:
    """1 to 4 channels -> whether the last is alpha."""
    return channels > num_colours(channels)


def mode_of(samples: Samples) -> str:
    """Samples -> name of their mode."""
    return mode_name(samples.shape[2], 8 * samples.itemsize)
