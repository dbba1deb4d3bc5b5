"""What the study fits: crops of photographs, and signals made up here."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks.measuring.machine import ROOT
from benchmarks.measuring.pixels import Pixels, find_images, read_pixels
from sirencodec.synthesis.coordinates import image_coordinates, pixel_centres
from sirencodec.synthesis.network import augment

OWN_PICTURE = ROOT / "docs" / "images" / "chelsea.png"
PERIOD = 3  # of the signal 0, 0, 1, 0, 0, 1, ...


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """Something to fit.

    Attributes:
        points: (inputs + 1, n) coordinates in [-1, 1], the last row ones.
        targets: (channels, n) values there, in [0, 1].
        shape: (rows, columns) in which the points lie.
    """

    points: Tensor
    targets: Tensor
    shape: tuple[int, int]


def read_crops(dataset: Path | None, names: tuple[str, ...], side: int) -> dict[str, Pixels]:
    """Folder -> the middle of its images, by name; without a folder, of two pictures there are.

    Raises:
        FileNotFoundError: if a name, or any image at all, is missing.
    """
    if dataset is None:
        return {OWN_PICTURE.stem: own_crop(side), "waves": waves(side)}
    return {path.stem: centre(read_pixels(path), side) for path in find_images(dataset, names)}


def own_crop(side: int) -> Pixels:
    """Side -> the middle of the picture that the project carries."""
    return centre(read_pixels(OWN_PICTURE), side)


def centre(pixels: Pixels, side: int) -> Pixels:
    """Picture -> the square of this side in its middle, or what there is of it."""
    top, left = (max(0, (size - side) // 2) for size in pixels.shape[:2])
    return pixels[top : top + side, left : left + side]


def waves(side: int) -> Pixels:
    """Side -> a chirp across, rings, and an edge: every frequency up to a quarter of a cycle."""
    y, x = np.mgrid[:side, :side] / side
    chirp = np.sin(np.pi * side / 4 * x * x)
    rings = np.cos(np.pi * side / 8 * ((x - 0.5) ** 2 + (y - 0.5) ** 2))
    planes = [chirp, rings, np.where(y > x, 0.8, -0.8) * rings]
    picture: Pixels = np.rint(127.5 + 120 * np.stack(planes, 2)).astype(np.uint8)
    return picture


def low_pass(pixels: Pixels, bandwidth: float) -> Pixels:
    """Picture -> what is left below a share of Nyquist's frequency along each axis.

    By the discrete cosine transform of the mirrored picture, which has no edge to ring at.
    """
    height, width, _ = pixels.shape
    mirrored = np.concatenate([pixels, pixels[::-1]], 0).astype(np.float64)
    mirrored = np.concatenate([mirrored, mirrored[:, ::-1]], 1)
    spectrum = np.fft.fft2(mirrored, axes=(0, 1))
    down, across = (np.abs(np.fft.fftfreq(2 * side)) * 2 for side in (height, width))
    spectrum *= (np.maximum(down[:, None], across) <= bandwidth)[:, :, None]
    kept = np.fft.ifft2(spectrum, axes=(0, 1)).real[:height, :width]
    filtered: Pixels = np.rint(np.clip(kept, 0, 255)).astype(np.uint8)
    return filtered


def picture_signal(pixels: Pixels) -> Signal:
    """Picture -> signal at its pixel centres."""
    height, width, channels = pixels.shape
    points = augment(torch.from_numpy(image_coordinates(width, height)).float())
    planes = np.moveaxis(pixels, 2, 0).reshape(channels, -1)
    return Signal(points, torch.from_numpy(planes.astype(np.float32) / 255), (height, width))


def periodic_signal(count: int) -> Signal:
    """Number of samples -> 0, 0, 1, 0, 0, 1, ... at as many centres along one axis."""
    x = torch.from_numpy(pixel_centres(0, count, count, count)).float()
    values = (torch.arange(count) % PERIOD == PERIOD - 1).float()
    return Signal(torch.stack([x, torch.ones(count)]), values[None], (1, count))
