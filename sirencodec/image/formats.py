"""The image files that can be written, and how samples are made to fit into them."""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

import numpy as np
import numpy.typing as npt

from sirencodec.errors import ParameterError
from sirencodec.image.png import PNG_LEVEL
from sirencodec.image.samples import CHANNEL_MODES, Samples, mode_of

Uint8Array = npt.NDArray[np.uint8]

_MAX_8_BIT = 255


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A kind of image file.

    Attributes:
        name: Pillow's name for it.
        extensions: of file names, the usual one first.
        modes: of samples that it holds, named as by ``samples.mode_name``.
        options: keywords of ``PIL.Image.Image.save``. A decoded image is written without loss
            where the format can; where it cannot, at a quality that adds no visible second loss.
    """

    name: str
    extensions: tuple[str, ...]
    modes: tuple[str, ...]
    options: Mapping[str, object] = field(default_factory=dict)


WRITABLE_FORMATS = (
    FileFormat(
        "PNG",
        (".png",),
        ("L", "LA", "RGB", "RGBA", "L;16", "LA;16", "RGB;16", "RGBA;16"),
        {"compress_level": PNG_LEVEL},
    ),
    FileFormat(
        "JPEG", (".jpg", ".jpeg", ".jpe", ".jfif"), ("L", "RGB"), {"quality": 95, "subsampling": 0}
    ),
    FileFormat("WEBP", (".webp",), ("RGB", "RGBA"), {"lossless": True, "exact": True}),
    FileFormat("AVIF", (".avif",), ("L", "RGB", "RGBA"), {"quality": 95, "subsampling": "4:4:4"}),
    FileFormat("TIFF", (".tif", ".tiff"), ("L", "LA", "RGB", "RGBA", "L;16")),
    FileFormat("PPM", (".ppm", ".pgm", ".pnm"), ("L", "RGB", "L;16")),
    FileFormat("BMP", (".bmp",), ("L", "RGB")),  # most readers, Pillow too, skip its alpha
    FileFormat("TGA", (".tga",), ("L", "LA", "RGB", "RGBA")),
    FileFormat("JPEG2000", (".jp2",), ("L", "LA", "RGB", "RGBA", "L;16")),
    FileFormat("QOI", (".qoi",), ("RGB", "RGBA")),
)
PILLOW_MODES = (*CHANNEL_MODES, "L;16")  # that ``PIL.Image.fromarray`` can make


def find_file_format(name: str) -> FileFormat:
    """Format name ("PNG"), extension (".png", "png") or file name ("out.png") -> format.

    Raises:
        ParameterError: if it names no format that can be written.
    """
    extension = PurePath(name).suffix.lower() or f".{name.lower().removeprefix('.')}"
    for file_format in WRITABLE_FORMATS:
        if extension in file_format.extensions or name.upper() == file_format.name:
            return file_format
    known = ", ".join(each.extensions[0] for each in WRITABLE_FORMATS)
    raise ParameterError(f"cannot tell the image format from {name!r}; can write {known}")


def find_target_format(target: object, file_format: str | None) -> FileFormat:
    """Path, or open file with a name, and the format if the caller gave one -> format."""
    if file_format is not None:
        return find_file_format(file_format)
    name = target if isinstance(target, str | os.PathLike) else getattr(target, "name", None)
    if not isinstance(name, str | os.PathLike):
        raise ParameterError("file_format is needed to write an image to a file without a name")
    return find_file_format(os.fsdecode(name))


def fit_samples(samples: Samples, modes: Collection[str]) -> tuple[Samples, list[str]]:
    """Samples -> samples of one of these modes, and notes on what was lost.

    Args:
        samples: (height, width, channels) uint8 or uint16.
        modes: those allowed, RGB among them. What holds everything is preferred; else 16 bits are
            rounded to 8, and transparent pixels are laid on white.
    """
    if mode_of(samples) in modes:
        return samples, []
    notes = []
    if samples.dtype == np.uint16:
        notes.append("16 bits a sample were rounded to 8")
        fitted = round_to_8_bits(samples)
    else:
        fitted = samples.astype(np.uint8, copy=False)
    if mode_of(fitted) == "LA" and "LA" not in modes and "RGBA" in modes:
        fitted = np.take(fitted, [0, 0, 0, 1], axis=2)
    if mode_of(fitted) in ("LA", "RGBA") and mode_of(fitted) not in modes:
        if fitted[:, :, -1].min() < _MAX_8_BIT:
            notes.append("transparency was replaced by white")
        fitted = _lay_on_white(fitted)
    if mode_of(fitted) == "L" and "L" not in modes:
        fitted = np.take(fitted, [0, 0, 0], axis=2)
    return fitted, notes


def round_to_8_bits(samples: Samples) -> Uint8Array:
    """16-bit samples -> the nearest 8-bit ones: full scale is 65535 = 257 * 255."""
    rounded = np.empty(samples.shape, np.uint8)
    for row, line in zip(rounded, samples, strict=True):  # all at once takes 24 bytes a pixel
        row[:] = (line.astype(np.uint32) + 128) // 257
    return rounded


def _lay_on_white(samples: Uint8Array) -> Uint8Array:
    """Samples with alpha -> without, as they look on a white page."""
    laid = np.empty((*samples.shape[:2], samples.shape[2] - 1), np.uint8)
    for row, line in zip(laid, samples, strict=True):  # all at once takes 20 bytes a pixel
        colour, alpha = line[:, :-1].astype(np.uint16), line[:, -1:].astype(np.uint16)
        white = _MAX_8_BIT * (_MAX_8_BIT - alpha)
        row[:] = (colour * alpha + white + _MAX_8_BIT // 2) // _MAX_8_BIT
    return laid
