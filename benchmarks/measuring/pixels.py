"""Image files <-> pixels: every codec here is fed 8-bit RGB, and nothing else of the file."""

from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.Image

Pixels = npt.NDArray[np.uint8]  # (height, width, 3)

SUFFIXES = (".png", ".ppm", ".tif", ".tiff", ".bmp", ".jpg", ".jpeg", ".webp")


def read_pixels(path: Path) -> Pixels:
    """Image file -> pixels; transparency is dropped, metadata ignored."""
    with PIL.Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def parse_pixels(data: bytes) -> Pixels:
    """Bytes of an image file -> pixels."""
    with PIL.Image.open(BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def find_images(dataset: Path, names: tuple[str, ...] = ()) -> list[Path]:
    """Folder -> its image files by name; only those whose stem is in ``names``, if there are any.

    Raises:
        FileNotFoundError: if a name, or any image at all, is missing.
    """
    images = {path.stem: path for path in sorted(dataset.iterdir()) if path.suffix in SUFFIXES}
    if missing := [name for name in names if name not in images]:
        raise FileNotFoundError(f"{dataset} has no image {', '.join(missing)}")
    if not images:
        raise FileNotFoundError(f"{dataset} has no images")
    return [images[name] for name in names or images]


def tiny_picture(width: int = 64, height: int = 48, seed: int = 0) -> Pixels:
    """Size -> made-up pixels: smooth waves, an edge and a little noise."""
    y, x = np.mgrid[:height, :width]
    waves = [128 + 90 * np.sin(x / (5 + seed) + y / 9 + shift) for shift in range(3)]
    pixels = np.stack(waves, 2)
    pixels[height // 2 :, : width // 3] *= 0.5
    pixels += np.random.default_rng(seed).normal(0, 4, pixels.shape)
    picture: Pixels = np.clip(pixels, 0, 255).astype(np.uint8)
    return picture
