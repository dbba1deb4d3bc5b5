"""`.siren` bytes -> image."""

import warnings

from sirencodec.bitstream.source import Source
from sirencodec.config import STRIP_ALL
from sirencodec.entropy.stored import StoredPicture, open_stored
from sirencodec.errors import CorruptError, LimitError, SirenCodecWarning
from sirencodec.image.image import Image
from sirencodec.image.metadata import Metadata
from sirencodec.image.samples import Samples
from sirencodec.image.stripping import strip_image
from sirencodec.limits import DEFAULT_LIMITS, Limits
from sirencodec.synthesis.picture import to_picture
from sirencodec.synthesis.region import Crop, check_work, choose_region
from sirencodec.synthesis.samples import check_device, samples_on, windows_on


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
    return strip_image(image, STRIP_ALL if strip is True else str(strip))[0] if strip else image


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
    header = stored.header
    region = choose_region(header, width=width, height=height, scale=scale, crop=crop)
    check_device(device)
    windows = windows_on(device, region, header)
    latents = stored.check_latents(windows)
    check_work(header, region, stored.limits, latents, exact=exact)
    picture = to_picture(stored.decode(windows), header)
    if stored.num_missing:
        warnings.warn(
            f"the file is cut off or damaged: {stored.num_missing} of the segments that were "
            "needed are missing, or parts of them",
            SirenCodecWarning,
            stacklevel=4,
        )
    return samples_on(device, picture, region, exact=exact)


def _read_what_is_sound(stored: StoredPicture) -> Metadata:
    """Metadata; none, and a warning, if it is damaged."""
    try:
        return stored.read_metadata()
    except (CorruptError, LimitError) as error:
        text = f"colours and orientation are as stored, for what is said of them is lost: {error}"
        warnings.warn(text, SirenCodecWarning, stacklevel=3)
        return Metadata()
