"""Small pictures for tests to encode."""

import numpy as np
import PIL.Image

WIDTH, HEIGHT = 24, 16


def make_gradient(width: int = WIDTH, height: int = HEIGHT) -> PIL.Image.Image:
    """A smooth RGB picture, easy to fit."""
    y, x = np.mgrid[0:height, 0:width]
    red, green = 255 * x / width, 255 * y / height
    return PIL.Image.fromarray(np.stack([red, green, (red + green) / 2], 2).astype(np.uint8))


def make_exif() -> bytes:
    """EXIF that says: turned by 90 degrees."""
    exif = PIL.Image.Exif()
    exif[PIL.Image.ExifTags.Base.Orientation] = 6
    return exif.tobytes()
