"""Image files <-> samples, through Pillow.

Kept as they are: gray, gray with alpha, RGB and RGBA, of 8 bits, and of 16 where the file can be
read so: gray from any format, colour from PNG and TIFF. (Pillow hands out 16-bit PPM, and AVIF or
JPEG 2000 of more than 8 bits, as 8 bits without a sign.) Everything else is converted, with a
``ConversionWarning``. Pixels are not turned: orientation stays a matter of EXIF.
"""

import os
import warnings
from collections.abc import Callable, Iterable
from functools import partial
from io import BytesIO
from typing import BinaryIO, Final

import PIL.Image

from sirencodec.errors import ConversionWarning
from sirencodec.image.failures import pillow_errors
from sirencodec.image.formats import PILLOW_MODES, find_target_format, fit_samples
from sirencodec.image.image import Image
from sirencodec.image.pillow_metadata import drop_misfit_profile, info_for_pillow, save_options
from sirencodec.image.png import write_png
from sirencodec.image.samples import Samples, mode_of
from sirencodec.limits import DEFAULT_LIMITS, Limits

LARGEST_COPY_BYTES: Final = 2**27  # of samples that writing a PNG may hold a second time


def read_image(
    source: str | os.PathLike[str] | bytes | BinaryIO, limits: Limits = DEFAULT_LIMITS
) -> Image:
    """Image file -> Image.

    Of several frames, pages or layers, what Pillow shows first. TIFF alone is turned upright, since
    Pillow does that itself; its orientation tag then is gone, too.

    Args:
        source: path, contents, or a binary file, read from its start.
        limits: only ``max_pixels`` matters here. Pillow's own ``PIL.Image.MAX_IMAGE_PIXELS`` holds
            as well.

    Raises:
        ImageError: if it is not an image, is damaged, or is of a kind without counterpart.
        LimitError: if it has too many pixels; found before they are decoded.
        OSError: what the file system says.

    Warns:
        ConversionWarning: if the image had to be converted, or has further frames.
    """
    from sirencodec.image.reader import open_source, read_stream  # writing does without it

    with open_source(source) as (stream, name):
        reading = read_stream(stream, name, limits)
    _warn(reading.notes, name)
    return Image.from_array(reading.samples, reading.metadata)


def from_pillow(pil: PIL.Image.Image) -> Image:
    """Pillow image -> Image: the current frame.

    Raises:
        ImageError: if it cannot be loaded, has no pixels, or is of a kind without counterpart.

    Warns:
        ConversionWarning: if it had to be converted.
    """
    from sirencodec.image.reader import read_pillow

    with pillow_errors("cannot read image"):
        reading = read_pillow(pil)
    _warn(reading.notes, "image")
    return Image.from_array(reading.samples, reading.metadata)


def to_pillow(image: Image) -> PIL.Image.Image:
    """Image -> Pillow image of mode L, LA, RGB, RGBA or I;16.

    Metadata goes to ``info``. Pillow saves the ICC profile from there by itself in some formats,
    EXIF and XMP only when told: ``pil.save(path, exif=pil.info["exif"])``.

    Warns:
        ConversionWarning: if 16-bit colour had to be rounded to the 8 bits Pillow has.
    """
    pil = bands_to_pillow([image.samples], (image.width, image.height))
    pil.info.update(info_for_pillow(image.metadata))
    return pil


def bands_to_pillow(bands: Iterable[Samples], size: tuple[int, int]) -> PIL.Image.Image:
    """Rows of samples, from the top, and size -> Pillow image, as ``to_pillow``.

    Never all samples at once, if there are several bands.
    """
    whole, top = None, 0
    notes: list[str] = []
    for samples in bands:
        fitted, notes = fit_samples(samples, PILLOW_MODES)
        band = _pillow_image(fitted)
        if band.size == size:
            whole = band
            break
        whole = whole or PIL.Image.new(band.mode, size)
        whole.paste(band, (0, top))
        top += band.height
    if whole is None:
        raise ValueError("no bands")
    _warn(notes, "image")
    return whole


def write_image(
    image: Image, target: str | os.PathLike[str] | BinaryIO, *, file_format: str | None = None
) -> None:
    """Image -> image file.

    The file is encoded in memory first and then written at once, but for PNG of more samples than
    Pillow can hold beside them, which is written a strip at a time. A path is overwritten in
    place; ``sirencodec.files`` has safer ways.

    Args:
        image: what to write. What the format cannot hold is converted: 16 bits rounded to 8,
            transparency laid on white, metadata left out.
        target: path or binary file; it need not be able to seek.
        file_format: such as "PNG" or ".png"; None to go by the name of the target.

    Raises:
        ImageError: if the format cannot hold the image (WebP ends at 16383 pixels a side).
        ParameterError: if the format is not known.
        OSError: what the file system says.

    Warns:
        ConversionWarning: if something was lost that way.
    """
    write, name, notes = _encode(image, target, file_format)
    _warn(notes, name)
    if isinstance(target, str | os.PathLike):
        with open(target, "wb") as file:
            write(file)
    else:
        write(target)


def _encode(
    image: Image, target: object, file_format: str | None
) -> tuple[Callable[[BinaryIO], object], str, list[str]]:
    """Image -> what writes the image file, the name of its format, and notes on what was lost."""
    chosen = find_target_format(target, file_format)
    samples, notes = fit_samples(image.samples, chosen.modes)
    metadata = image.metadata
    if (samples.shape[2] > 2) != (image.channels > 2):  # gray was widened to RGB
        metadata, profile_notes = drop_misfit_profile(metadata, samples.shape[2])
        notes += profile_notes
    options, metadata_notes = save_options(metadata, chosen.name)
    notes += metadata_notes
    too_large_to_copy = chosen.name == "PNG" and samples.nbytes > LARGEST_COPY_BYTES
    if mode_of(samples) not in PILLOW_MODES or too_large_to_copy:
        return partial(write_png, samples, metadata), chosen.name, notes
    buffer = BytesIO()
    what = f"cannot write {image.width} x {image.height} pixels as {chosen.name}"
    with pillow_errors(what, "the format does not hold them; PNG does"):
        _pillow_image(samples).save(buffer, chosen.name, **chosen.options, **options)
    return lambda file: file.write(buffer.getbuffer()), chosen.name, notes


def _pillow_image(samples: Samples) -> PIL.Image.Image:
    """Samples of a mode Pillow has -> Pillow image."""
    return PIL.Image.fromarray(samples[:, :, 0] if samples.shape[2] == 1 else samples)


def _warn(notes: Iterable[str], name: str) -> None:
    """Issue each note as a warning that points at the caller of the public function."""
    for note in notes:
        warnings.warn(f"{name}: {note}", ConversionWarning, stacklevel=3)
