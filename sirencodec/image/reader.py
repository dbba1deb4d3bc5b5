"""Image file or Pillow image -> samples, metadata, and notes on what was converted."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from io import BytesIO
from typing import BinaryIO

import PIL.Image
from PIL.ImageFile import ImageFile
from PIL.PngImagePlugin import MAX_TEXT_CHUNK

from sirencodec.errors import ImageError
from sirencodec.image.deep_colour import can_read_deep_colour, is_deep_colour, read_deep_colour
from sirencodec.image.failures import DAMAGED_OR_NOT_READ, UnknownImageError, pillow_errors
from sirencodec.image.metadata import Metadata
from sirencodec.image.modes import key_to_alpha, samples_from_pillow
from sirencodec.image.pillow_metadata import drop_misfit_profile, metadata_from_pillow
from sirencodec.image.plugins import advice_for, register_plugins
from sirencodec.image.png import without_chunks
from sirencodec.image.samples import Samples
from sirencodec.limits import Limits

_REFUSED = {  # formats that Pillow opens, and why they are not read
    "EPS": "it is a program, which Ghostscript would have to run",
    "WMF": "it is a program, which Windows would have to run",
    "SIREN": "it is a .siren file already",  # our own plugin; encoding it twice only loses
}

# Chunks of PNG that Pillow refuses to inflate beyond ``MAX_TEXT_CHUNK``, and what they hold.
_PNG_LIMIT = "PngImagePlugin.MAX_TEXT"
_TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
_LONG_PNG_CHUNKS = (
    ((b"iCCP",), "an ICC profile"),
    (_TEXT_CHUNKS, "text"),
    ((b"iCCP", *_TEXT_CHUNKS), "an ICC profile and text"),
)

_SUBFILE_TYPE_TAG = 254  # TIFF 6.0, section 8
_REDUCED = 1
_BEGINNING_BYTES = 16  # enough to tell what a file is


@dataclass(frozen=True, slots=True)
class Reading:
    """What came out of an image file.

    Attributes:
        samples: (height, width, 1 to 4) uint8 or uint16.
        metadata: of the same image; its ICC profile fits the samples.
        notes: what was converted or left out, a phrase each.
    """

    samples: Samples
    metadata: Metadata
    notes: tuple[str, ...]


@contextmanager
def open_source(
    source: str | os.PathLike[str] | bytes | BinaryIO,
) -> Iterator[tuple[BinaryIO, str]]:
    """Path, contents or binary file -> binary file that can seek, and its name for messages."""
    if isinstance(source, str | os.PathLike):
        with open(source, "rb") as file:
            yield file if file.seekable() else BytesIO(file.read()), os.fspath(source)
    elif isinstance(source, bytes | bytearray | memoryview):
        yield BytesIO(source), "image"
    else:
        yield source if source.seekable() else BytesIO(source.read()), "image"


def read_stream(stream: BinaryIO, name: str, limits: Limits) -> Reading:
    """Image file, open and able to seek -> its first frame.

    Raises:
        ImageError, LimitError, OSError: as for ``sirencodec.image.files.read_image``.
    """
    with pillow_errors(f"cannot read {name}"):
        try:
            return _read_frame(stream, name, limits)
        except ValueError as error:
            if _PNG_LIMIT not in str(error):
                raise
        for chunks, title in _LONG_PNG_CHUNKS:
            stream.seek(0)
            with suppress(ValueError):
                reading = _read_frame(without_chunks(stream, chunks), name, limits)
                note = f"{title} of more than {MAX_TEXT_CHUNK >> 20} MiB was left out"
                return replace(reading, notes=(*reading.notes, note))
        raise ImageError(f"cannot read {name}: its metadata is too long to be read")


def read_size(path: str | os.PathLike[str]) -> tuple[int, int] | None:
    """Image file -> width and height, from its header; None if there is no telling."""
    try:
        with open(path, "rb") as stream, _open(stream) as pil:
            return pil.size
    except Exception:  # whatever is wrong with it is told when it is read
        return None


def _read_frame(stream: BinaryIO, name: str, limits: Limits) -> Reading:
    """Image file -> its first frame. Errors are Pillow's, or those of ``read_stream``."""
    pil = _open(stream)
    if pil.format in _REFUSED:
        raise ImageError(f"cannot read {name}: {_REFUSED[pil.format]}")
    limits.check("max_pixels", pil.width * pil.height)
    is_reduced = bool(getattr(pil, "tag_v2", {}).get(_SUBFILE_TYPE_TAG, 0) & _REDUCED)
    reading = read_pillow(pil, stream)
    limits.check("max_pixels", reading.samples[:, :, 0].size)  # an icon's directory can lie
    notes = list(reading.notes)
    if (frames := _count_frames(pil)) > 1:
        notes.append(f"of {frames} frames, pages or layers, only what is shown first was read")
    if is_reduced:
        notes.append("what was read is marked as a reduced version of another picture in the file")
    return replace(reading, notes=tuple(notes))


