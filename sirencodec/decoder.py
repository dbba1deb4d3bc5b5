"""`.siren` bytes -> image."""

import warnings
from collections.abc import Iterator
from typing import Final

from sirencodec.bitstream.source import Source
from sirencodec.config import STRIP_ALL
from sirencodec.entropy.stored import StoredPicture, open_stored
from sirencodec.errors import CorruptError, LimitError, SirenCodecWarning
from sirencodec.image.image import Image
from sirencodec.image.metadata import Metadata
from sirencodec.image.samples import Samples
from sirencodec.limits import DEFAULT_LIMITS, Limits
from sirencodec.synthesis.picture import Picture, to_picture
from sirencodec.synthesis.region import Crop, Region, check_work, choose_region
from sirencodec.synthesis.samples import check_device, paint, samples_on, windows_on

BAND_PIXELS: Final = 2**22  # of a picture that is painted in bands: 12 MB in 8-bit colour


def decode(
    data: bytes | Source,
    *,
    width: int | None = None,
    height: int | None = None,
    scale: float | None = None,
    crop: Crop | None = None,
    device: str = "auto",
    exact: bool = False,
    strip: bool | str = False,
    partial: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> Image:
    """`.siren` file -> image, at any size.

    Sides are those of the samples as stored. A viewer turns them where EXIF says so.

    Args:
        data: the file, of which no more is read than is needed.
        width: output pixels across; alone, the height follows from the aspect.
        height: output pixels down; alone, the width follows. Both together stretch.
        scale: factor on both sides instead of width and height.
        crop: part of the image to decode, (x, y, width, height) in stored pixels, fractions
            allowed; its own size is the default output size.
        device: "auto" or "cpu", which are the same and need no PyTorch; or "cuda", through it.
        exact: evaluate in float64; the default, float32, is within one level of it.
        strip: metadata to leave out, as in ``EncodeConfig``: "all" or True converts colours to
            sRGB and turns the picture upright. Damaged metadata is left out with a warning then.
        partial: make what can be made of a file that ends early, or is damaged behind its head.
            What is missing is told by a warning.
        limits: what the decode may consume.

    Returns:
        The image, of the stored mode and bit depth.

    Raises:
        FormatError: if the bytes are not a valid file.
        LimitError: if decoding would exceed ``limits``.
        ParameterError: if the size or crop makes no sense.
    """
    stored = open_stored(data, limits, partial=partial)
    is_lenient = bool(strip) or partial
    metadata = _read_what_is_sound(stored) if is_lenient else stored.read_metadata()
    samples = _decode_samples(
        stored, device, exact=exact, width=width, height=height, scale=scale, crop=crop
    )
    image = Image(samples, metadata)
    if not strip:
        return image
    from sirencodec.image.stripping import strip_image  # and with it Pillow's colour management

    return strip_image(image, STRIP_ALL if strip is True else str(strip))[0]


def decode_samples(
    data: bytes | Source,
    *,
    width: int | None = None,
    height: int | None = None,
    device: str = "auto",
    partial: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> Samples:
    """`.siren` file -> samples as they are stored, metadata unread. Arguments as for ``decode``."""
    stored = open_stored(data, limits, partial=partial)
    return _decode_samples(stored, device, width=width, height=height)


def decode_bands(
    data: bytes | Source,
    *,
    width: int | None = None,
    height: int | None = None,
    partial: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> Iterator[Samples]:
    """`.siren` file -> samples as they are stored, some rows at a time, from the top.

    Those of ``decode_samples``, whose arguments these are, on a CPU. All latents are decoded first.
    """
    stored = open_stored(data, limits, partial=partial)
    region = choose_region(stored.header, width=width, height=height)
    picture = _decode_picture(stored, region, "auto")
    at_once = max(1, BAND_PIXELS // region.width)
    for top in range(0, region.height, at_once):
        rows = range(top, min(top + at_once, region.height))
        yield paint(picture, region, exact=False, rows=rows)


def _decode_samples(
    stored: StoredPicture,
    device: str,
    *,
    exact: bool = False,
    width: int | None = None,
    height: int | None = None,
    scale: float | None = None,
    crop: Crop | None = None,
) -> Samples:
    region = choose_region(stored.header, width=width, height=height, scale=scale, crop=crop)
    check_device(device)
    picture = _decode_picture(stored, region, device, exact=exact)
    return samples_on(device, picture, region, exact=exact)


def _decode_picture(
    stored: StoredPicture, region: Region, device: str, *, exact: bool = False
) -> Picture:
    """File -> what a region needs of it, within the limits; a warning if some of it is missing."""
    windows = windows_on(device, region, stored.header)
    latents = stored.check_latents(windows)
    check_work(stored.header, region, stored.limits, latents, exact=exact)
    picture = to_picture(stored.decode(windows), stored.header)
    if stored.num_missing:
        warnings.warn(
            f"the file is cut off or damaged: {stored.num_missing} of the segments that were "
            "needed are missing, or parts of them",
            SirenCodecWarning,
            stacklevel=5,
        )
    return picture


def _read_what_is_sound(stored: StoredPicture) -> Metadata:
    """Metadata; none, and a warning, if it is damaged."""
    try:
        return stored.read_metadata()
    except (CorruptError, LimitError) as error:
        text = f"colours and orientation are as stored, for what is said of them is lost: {error}"
        warnings.warn(text, SirenCodecWarning, stacklevel=3)
        return Metadata()
