"""Random pyramids, context networks and kernels, and the slow way to do what they are for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sirencodec.architecture import Architecture, grid_shape
from sirencodec.entropy.prior import prior_shapes
from sirencodec.upsampling import CUBIC_KERNEL

Floats = npt.NDArray[np.float64]
Levels = npt.NDArray[np.int32]

ALL_GRIDS = tuple(range(7))
UNIT = 1 << 16  # of a weight of a context network


def architecture(grids: Sequence[int] = ALL_GRIDS, channels: int = 1) -> Architecture:
    return Architecture(5, 1, channels, 1, tuple(grids), 1)


def random_latents(
    width: int, height: int, grids: Sequence[int] = ALL_GRIDS, seed: int = 0, spread: float = 2.0
) -> tuple[Levels, ...]:
    """Whole numbers, mostly small ones."""
    generator = np.random.default_rng(seed)
    shapes = [grid_shape(width, height, exponent) for exponent in grids]
    return tuple(generator.laplace(0, spread, s).round().astype(np.int32) for s in shapes)


def random_context(seed: int = 0, size: float = 0.4) -> list[list[Floats]]:
    """Networks of the first prior's shapes, whole numbers of units."""
    generator = np.random.default_rng(seed)
    matrices = [
        np.rint(generator.normal(0, size * UNIT, shape) * np.sqrt(8 / shape[1]))
        for shape in prior_shapes(1)
    ]
    return [matrices[start : start + 3] for start in range(0, len(matrices), 3)]


def zero_context() -> list[list[Floats]]:
    """Networks that predict zero at the scale 1, whatever they see."""
    return [[np.zeros_like(layer) for layer in network] for network in random_context()]


def random_kernels(octaves: int, seed: int = 0) -> Floats:
    """Near the cubic one."""
    change = np.random.default_rng(seed).normal(0, 0.1, (octaves, 4))
    return np.array(CUBIC_KERNEL) + change


def double(samples: Floats, kernel: Floats) -> Floats:
    """Samples along the first axis -> twice as many, two lost at either end."""
    fine = []
    for i in range(2, len(samples) - 2):
        before, at, after = samples[i - 1], samples[i], samples[i + 1]
        even = kernel[0] * samples[i - 2] + kernel[1] * before + kernel[2] * at + kernel[3] * after
        odd = kernel[3] * before + kernel[2] * at + kernel[1] * after + kernel[0] * samples[i + 2]
        fine += [even, odd]
    return np.array(fine)


def upsampled_axis(samples: Floats, kernels: Floats, exponent: int, size: int) -> Floats:
    """Grid -> its feature at ``size`` pixels along the first axis, doubling by doubling."""
    border = 8
    repeated = np.concatenate([samples[:1]] * border + [samples] + [samples[-1:]] * border)
    for kernel in kernels[:exponent][::-1]:
        repeated = double(repeated, kernel)
        border = 2 * (border - 2)
    return repeated[border : border + size]


def upsampled(
    grid: npt.NDArray[np.generic], kernels: Floats, exponent: int, width: int, height: int
) -> Floats:
    """Grid -> its feature at every pixel centre."""
    down = upsampled_axis(grid.astype(np.float64), kernels, exponent, height)
    return upsampled_axis(down.T, kernels, exponent, width).T
