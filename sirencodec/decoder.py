"""`.siren` bytes -> image."""

import warnings
from collections.abc import Iterator
from typing import Final

from sirencodec.bitstream.source import Source
from sirencodec.config import STRIP_ALL
from sirencodec.entropy.stored import StoredPicture, open_stored
from sirencodec.errors import CorruptError, LimitError, SirenCodecWarning
from sirencodec.image.exif import UPRIGHT, read_orientation
from sirencodec.image.image import Image
from sirencodec.image.metadata import Metadata
from sirencodec.image.samples import Samples
from sirencodec.image.turning import turn_upright, upright_canvas
from sirencodec.limits import DEFAULT_LIMITS, Limits
from sirencodec.synthesis.picture import Picture, to_picture
from sirencodec.synthesis.region import Crop, Region, check_work, choose_region
from sirencodec.synthesis.samples import CPU, check_device, paint, samples_on, windows_on

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
    region = choose_region(stored.header, width=width, height=height, scale=scale, crop=crop)
    check_device(device)
    picture = _decode_picture(stored, region, device, exact=exact)
    if not strip:
        return Image(samples_on(device, picture, region, exact=exact), metadata)
    # With it comes Pillow's colour management.
    from sirencodec.image.stripping import strip_turned, turns

    what = STRIP_ALL if strip is True else str(strip)
    orientation = read_orientation(metadata.exif) if turns(what) else UPRIGHT
    samples = _paint_turned(device, picture, region, orientation, exact=exact)
    return strip_turned(samples, metadata, what)[0]


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
    region = choose_region(stored.header, width=width, height=height)
    check_device(device)
    picture = _decode_picture(stored, region, device)
    return samples_on(device, picture, region, exact=False)


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
    yield from _paint_bands(_decode_picture(stored, region, "auto"), region, exact=False)


def _paint_bands(picture: Picture, region: Region, *, exact: bool) -> Iterator[Samples]:
    """Picture and region -> samples as they are stored, some rows at a time, on a CPU."""
    at_once = max(1, BAND_PIXELS // region.width)
    for top in range(0, region.height, at_once):
        rows = range(top, min(top + at_once, region.height))
        yield paint(picture, region, exact=exact, rows=rows)


def _paint_turned(
    device: str, picture: Picture, region: Region, orientation: int, *, exact: bool
) -> Samples:
    """Picture and region -> upright samples; on a CPU without a second copy of them."""
    if orientation == UPRIGHT:
        return samples_on(device, picture, region, exact=exact)
    if device not in CPU:
        return turn_upright(samples_on(device, picture, region, exact=exact), orientation)
    header, top = picture.header, 0
    shape = region.height, region.width, header.architecture.channels
    samples, as_stored = upright_canvas(shape, header.bit_depth, orientation)
    for band in _paint_bands(picture, region, exact=exact):
        as_stored[top : top + len(band)] = band
        top += len(band)
    return samples


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
