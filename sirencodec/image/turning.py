"""Samples as they are stored -> upright, as viewers show them by the orientation of their EXIF."""

from typing import Final

import numpy as np

from sirencodec.image.exif import TURNED
from sirencodec.image.samples import Samples

_QUARTERS: Final = {3: 2, 4: 2, 6: -1, 7: 2, 8: 1}  # counter-clockwise
_BACK: Final = {6: 8, 8: 6}  # the other orientations undo themselves


def turn_upright(samples: Samples, orientation: int) -> Samples:
    """Samples and the orientation (1 to 8) of their EXIF -> samples as a viewer shows them."""
    return np.ascontiguousarray(_turned(samples, orientation))  # type: ignore[return-value]


def upright_canvas(
    shape: tuple[int, int, int], bit_depth: int, orientation: int
) -> tuple[Samples, Samples]:
    """Shape of samples as stored, and their orientation -> samples to fill, and a view of them.

    The samples are upright; what is stored into the view lies where ``turn_upright`` would have
    brought it. So a picture can be turned a band at a time, without a second copy of it.
    """
    height, width, channels = shape
    sides = (width, height) if orientation in TURNED else (height, width)
    upright = np.empty((*sides, channels), np.uint8 if bit_depth == 8 else np.uint16)
    return upright, _turned(upright, _BACK.get(orientation, orientation))


def _turned(samples: Samples, orientation: int) -> Samples:
    """The same samples in other places: a view."""
    if orientation in (5, 7):
        samples = samples.transpose(1, 0, 2)
    elif orientation in (2, 4):
        samples = samples[:, ::-1]
    return np.rot90(samples, _QUARTERS.get(orientation, 0))
