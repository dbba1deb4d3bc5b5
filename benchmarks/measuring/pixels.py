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
