"""Sixteen-bit colour, which Pillow reads as eight bits -> all its bits.

Pillow holds no colour deeper than 8 bits a sample. It does unpack 16-bit colour, keeping one byte
of each sample, and which one follows from the byte order it is told. Told the file's own order it
gives the high bytes; told the other, the low ones. Two readings make the whole image, and Pillow
still does the decompression, filters and interlacing. Gray of 16 bits needs none of this.
"""

import sys
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import PIL.Image
from PIL.ImageFile import ImageFile

Uint16Array = npt.NDArray[np.uint16]

# Pillow's "raw modes" of 16-bit colour end in the byte order: B(ig), L(ittle) or N(ative).
_OTHER_ORDER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
_COLOUR_RAW_MODES = ("RGB;16", "RGBX;16", "RGBA;16")
_GRAY_ALPHA_RAW_MODE = "LA;16B"  # PNG's; unpacks to RGBA, and 4 bytes a pixel as RGBA does
_PLANAR_CONFIGURATION_TAG = 284  # TIFF: 2 if each channel is stored apart


def raw_mode(pil: PIL.Image.Image) -> str:
    """Unloaded Pillow image -> Pillow's name for the layout of its samples in the file, or ""."""
    tiles = getattr(pil, "tile", None)
    arguments = tiles[0][3] if tiles else ""
    first = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return first if isinstance(first, str) else ""


def is_deep_colour(pil: PIL.Image.Image) -> bool:
    """Whether the unloaded image has 16-bit colour, which loading would cut to 8."""
    return pil.mode in ("RGB", "RGBA", "CMYK") and ";16" in raw_mode(pil).replace("BGR;16", "")


def can_read_deep_colour(pil: PIL.Image.Image) -> bool:
    """Whether ``read_deep_colour`` can read it: PNG, and TIFF with interleaved channels."""
    layout = raw_mode(pil)
    if pil.format == "PNG":
        return layout == _GRAY_ALPHA_RAW_MODE or layout[:-1] in _COLOUR_RAW_MODES
    if pil.format == "TIFF":
        tags = getattr(pil, "tag_v2", {})
        return layout[:-1] in _COLOUR_RAW_MODES and tags.get(_PLANAR_CONFIGURATION_TAG, 1) == 1
    return False


def read_deep_colour(pil: ImageFile, stream: BinaryIO) -> Uint16Array:
    """Unloaded Pillow image and its file -> (height, width, 2 to 4) uint16 samples.

    Args:
        pil: opened from ``stream`` and accepted by ``can_read_deep_colour``; it is loaded.
        stream: the file, which must be able to seek.

    Raises:
        Exception: whatever Pillow raises on damaged files.
    """
    layout = raw_mode(pil)
    if layout == _GRAY_ALPHA_RAW_MODE:
        big_endian = _load_as(pil, "RGBA").view(">u2")  # the file's bytes, as they are
        return np.ascontiguousarray(big_endian, dtype=np.uint16)
    samples = _load_as(pil, layout).astype(np.uint16)
    samples <<= 8
    with PIL.Image.open(stream) as again:
        samples |= _load_as(again, layout[:-1] + _OTHER_ORDER[layout[-1]])
    return samples


def _load_as(pil: ImageFile, layout: str) -> npt.NDArray[np.uint8]:
    """Decode the file's samples as if they were laid out so."""
    pil.tile = [
        tile._replace(args=(layout, *tile.args[1:]) if isinstance(tile.args, tuple) else layout)
        for tile in pil.tile
    ]
    pil.load()
    return np.asarray(pil)
