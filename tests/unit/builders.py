"""Random pyramids, matrices and networks, and the slow way to do what they are for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sirencodec.bitstream.architecture import Architecture, grid_shape
from sirencodec.entropy.prior import context_shapes, refinement_shapes
from sirencodec.synthesis.network import Layers, augment
from sirencodec.synthesis.upsampling import CUBIC_KERNEL

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
        for shape in context_shapes(1)
    ]
    return [matrices[start : start + 3] for start in range(0, len(matrices), 3)]


def zero_context() -> list[list[Floats]]:
    """Networks that predict zero at the scale 1, whatever they see."""
    return [[np.zeros_like(layer) for layer in network] for network in random_context()]


def random_kernels(octaves: int, seed: int = 0) -> Floats:
    """Near the cubic one."""
    change = np.random.default_rng(seed).normal(0, 0.1, (octaves, 4))
    return np.array(CUBIC_KERNEL) + change


def random_refinement(seed: int = 0, size: float = 0.5) -> list[Floats]:
    """Matrices of the first prior's shapes that correct features by about as much as they are."""
    generator = np.random.default_rng(seed)
    return [
        generator.normal(0, size * (8 / shape[1]) ** 0.5, shape) for shape in refinement_shapes(1)
    ]


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


def corrected(
    features: Sequence[Floats], exponents: Sequence[int], refinement: Sequence[Floats]
) -> list[Floats]:
    """Features of all pixels -> the same after the refinement."""
    first, second = refinement
    height, width = features[0].shape
    hidden = []
    for weights in first:
        total = np.full((height + 2, width + 2), weights[-1])
        for feature, exponent in zip(features, exponents, strict=True):
            repeated = np.pad(feature, 2, mode="edge")
            for row in range(3):
                for column in range(3):
                    weight = weights[9 * exponent + 3 * row + column]
                    total += weight * repeated[row : row + height + 2, column : column + width + 2]
        hidden.append(np.maximum(total, 0))
    result = []
    for feature, exponent in zip(features, exponents, strict=True):
        total = feature.copy()
        if exponent < 2:
            total += second[exponent, -1]
            for channel, value in enumerate(hidden):
                for row in range(3):
                    for column in range(3):
                        weight = second[exponent, 9 * channel + 3 * row + column]
                        total += weight * value[row : row + height, column : column + width]
        result.append(total)
    return result


def random_layers(features: int, layers: int, channels: int) -> Layers:
    """A network in double precision whose every weight matters."""
    generator = torch.Generator().manual_seed(features + layers)
    shapes = Architecture(features, layers, channels, 30).layer_shapes
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]


def random_points(count: int) -> Tensor:
    generator = torch.Generator().manual_seed(count)
    return augment(torch.rand(count, 2, generator=generator, dtype=torch.float64) * 2 - 1)


def plain_evaluate(layers: Layers, points: Tensor) -> Tensor:
    """What FORMAT.md says, for autograd to differentiate."""
    hidden = points
    for layer in layers[:-1]:
        hidden = torch.cat([torch.sin(layer @ hidden), torch.ones_like(points[:1])])
    return layers[-1] @ hidden
