"""EXIF orientation: how a stored picture is turned before it is shown.

Viewers are to get pictures upright, and the API's coordinates are those of the upright picture.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import PIL.ExifTags
import PIL.Image

from sirencodec.serve.iiif import Box

UPRIGHT: Final = 1  # as stored
_TURNS: Final[Mapping[int, PIL.Image.Transpose]] = MappingProxyType(
    {
        2: PIL.Image.Transpose.FLIP_LEFT_RIGHT,
        3: PIL.Image.Transpose.ROTATE_180,
        4: PIL.Image.Transpose.FLIP_TOP_BOTTOM,
        5: PIL.Image.Transpose.TRANSPOSE,
        6: PIL.Image.Transpose.ROTATE_270,
        7: PIL.Image.Transpose.TRANSVERSE,
        8: PIL.Image.Transpose.ROTATE_90,
    }
)
_SWAPPING: Final = 5  # from here on, width and height change places
_MIRRORED_X: Final = (2, 3, 7, 8)  # of the stored picture, seen from the upright one
_MIRRORED_Y: Final = (3, 4, 6, 7)


def read_orientation(exif: bytes | None) -> int:
    """EXIF as bytes -> its orientation, 1 to 8; 1 if it has none that makes sense."""
    if exif is None:
        return UPRIGHT
    tags = PIL.Image.Exif()
    try:
        tags.load(exif)
        value = tags.get(PIL.ExifTags.Base.Orientation)
    except Exception:  # EXIF is anything that a camera wrote; Pillow raises what it comes to
        return UPRIGHT
    return value if isinstance(value, int) and value in _TURNS else UPRIGHT


def upright_size(width: int, height: int, orientation: int) -> tuple[int, int]:
    """Stored sides -> upright sides; the same function leads back."""
    return (height, width) if orientation >= _SWAPPING else (width, height)


def stored_box(box: Box, width: int, height: int, orientation: int) -> Box:
    """Part of the upright picture -> the same part of the stored one, whose size is given."""
    left, top, across, down = box
    if orientation >= _SWAPPING:
        left, top, across, down = top, left, down, across
    if orientation in _MIRRORED_X:
        left = width - left - across
    if orientation in _MIRRORED_Y:
        top = height - top - down
    return left, top, across, down


def turn_upright(pil: PIL.Image.Image, orientation: int) -> PIL.Image.Image:
    """Stored picture, or a part of it -> the same upright."""
    return pil if orientation == UPRIGHT else pil.transpose(_TURNS[orientation])
