"""Small pictures for tests to encode."""

import numpy as np
import numpy.typing as npt
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


def make_clouds(width: int, height: int, channels: int = 3, seed: int = 0) -> npt.NDArray[np.uint8]:
    """Noise with the spectrum of a photograph, (height, width, channels)."""
    generator = np.random.default_rng(seed)
    down, across = np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)
    frequency = np.maximum(np.hypot(down, across), 1 / max(width, height))
    noise = np.fft.fft2(generator.normal(size=(channels, height, width))) / frequency**1.3
    planes = np.fft.ifft2(noise).real
    mixed = np.moveaxis(planes[:1] + planes / 2, 0, 2)
    scaled = (mixed - mixed.mean()) / max(float(mixed.std()), 1e-9)
    return np.ascontiguousarray((128 + 45 * scaled).clip(0, 255).astype(np.uint8))
