"""Kernels -> matrices: the same as doubling again and again."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sirencodec.synthesis.refinement import HALO
from sirencodec.synthesis.upsampling import (
    CUBIC_KERNEL,
    MARGIN,
    kernels_gradient,
    upsampling_matrices,
)
from tests.unit.builders import double, random_kernels

OCTAVES = 6


def matrices(kernels: np.ndarray, tile: int = 128) -> list[torch.Tensor]:
    return upsampling_matrices(torch.from_numpy(kernels), tile)


@pytest.mark.parametrize("tile", [64, 128, 256])
def test_shapes(tile: int) -> None:
    shapes = [tuple(matrix.shape) for matrix in matrices(random_kernels(OCTAVES), tile)]
    assert shapes == [(tile + 2 * HALO, (tile >> k) + 2 * MARGIN) for k in range(1, OCTAVES + 1)]
    assert matrices(np.empty((0, 4))) == []


def test_constant_grids_stay_constant() -> None:
    """Under kernels that sum to 1, as the one does that learning starts from."""
    assert sum(CUBIC_KERNEL) == 1
    kernels = random_kernels(OCTAVES)
    kernels /= kernels.sum(1, keepdims=True)
    for matrix in matrices(kernels):
        sums = matrix.sum(1)
        torch.testing.assert_close(sums, torch.ones_like(sums))


@pytest.mark.parametrize("octaves", range(1, OCTAVES + 1))
def test_matrices_are_repeated_doublings(octaves: int) -> None:
    """Whatever lies beyond the margin: samples further out do not reach the tile and its halo."""
    kernels, generator = random_kernels(OCTAVES), np.random.default_rng(octaves)
    tile, border = 64, 16
    samples = generator.normal(size=(tile >> octaves) + 2 * border)
    fine, before = samples, border
    for kernel in kernels[:octaves][::-1]:
        fine = double(fine, kernel)
        before = 2 * (before - 2)
    near = samples[border - MARGIN : len(samples) - border + MARGIN]
    ours = matrices(kernels, tile)[octaves - 1].numpy() @ near
    np.testing.assert_allclose(ours, fine[before - HALO : before + tile + HALO], rtol=0, atol=1e-12)


def test_mirrored_samples_make_a_mirrored_feature() -> None:
    for matrix in matrices(random_kernels(OCTAVES)):
        torch.testing.assert_close(matrix.flip(0, 1), matrix)


def test_a_smaller_tile_is_the_start_of_a_larger_one() -> None:
    kernels = random_kernels(OCTAVES)
    for small, large in zip(matrices(kernels, 64), matrices(kernels, 192), strict=True):
        torch.testing.assert_close(large[: len(small), : small.shape[1]], small)
        assert not large[: len(small), small.shape[1] :].any()


def test_gradient_with_respect_to_the_kernels() -> None:
    kernels = torch.from_numpy(random_kernels(3)).requires_grad_()
    made = upsampling_matrices(kernels, 16)
    slopes = [torch.sin(torch.arange(m.numel(), dtype=m.dtype)).view_as(m) for m in made]
    expected = torch.autograd.grad(made, [kernels], slopes)[0]
    with torch.no_grad():
        torch.testing.assert_close(kernels_gradient(kernels, 16, made, slopes), expected)