def _open(stream: BinaryIO) -> PIL.Image.Image:
    """Image file -> Pillow image, by Pillow itself or by whatever plugin is installed.

    Raises:
        UnknownImageError: if nothing opens it.
    """
    try:
        return PIL.Image.open(stream)
    except PIL.UnidentifiedImageError:
        register_plugins()
        stream.seek(0)
        beginning = stream.read(_BEGINNING_BYTES)
        stream.seek(0)
        try:
            return PIL.Image.open(stream)
        except PIL.UnidentifiedImageError as error:
            raise UnknownImageError(_what_else(beginning)) from error


def _what_else(beginning: bytes) -> str:
    """First bytes of a file that nothing opens -> what is wrong with it."""
    if not beginning:
        return "the file is empty"
    for name in PIL.Image.ID:
        _factory, accepts = PIL.Image.OPEN[name]
        with suppress(Exception):  # some look further than the bytes go
            if accepts is not None and accepts(beginning) is True:
                return f"it begins as {name} files do; {DAMAGED_OR_NOT_READ}"
    return advice_for(beginning) or "not an image, or of a format that is not known"


def read_pillow(pil: PIL.Image.Image, stream: BinaryIO | None = None) -> Reading:
    """Pillow image -> its current frame.

    Args:
        pil: loaded or not.
        stream: the file it was just opened from, if at hand: 16-bit colour takes a second reading.

    Raises:
        ImageError: if its mode has no counterpart.
        Exception: whatever Pillow raises on damaged files.
    """
    is_deep = is_deep_colour(pil)  # loading forgets it
    if stream is not None and isinstance(pil, ImageFile) and can_read_deep_colour(pil):
        deep_samples = read_deep_colour(pil, stream)
        samples, notes = key_to_alpha(deep_samples, pil.info.get("transparency"))
    else:
        samples, notes = samples_from_pillow(pil)
        if is_deep:
            notes.append("16-bit colour was cut to 8 bits")
    if pil.format == "HEIF" and (bits := pil.info.get("bit_depth", 8)) > 8 * samples.itemsize:
        notes.append(f"{bits} bits a sample were cut to 8")  # as the plugin does
    metadata = metadata_from_pillow(pil)
    if pil.mode in ("CMYK", "LAB"):
        metadata = replace(metadata, icc_profile=None)  # spent on the conversion
    elif notes:
        metadata, profile_notes = drop_misfit_profile(metadata, samples.shape[2])
        notes += profile_notes
    return Reading(samples, metadata, tuple(notes))


def _count_frames(pil: PIL.Image.Image) -> int:
    """Image that has been read -> frames in its file; 1 if that is not to be found out."""
    try:
        return int(getattr(pil, "n_frames", 1))
    except Exception:  # damage beyond the first frame, in whatever way Pillow puts it
        return 1
