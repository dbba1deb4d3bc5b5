"""Pictures and what other codecs make of them, for tests of measures."""

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.Image

from tests.pictures import make_clouds

CHELSEA = Path(__file__).parents[1] / "docs" / "images" / "chelsea.png"


def photograph() -> PIL.Image.Image:
    """A part of a photograph, of odd sides, large enough for all scales."""
    return PIL.Image.open(CHELSEA).convert("RGB").crop((90, 30, 90 + 243, 30 + 201))


def clouds() -> PIL.Image.Image:
    """A generated picture, with all scales but one of SSIMULACRA2's."""
    return PIL.Image.fromarray(make_clouds(224, 180))


def compressed(picture: PIL.Image.Image, codec: str, quality: int) -> PIL.Image.Image:
    """A picture after another codec, "JPEG" or "WEBP", and back."""
    buffer = io.BytesIO()
    picture.save(buffer, codec, quality=quality)
    return PIL.Image.open(buffer).convert(picture.mode)


def png(picture: PIL.Image.Image) -> io.BytesIO:
    """The picture as a file."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer


def noisy(
    channels: int, height: int, width: int, seed: int = 0
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """(channels, height, width) values of a generated picture, and others near them."""
    original = np.moveaxis(make_clouds(width, height, channels, seed) / 255, 2, 0)
    noise = np.random.default_rng(seed).normal(size=original.shape)
    return original, original + 0.06 * noise  # some lie outside 0 to 1
