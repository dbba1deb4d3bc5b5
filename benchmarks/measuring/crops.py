"""Images -> their middles, small enough that a panel of codecs and measures takes minutes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import PIL.Image

from benchmarks.measuring.pixels import Pixels, read_pixels


def middle(pixels: Pixels, side: int) -> Pixels:
    """Pixels -> the ``side`` x ``side`` in the middle, or what there is of them."""
    top, left = (max(0, (length - side) // 2) for length in pixels.shape[:2])
    return np.ascontiguousarray(pixels[top : top + side, left : left + side])


def write_middles(images: Sequence[Path], side: int, folder: Path) -> list[Path]:
    """Images -> PNG files of their middles in a folder, under the same names."""
    folder.mkdir(parents=True, exist_ok=True)
    crops = [folder / f"{image.stem}.png" for image in images]
    for image, crop in zip(images, crops, strict=True):
        PIL.Image.fromarray(middle(read_pixels(image), side)).save(crop)
    return crops
