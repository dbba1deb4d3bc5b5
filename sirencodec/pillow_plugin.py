"""`.siren` files in Pillow: ``Image.open("x.siren")`` and ``image.save("x.siren", quality=60)``.

Opening reads the header and metadata, and no more of a file that can seek; the first use of the
pixels decodes them, at whatever size ``draft`` or ``thumbnail`` asked for by then, reads what that
needs, and never holds more than some rows besides Pillow's own copy.

Errors are those that callers of Pillow expect, with the package's own as the cause: ``OSError`` if
the file is damaged, ``DecompressionBombError`` if it asks for too much. How many pixels are too
many is for ``PIL.Image.MAX_IMAGE_PIXELS`` to say. With ``ImageFile.LOAD_TRUNCATED_IMAGES`` a file
that was cut off or damaged gives what it can, and a warning.

Pillow opens, and so empties, the file to write before the plugin is called. Where a failed encode
must not cost the old file, write the bytes of ``sirencodec.encode`` instead.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast

from PIL import Image, ImageFile

from sirencodec.bitstream.format import MAGIC, SIDE_RANGE
from sirencodec.config import EncodeConfig
from sirencodec.errors import (
    CorruptError,
    LimitError,
    NotSirenError,
    ParameterError,
    SirenCodecError,
    SirenCodecWarning,
)
from sirencodec.image.samples import mode_name
from sirencodec.limits import Limits

# Everything else is imported on use: whoever imports the package gets this module, and should wait
# neither for PyTorch nor for NumPy.
if TYPE_CHECKING:
    from PIL._imaging import PixelAccess

    from sirencodec.bitstream.container import Container
    from sirencodec.bitstream.source import Source
    from sirencodec.image.metadata import Metadata

FORMAT = "SIREN"
EXTENSION = ".siren"
MIME_TYPE = "image/x-siren"

# Pillow has its own bound on pixels, which its users know how to move; the rest stays in force.
_LIMITS = Limits(max_pixels=SIDE_RANGE[1] ** 2)
_METADATA_OPTIONS = ("icc_profile", "exif", "xmp")
_ENCODE_OPTIONS = tuple(each.name for each in fields(EncodeConfig))


def register() -> None:
    """Make Pillow read and write `.siren` files. Harmless if repeated."""
    Image.register_open(FORMAT, SirenImageFile, _accept)
    Image.register_save(FORMAT, _save)
    Image.register_extension(FORMAT, EXTENSION)
    Image.register_mime(FORMAT, MIME_TYPE)


class SirenImageFile(ImageFile.ImageFile):
    """A `.siren` file as Pillow sees it.

    Of mode L, LA, RGB, RGBA or I;16. Pillow has no colour of 16 bits; it is rounded to 8.
    """

    format = FORMAT
    format_description = "SIREN image (sirencodec)"

    _source: "Source | None" = None  # the file, until it is decoded; read in part
    _stored_size = (0, 0)

    def _open(self) -> None:
        """Set size, mode and info from the header and the metadata section."""
        from sirencodec.bitstream.container import parse_container
        from sirencodec.bitstream.source import open_source
        from sirencodec.image.pillow_metadata import info_for_pillow

        with _errors_for_pillow():
            source = open_source(cast(BinaryIO, self.fp), _LIMITS)
            container = parse_container(source, _LIMITS, partial=ImageFile.LOAD_TRUNCATED_IMAGES)
        header = container.header
        is_deep_gray = header.bit_depth == 16 and header.architecture.channels == 1
        self._mode = "I;16" if is_deep_gray else mode_name(header.architecture.channels)
        self._stored_size = self._size = (header.width, header.height)
        self.info.update(info_for_pillow(_read_sound_metadata(container)))
        self._source = source

    def draft(
        self, mode: str | None, size: tuple[int, int] | None
    ) -> tuple[str, tuple[int, int, float, float]] | None:
        """Have the pixels decoded at about ``size``, in the stored aspect; no effect after loading.

        As with JPEG, neither side becomes smaller than asked, so that what follows need not
        enlarge. Unlike there, any size can be had, and if both sides ask for more than is stored,
        also that: the largest image that fits into the size.

        Args:
            mode: ignored.
            size: wanted (width, height).

        Returns:
            The mode, and the box that the whole image now fills; None if nothing was changed.

        Raises:
            DecompressionBombError: as from ``Image.open``, for the size to come.
        """
        if self._source is None or size is None:
            return None
        width, height = self._stored_size
        ratios = (size[0] / width, size[1] / height)
        scale = min(max(ratios), max(1.0, min(ratios)))
        drafted = (max(1, round(width * scale)), max(1, round(height * scale)))
        _check_for_bomb(drafted)
        self._size = drafted
        return self.mode, (0, 0, *drafted)

    def thumbnail(
        self,
        size: tuple[float, float],
        resample: Image.Resampling = Image.Resampling.BICUBIC,
        reducing_gap: float | None = 2.0,
    ) -> None:
        """Make this a thumbnail, as Pillow does.

        Pillow drafts at ``reducing_gap`` times the size. Where that would be more than is stored,
        there is nothing to gain from it.
        """
        if reducing_gap is not None:
            drafted = (size[0] * reducing_gap, size[1] * reducing_gap)
            if drafted[0] > self.width and drafted[1] > self.height:
                reducing_gap = None
        super().thumbnail(size, resample, reducing_gap)

    def load(self) -> "PixelAccess | None":
        """Decode the pixels, the first time."""
        if self._source is not None:
            from sirencodec.decoder import decode_bands
            from sirencodec.image.files import bands_to_pillow

            width, height = self.size
            partial = ImageFile.LOAD_TRUNCATED_IMAGES
            with _errors_for_pillow():
                bands = decode_bands(
                    self._source, width=width, height=height, partial=partial, limits=_LIMITS
                )
                self.im = bands_to_pillow(bands, self.size).im
            self.readonly = 0
            self._source = None
            if self._exclusive_fp and self.fp is not None:
                self.fp.close()
            self.fp = None
        return super().load()


def _accept(prefix: bytes) -> bool:
    """First bytes of a file -> whether it is ours."""
    return prefix.startswith(MAGIC)


def _save(im: Image.Image, fp: IO[bytes], filename: str | bytes) -> None:
    """Pillow image -> `.siren` file.

    Keywords of ``im.save`` are the fields of ``EncodeConfig``, and ``icc_profile``, ``exif`` and
    ``xmp``. Metadata not given is that of the image.
    """
    from sirencodec.encoder import encode_image
    from sirencodec.image.files import from_pillow

    options: dict[str, Any] = im.encoderinfo
    unknown = sorted(set(options).difference(_ENCODE_OPTIONS, _METADATA_OPTIONS))
    if unknown:
        warnings.warn(
            f"unknown options of a .siren file were ignored: {', '.join(unknown)}",
            SirenCodecWarning,
            stacklevel=3,  # the caller of im.save
        )
    config = EncodeConfig(**{name: options[name] for name in _ENCODE_OPTIONS if name in options})
    with _errors_for_pillow():
        image = from_pillow(im)
        metadata = replace(image.metadata, **_given_metadata(options))
        data = encode_image(replace(image, metadata=metadata), config).data
    fp.write(data)


def _given_metadata(options: dict[str, Any]) -> dict[str, Any]:
    """Keywords of ``im.save`` -> those of them that ``Metadata`` takes, in its types."""
    given = {name: options[name] for name in _METADATA_OPTIONS if name in options}
    if isinstance(given.get("exif"), Image.Exif):
        given["exif"] = given["exif"].tobytes()
    if isinstance(given.get("xmp"), str):
        given["xmp"] = given["xmp"].encode()
    return given


def _read_sound_metadata(container: "Container") -> "Metadata":
    """Container -> its metadata, or none and a warning if it is damaged: the picture is not."""
    from sirencodec.bitstream.metadata_section import read_metadata
    from sirencodec.image.metadata import Metadata

    try:
        return read_metadata(container, _LIMITS)
    except (CorruptError, LimitError) as error:
        warnings.warn(
            f"metadata of the .siren file was left out: {error}",
            SirenCodecWarning,
            stacklevel=6,  # _open, ImageFile.__init__, two of Image.open, its caller
        )
        return Metadata()


def _check_for_bomb(size: tuple[int, int]) -> None:
    """Hold a size against Pillow's limit as ``Image.open`` does; it does not look at drafts."""
    limit = Image.MAX_IMAGE_PIXELS
    pixels = size[0] * size[1]
    if limit is None or pixels <= limit:
        return
    message = f"{size[0]} x {size[1]} = {pixels} pixels exceed PIL.Image.MAX_IMAGE_PIXELS, {limit}"
    if pixels > 2 * limit:
        raise Image.DecompressionBombError(message)
    warnings.warn(message, Image.DecompressionBombWarning, stacklevel=3)


@contextmanager
def _errors_for_pillow() -> Iterator[None]:
    """The package's errors -> what callers of Pillow catch, the original as the cause."""
    try:
        yield
    except ParameterError:
        raise  # a ValueError already
    except NotSirenError as error:
        raise SyntaxError(str(error)) from error  # how a plugin says: not mine
    except LimitError as error:
        raise Image.DecompressionBombError(str(error)) from error
    except SirenCodecError as error:
        raise OSError(str(error)) from error
