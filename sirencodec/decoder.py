"""`.siren` bytes -> image."""

from sirencodec.entropy.stored import open_stored
from sirencodec.image.image import Image
from sirencodec.image.metadata import Metadata
from sirencodec.limits import DEFAULT_LIMITS, Limits
from sirencodec.synthesis.device import choose_device
from sirencodec.synthesis.picture import to_picture
from sirencodec.synthesis.query import query_samples
from sirencodec.synthesis.region import Crop, check_work, choose_region
from sirencodec.synthesis.torch_picture import to_torch


def decode(
    data: bytes,
    *,
    width: int | None = None,
    height: int | None = None,
    scale: float | None = None,
    crop: Crop | None = None,
    device: str = "auto",
    exact: bool = False,
    strip: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> Image:
    """`.siren` file -> image, at any size.

    Args:
        data: the whole file.
        width: output pixels across; alone, the height follows from the aspect.
        height: output pixels down; alone, the width follows. Both together stretch.
        scale: factor on both sides instead of width and height.
        crop: part of the image to decode, (x, y, width, height) in stored pixels, fractions
            allowed; its own size is the default output size.
        device: "auto", "cpu" or "cuda".
        exact: evaluate in float64; the default, float32, is within one level of it.
        strip: leave the metadata unread.
        limits: what the decode may consume.

    Returns:
        The image, of the stored mode and bit depth.

    Raises:
        FormatError: if the bytes are not a valid file.
        LimitError: if decoding would exceed ``limits``.
        ParameterError: if the size or crop makes no sense.
    """
    stored = open_stored(data, limits)
    header = stored.header
    region = choose_region(header, width=width, height=height, scale=scale, crop=crop)
    check_work(header, region, limits)
    picture = to_picture(stored.decode(), header)
    tensors = to_torch(picture, choose_device(device), exact=exact)
    samples = query_samples(tensors, region, header.bit_depth)
    metadata = Metadata() if strip else stored.read_metadata()
    return Image(samples, metadata)
