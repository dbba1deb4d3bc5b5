"""A large picture -> the same at several sizes, to see how time, memory and rate go with size.

Each size is the whole picture, reduced by area: so all show the same scene, and none is enlarged.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import PIL.Image

from benchmarks.measuring.pixels import read_pixels

KIND = "size"
MEGA = 1_000_000


def write_sizes(image: Path, megapixels: Sequence[float], folder: Path) -> list[Path]:
    """Picture and sizes -> files of it in ``folder``, smallest first; larger ones are left out."""
    pixels = read_pixels(image)
    height, width = pixels.shape[:2]
    files = []
    for size in sorted(megapixels):
        factor = math.sqrt(size * MEGA / (height * width))
        if factor > 1:
            continue
        sides = max(1, round(width * factor)), max(1, round(height * factor))
        files.append(folder / f"{image.stem}-{size:g}mp.png")
        reduced = PIL.Image.fromarray(np.asarray(pixels)).resize(sides, PIL.Image.Resampling.BOX)
        reduced.save(files[-1])
    return files
