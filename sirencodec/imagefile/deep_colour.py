"""Sixteen-bit colour: what Pillow reads as eight bits and cannot write.

Pillow holds no colour deeper than 8 bits a sample. It does unpack 16-bit colour, keeping one byte
of each sample, and which one follows from the byte order it is told. Told the file's own order it
gives the high bytes; told the other, the low ones. Two readings make the whole image, and Pillow
still does the decompression, filters and interlacing. Gray of 16 bits needs none of this.
"""

import struct
import sys
import zlib
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import PIL.Image
from PIL.ImageFile import ImageFile
from PIL.PngImagePlugin import putchunk

from sirencodec.metadata import Metadata

Uint16Array = npt.NDArray[np.uint16]

# Pillow's "raw modes" of 16-bit colour end in the byte order: B(ig), L(ittle) or N(ative).
_OTHER_ORDER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
_COLOUR_RAW_MODES = ("RGB;16", "RGBX;16", "RGBA;16")
_GRAY_ALPHA_RAW_MODE = "LA;16B"  # PNG's; unpacks to RGBA, and 4 bytes a pixel as RGBA does
_PLANAR_CONFIGURATION_TAG = 284  # TIFF: 2 if each channel is stored apart

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_COLOUR_TYPES = {2: 4, 3: 2, 4: 6}  # channels -> PNG specification, 11.2.1
_PNG_SUB_FILTER = 1  # each byte less that of the pixel to its left
_STRIP_BYTES = 2**20  # of samples in one IDAT chunk; bounds the memory of writing


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


def write_deep_png(samples: Uint16Array, metadata: Metadata, file: BinaryIO) -> None:
    """(height, width, 2 to 4) uint16 samples and metadata -> PNG file of 16 bits a sample."""
    height, width, channels = samples.shape
    colour_type = _PNG_COLOUR_TYPES[channels]
    file.write(_PNG_SIGNATURE)
    putchunk(file, b"IHDR", struct.pack(">2I5B", width, height, 16, colour_type, 0, 0, 0))
    if metadata.icc_profile is not None:
        putchunk(file, b"iCCP", b"ICC Profile\0\0", zlib.compress(metadata.icc_profile))
    if metadata.xmp is not None:
        putchunk(file, b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0", metadata.xmp)
    if metadata.exif is not None:
        putchunk(file, b"eXIf", metadata.exif)
    compressor = zlib.compressobj()
    rows_per_strip = max(1, _STRIP_BYTES // (2 * channels * width))
    for top in range(0, height, rows_per_strip):
        filtered = _filter_rows(samples[top : top + rows_per_strip])
        putchunk(file, b"IDAT", compressor.compress(filtered))
    putchunk(file, b"IDAT", compressor.flush())
    putchunk(file, b"IEND")


def _filter_rows(samples: Uint16Array) -> bytes:
    """Rows of samples -> PNG scan lines: a filter byte, then differences, big-endian."""
    height, _, channels = samples.shape
    rows = samples.astype(">u2").view(np.uint8).reshape(height, -1)
    filtered = np.empty((height, 1 + rows.shape[1]), dtype=np.uint8)
    filtered[:, 0] = _PNG_SUB_FILTER
    filtered[:, 1:] = rows
    filtered[:, 1 + 2 * channels :] -= rows[:, : -2 * channels]  # wraps, as PNG wants
    return filtered.tobytes()
