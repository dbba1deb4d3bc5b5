"""Image files <-> samples, through Pillow.

Kept as they are: gray, gray with alpha, RGB and RGBA, of 8 bits, and of 16 where the file can be
read so: gray from any format, colour from PNG and TIFF. (Pillow hands out 16-bit PPM, and AVIF or
JPEG 2000 of more than 8 bits, as 8 bits without a sign.) Everything else is converted, with a
``ConversionWarning``. Pixels are not turned: orientation stays a matter of EXIF.
"""

import os
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BytesIO
from typing import BinaryIO, Self

import numpy as np
import numpy.typing as npt
import PIL.Image

from sirencodec.errors import ConversionWarning, ParameterError
from sirencodec.image.failures import pillow_errors
from sirencodec.image.formats import PILLOW_MODES, find_target_format, fit_samples, mode_name
from sirencodec.image.metadata import Metadata
from sirencodec.image.modes import Samples
from sirencodec.image.pillow_metadata import drop_misfit_profile, info_for_pillow, save_options
from sirencodec.image.png import write_png
from sirencodec.image.reader import open_source, read_pillow, read_stream
from sirencodec.limits import DEFAULT_LIMITS, Limits

LARGEST_COPY_BYTES = 2**27  # of samples that writing a PNG may hold a second time

__all__ = ["Image", "Metadata", "Samples", "from_pillow", "read_image", "to_pillow", "write_image"]


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """Samples and metadata of one image.

    Attributes:
        samples: (height, width, channels) uint8 or uint16, full range, C-contiguous, a read-only
            view of what was given; 1 to 4 channels: gray, gray and alpha, RGB, RGBA. Alpha is not
            premultiplied.
        metadata: ICC profile, EXIF and XMP.

    Raises:
        ParameterError: if the samples are not of that form; ``from_array`` is less strict.
    """

    samples: Samples
    metadata: Metadata = field(default_factory=Metadata)

    def __post_init__(self) -> None:
        """Check the samples and make them read-only, for this object only."""
        if not isinstance(self.metadata, Metadata):
            raise ParameterError(f"metadata is of type {type(self.metadata).__name__}")
        _check_samples(self.samples)
        view = self.samples.view()
        view.flags.writeable = False
        object.__setattr__(self, "samples", view)

    @classmethod
    def from_array(cls, array: npt.ArrayLike, metadata: Metadata | None = None) -> Self:
        """(height, width) or (height, width, 1 to 4) uint8 or uint16 array -> Image.

        Any memory layout and byte order. Copied only if one of them needs it.

        Raises:
            ParameterError: if it has another shape or type.
        """
        samples = np.asarray(array)
        if samples.ndim == 2:
            samples = samples[:, :, np.newaxis]
        samples = np.ascontiguousarray(samples, dtype=samples.dtype.newbyteorder("="))
        return cls(samples, metadata or Metadata())

    @property
    def height(self) -> int:
        """Pixels down."""
        return int(self.samples.shape[0])

    @property
    def width(self) -> int:
        """Pixels across."""
        return int(self.samples.shape[1])

    @property
    def channels(self) -> int:
        """Samples a pixel, 1 to 4."""
        return int(self.samples.shape[2])

    @property
    def bit_depth(self) -> int:
        """Bits a sample, 8 or 16."""
        return 8 * self.samples.itemsize

    @property
    def mode(self) -> str:
        """Channels by name: L, LA, RGB or RGBA, with ``;16`` behind if samples have 16 bits."""
        return mode_name(self.samples)

    def __repr__(self) -> str:
        """Size and mode; samples and profiles would fill the screen."""
        return f"<Image {self.width}x{self.height} {self.mode}>"


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
    samples, notes = fit_samples(image.samples, PILLOW_MODES)
    _warn(notes, "image")
    pil = _pillow_image(samples)
    pil.info.update(info_for_pillow(image.metadata))
    return pil


def write_image(
    image: Image, target: str | os.PathLike[str] | BinaryIO, *, file_format: str | None = None
) -> None:
    """Image -> image file.

    The file is encoded in memory first and then written at once. A path is overwritten in place;
    ``sirencodec.files`` has safer ways.

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
    data, name, notes = _encode(image, target, file_format)
    _warn(notes, name)
    if isinstance(target, str | os.PathLike):
        with open(target, "wb") as file:
            file.write(data)
    else:
        target.write(data)


def _encode(
    image: Image, target: object, file_format: str | None
) -> tuple[memoryview, str, list[str]]:
    """Image -> image file in memory, the name of its format, and notes on what was lost."""
    chosen = find_target_format(target, file_format)
    samples, notes = fit_samples(image.samples, chosen.modes)
    metadata = image.metadata
    if (samples.shape[2] > 2) != (image.channels > 2):  # gray was widened to RGB
        metadata, profile_notes = drop_misfit_profile(metadata, samples.shape[2])
        notes += profile_notes
    options, metadata_notes = save_options(metadata, chosen.name)
    buffer = BytesIO()
    with pillow_errors(f"cannot write {image.width} x {image.height} pixels as {chosen.name}"):
        too_large_to_copy = chosen.name == "PNG" and samples.nbytes > LARGEST_COPY_BYTES
        if mode_name(samples) in PILLOW_MODES and not too_large_to_copy:
            _pillow_image(samples).save(buffer, chosen.name, **chosen.options, **options)
        else:
            write_png(samples, metadata, buffer)
    return buffer.getbuffer(), chosen.name, notes + metadata_notes


def _check_samples(samples: object) -> None:
    """Raise ParameterError unless these are samples as ``Image`` promises."""
    if not isinstance(samples, np.ndarray) or samples.dtype not in (np.uint8, np.uint16):
        kind = getattr(samples, "dtype", type(samples).__name__)
        raise ParameterError(f"samples must be a uint8 or uint16 array, not {kind}")
    if samples.ndim != 3 or not 1 <= samples.shape[2] <= 4 or 0 in samples.shape:
        raise ParameterError(
            f"samples must have shape (height, width, 1 to 4), none of them 0, not {samples.shape}"
        )
    if not samples.flags.c_contiguous:
        raise ParameterError("samples must be C-contiguous; Image.from_array makes them so")


def _pillow_image(samples: Samples) -> PIL.Image.Image:
    """Samples of a mode Pillow has -> Pillow image."""
    return PIL.Image.fromarray(samples[:, :, 0] if samples.shape[2] == 1 else samples)


def _warn(notes: Iterable[str], name: str) -> None:
    """Issue each note as a warning that points at the caller of the public function."""
    for note in notes:
        warnings.warn(f"{name}: {note}", ConversionWarning, stacklevel=3)
