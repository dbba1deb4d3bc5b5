"""The codecs under test: ours through its library, the others through Pillow and imagecodecs.

A codec is a pair of functions and a grid of settings, from small files to large ones. Grids are
dense between 0.05 and 2 bits a pixel on photographs, so that curves need little interpolation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from io import BytesIO
from typing import Any

import numpy as np
import PIL.features
import PIL.Image

from benchmarks.measuring.pixels import Pixels, parse_pixels

OURS = "sirencodec"  # tuned for eyes, as users have it; by bits a pixel, the same on every image
OURS_FOR_PSNR = "sirencodec-psnr"  # the same, tuned for squared error
# By quality, as the others: a score, for which images take the bits they need. Where averages are
# compared, equal bits on all images are no fair share (see README.md).
OURS_BY_QUALITY = "sirencodec-q"
# Of Pillow's encoders: their whole documented range, 1 to 95. A BD-rate depends on the range that
# is compared, so the range is no choice to be made anew for each codec.
QUALITIES = (1, 3, *range(5, 100, 5))
OUR_QUALITIES = (20, 35, 50, 65, 80)
BPP_TARGETS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8)


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard an encode tries, and on how many threads. Rivals have their effort in their name.

    Attributes:
        level: of our codec; its default if None.
        seed: of our codec.
        threads: to encode on.
        encode: takes the place of ``sirencodec.encode``, for ablations.
    """

    level: int | None = None
    seed: int = 0
    threads: int = 1
    encode: Callable[..., bytes] | None = None


@dataclass(frozen=True, slots=True)
class Codec:
    """One way from pixels to a file and back.

    Attributes:
        name: as in results and on the command line.
        label: as in tables and plots.
        knob: what a setting is.
        settings: the grid, from the smallest file to the largest.
        suffix: of the files.
        encode: (pixels, setting, effort) -> bytes.
        decode: (bytes, threads) -> pixels.
        is_available: whether what it needs is installed.
    """

    name: str
    label: str
    knob: str
    settings: tuple[float, ...]
    suffix: str
    encode: Callable[[Pixels, float, Effort], bytes]
    decode: Callable[[bytes, int], Pixels]
    is_available: bool = True


def _encode_ours(
    pixels: Pixels, setting: float, effort: Effort, *, target: str, tune: str
) -> bytes:
    import torch

    import sirencodec

    torch.set_num_threads(effort.threads)
    options: dict[str, Any] = {target: setting, "tune": tune}
    if effort.level is not None:
        options["effort"] = effort.level
    encode = effort.encode or sirencodec.encode
    return encode(pixels, seed=effort.seed, **options)


def _decode_ours(data: bytes, threads: int) -> Pixels:
    import torch

    import sirencodec

    torch.set_num_threads(threads)
    return np.asarray(sirencodec.decode(data).samples, dtype=np.uint8)


def _encode_pillow(
    pixels: Pixels, quality: float, effort: Effort, *, file_format: str, **options: Any
) -> bytes:
    buffer = BytesIO()
    if file_format == "AVIF":
        options["max_threads"] = effort.threads
    PIL.Image.fromarray(pixels).save(buffer, file_format, quality=int(quality), **options)
    return buffer.getvalue()


def _decode_pillow(data: bytes, threads: int) -> Pixels:
    del threads  # Pillow has its own mind
    return parse_pixels(data)


def _encode_jpeg_xl(pixels: Pixels, distance: float, effort: Effort) -> bytes:
    import imagecodecs

    return bytes(
        imagecodecs.jpegxl_encode(
            pixels, distance=distance, effort=7, usecontainer=False, numthreads=effort.threads
        )
    )


def _decode_jpeg_xl(data: bytes, threads: int) -> Pixels:
    import imagecodecs

    return imagecodecs.jpegxl_decode(data, numthreads=threads)


def _encode_jpeg_2000(pixels: Pixels, level: float, effort: Effort) -> bytes:
    import imagecodecs

    return bytes(
        imagecodecs.jpeg2k_encode(
            pixels, level=int(level), codecformat="j2k", reversible=False, numthreads=effort.threads
        )
    )


def _decode_jpeg_2000(data: bytes, threads: int) -> Pixels:
    import imagecodecs

    return imagecodecs.jpeg2k_decode(data, numthreads=threads)


def _jpeg(name: str, subsampling: str) -> Codec:
    options: dict[str, Any] = {"subsampling": subsampling, "optimize": True, "progressive": True}
    encode = partial(_encode_pillow, file_format="JPEG", **options)
    return Codec(name, f"JPEG {subsampling}", "quality", QUALITIES, ".jpg", encode, _decode_pillow)


def _avif(name: str, subsampling: str, tune: str = "iq") -> Codec:
    """AVIF tuned for eyes (iq: Pillow's default from libavif 1.4 on) or squared error (psnr)."""
    options: dict[str, Any] = {"subsampling": subsampling, "speed": 4, "advanced": {"tune": tune}}
    encode = partial(_encode_pillow, file_format="AVIF", **options)
    available = bool(PIL.features.check("avif"))
    return Codec(
        name,
        f"AVIF {subsampling}" + ("" if tune == "iq" else f", tune={tune}"),
        "quality",
        QUALITIES,
        ".avif",
        encode,
        _decode_pillow,
        available,
    )


def _ours(
    name: str,
    label: str,
    knob: str,
    settings: tuple[float, ...],
    target: str,
    tune: str = "visual",
) -> Codec:
    encode = partial(_encode_ours, target=target, tune=tune)
    return Codec(name, label, knob, settings, ".siren", encode, _decode_ours)


def is_ours(name: str) -> bool:
    """Whether a codec is this project's, and so has efforts."""
    return name in (OURS, OURS_FOR_PSNR, OURS_BY_QUALITY)


def _all_codecs() -> tuple[Codec, ...]:
    jxl_settings = (25, 20, 15, 12, 10, 8, 7, 6, 5, 4, 3, 2.5, 2, 1.5, 1, 0.75, 0.5)
    j2k_settings = tuple(range(22, 45))
    has_imagecodecs = find_spec("imagecodecs") is not None
    webp = partial(_encode_pillow, file_format="WEBP", method=6)
    return (
        _jpeg("jpeg-420", "4:2:0"),
        _jpeg("jpeg-444", "4:4:4"),
        Codec("webp", "WebP", "quality", QUALITIES, ".webp", webp, _decode_pillow),
        _avif("avif-420", "4:2:0"),
        _avif("avif-444", "4:4:4"),
        _avif("avif-444-psnr", "4:4:4", "psnr"),
        Codec(
            "jpeg-xl",
            "JPEG XL",
            "distance",
            jxl_settings,
            ".jxl",
            _encode_jpeg_xl,
            _decode_jpeg_xl,
            has_imagecodecs,
        ),
        Codec(
            "jpeg-2000",
            "JPEG 2000",
            "PSNR",
            j2k_settings,
            ".j2k",
            _encode_jpeg_2000,
            _decode_jpeg_2000,
            has_imagecodecs,
        ),
        _ours(OURS, OURS, "bits a pixel", BPP_TARGETS, "bpp"),
        _ours(OURS_FOR_PSNR, f"{OURS}, tune=psnr", "bits a pixel", BPP_TARGETS, "bpp", "psnr"),
        _ours(OURS_BY_QUALITY, f"{OURS} by quality", "quality", OUR_QUALITIES, "quality"),
    )


CODECS = {codec.name: codec for codec in _all_codecs()}
