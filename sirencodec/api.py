"""The library's functions: anything that is an image or a file in, bytes or images out."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import PIL.Image

from sirencodec.bitstream.info import Info, describe
from sirencodec.bitstream.source import open_source
from sirencodec.config import EncodeConfig
from sirencodec.image.files import from_pillow, read_image
from sirencodec.image.image import Image
from sirencodec.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from typing import TypeAlias

    import numpy.typing as npt

    from sirencodec.fitting.progress import FitProgress
    from sirencodec.function import SirenFunction
    from sirencodec.inspection.report import Inspection
    from sirencodec.synthesis.region import Crop

    ImageSource: TypeAlias = "Image | PIL.Image.Image | npt.NDArray[np.unsignedinteger] | Source"

Source = bytes | bytearray | memoryview | str | os.PathLike[str] | BinaryIO


def encode(
    image: "ImageSource",
    config: EncodeConfig | None = None,
    *,
    on_step: "Callable[[FitProgress], None] | None" = None,
    **options: Any,
) -> bytes:
    """Image -> `.siren` file.

    Args:
        image: an ``Image``, a Pillow image, an array (height, width[, channels]) of uint8 or
            uint16, or an image file as path, bytes or binary stream.
        config: options as one object, or
        **options: the fields of ``EncodeConfig`` by name: ``quality``, ``bpp``, ``size_bytes``,
            ``psnr_db``, ``effort``, ``max_seconds``, ``profile``, ``tune``, ``seed``, ``device``,
            ``strip``, ``max_pixels``.
        on_step: called with the progress after every update of the network.

    Returns:
        The file's bytes.

    Raises:
        ImageError: if the input is not an image.
        ParameterError: if an option makes no sense.
        FitError: if the network cannot be fitted.
    """
    from sirencodec.encoder import encode_image

    if config is None:
        config = EncodeConfig(**options)
    elif options:
        raise TypeError("give options in the config or by name, not both")
    return encode_image(to_image(image, config.max_pixels), config, on_step).data


def decode(
    source: Source,
    *,
    width: int | None = None,
    height: int | None = None,
    scale: float | None = None,
    crop: "Crop | None" = None,
    device: str = "auto",
    exact: bool = False,
    strip: bool | str = False,
    partial: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> Image:
    """`.siren` file, as path, bytes or binary stream -> image at any size.

    Of a path, or a stream that can seek, only what is asked for is read. See
    ``sirencodec.decoder.decode`` for the arguments and errors.
    """
    from sirencodec.decoder import decode as decode_bytes

    return decode_bytes(
        open_source(source, limits),
        width=width,
        height=height,
        scale=scale,
        crop=crop,
        device=device,
        exact=exact,
        strip=strip,
        partial=partial,
        limits=limits,
    )


def open(  # the verb of the trade, as in PIL.Image.open
    source: Source,
    *,
    device: str = "auto",
    exact: bool = False,
    partial: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> "SirenFunction":
    """`.siren` file, as path, bytes or binary stream -> the function it is.

    Of a path, or a stream that can seek and stays open, only what is asked for is read. Arguments
    as for ``decode``.
    """
    from sirencodec.function import SirenFunction

    opened = open_source(source, limits)
    return SirenFunction(opened, device=device, exact=exact, partial=partial, limits=limits)


def read_info(source: Source, limits: Limits = DEFAULT_LIMITS) -> Info:
    """`.siren` file, as path, bytes or binary stream -> facts, without decoding it."""
    return describe(read_bytes(source, limits), limits)


def inspect(
    source: Source, *, at_init: bool = False, seed: int = 0, limits: Limits = DEFAULT_LIMITS
) -> "Inspection":
    """`.siren` file, as path, bytes or binary stream -> what its network does, layer by layer.

    See ``sirencodec.inspection.inspect.inspect_bytes`` for the arguments and errors.
    """
    from sirencodec.inspection.inspect import inspect_bytes

    return inspect_bytes(read_bytes(source, limits), at_init=at_init, seed=seed, limits=limits)


def read_bytes(source: Source, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Path, bytes or binary stream -> bytes, never much more than a file may have."""
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source)
    if isinstance(source, str | os.PathLike):
        with Path(source).open("rb") as file:
            return limits.read(file)
    return limits.read(source)


def to_image(source: "ImageSource", max_pixels: int = DEFAULT_LIMITS.max_pixels) -> Image:
    """Anything ``encode`` takes -> ``Image``; a file of more pixels is refused."""
    if isinstance(source, Image):
        return source
    if isinstance(source, np.ndarray):
        return Image.from_array(source)
    if isinstance(source, PIL.Image.Image):
        return from_pillow(source)
    if isinstance(source, bytearray | memoryview):
        source = bytes(source)
    return read_image(source, Limits(max_pixels=max_pixels))
