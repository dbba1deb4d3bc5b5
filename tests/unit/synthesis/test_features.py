"""Latent grids as a function of position."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
import torch

from sirencodec.synthesis.features import CELL, FeatureField
from sirencodec.synthesis.refinement import LocalRefinement
from tests.unit.builders import (
    ALL_GRIDS,
    corrected,
    random_kernels,
    random_latents,
    random_refinement,
    upsampled,
)

Floats = npt.NDArray[np.float64]
pytestmark = pytest.mark.usefixtures("one_thread")
SIZES = [(1, 1), (7, 3), (CELL, CELL), (300, 150)]
GRIDS = [ALL_GRIDS, (0,), (6,), (2, 3), (1, 2), (0, 1)]


def field(
    width: int,
    height: int,
    grids: Sequence[int] = ALL_GRIDS,
    dtype: torch.dtype = torch.float64,
) -> FeatureField:
    latents = [torch.from_numpy(g).to(dtype) for g in random_latents(width, height, grids)]
    kernels = torch.from_numpy(random_kernels(grids[-1])).to(dtype)
    refinement = [torch.from_numpy(matrix).to(dtype) for matrix in random_refinement()]
    local = LocalRefinement(grids, refinement).matrices
    return FeatureField(latents, grids, kernels, local if len(local[1]) else [], width, height)


def rectangle(features: FeatureField, x: Floats, y: Floats) -> Floats:
    """Product of rising positions, cell by cell -> (features, len(y), len(x))."""
    result = np.full((len(features.exponents), len(y), len(x)), np.nan)
    for rows in features.cells(y, features.height, axis=0):
        for columns in features.cells(x, features.width, axis=1):
            block = features.rectangle(rows, columns).numpy()
            result[:, rows.positions, columns.positions] = block
    return result


def points(features: FeatureField, x: Floats, y: Floats) -> Floats:
    """The same, point by point."""
    across, down = np.meshgrid(x, y)
    values, _ = features.points(across.ravel(), down.ravel())
    return values.numpy().reshape(len(values), len(y), len(x))


def positions(size: int, seed: int = 0, count: int = 40) -> Floats:
    return np.sort(np.random.default_rng(seed).uniform(0, size, count))


def assert_close(ours: npt.ArrayLike, expected: npt.ArrayLike, atol: float = 1e-10) -> None:
    np.testing.assert_allclose(ours, expected, rtol=0, atol=atol)


@pytest.mark.parametrize("grids", GRIDS, ids=str)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_pixel_centres_have_the_refined_features(
    size: tuple[int, int], grids: tuple[int, ...]
) -> None:
    width, height = size
    features = field(width, height, grids)
    ours = rectangle(features, np.arange(width) + 0.5, np.arange(height) + 0.5)
    latents, kernels = random_latents(width, height, grids), random_kernels(grids[-1])
    plain = [
        upsampled(grid, kernels, exponent, width, height)
        for grid, exponent in zip(latents, grids, strict=True)
    ]
    expected = corrected(plain, grids, random_refinement())
    for feature, own, before, exponent in zip(ours, expected, plain, grids, strict=True):
        assert_close(feature, own)
        assert (np.abs(own - before).max() > 0.1) == (exponent < 2), "else this tells little"


def test_all_of_a_cell_is_refined_whatever_is_asked() -> None:
    """A part of the image, in the middle or at an edge, sees the neighbours it does not show."""
    features, (x, y) = field(300, 150), (np.arange(side) + 0.5 for side in (300, 150))
    whole = rectangle(features, x, y)
    for left, right in ((0, 1), (126, 130), (127, 128), (128, 129), (299, 300), (5, 260)):
        for top, bottom in ((0, 2), (127, 129), (149, 150)):
            part = rectangle(features, x[left:right], y[top:bottom])
            assert_close(part, whole[:, top:bottom, left:right])


@pytest.mark.parametrize("grids", GRIDS, ids=str)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_rectangle_is_its_points(size: tuple[int, int], grids: tuple[int, ...]) -> None:
    features = field(*size, grids)
    x, y = positions(size[0]), positions(size[1], seed=1)
    assert_close(rectangle(features, x, y), points(features, x, y))


def test_points_come_in_any_order() -> None:
    features = field(140, 50)
    generator = np.random.default_rng(0)
    x, y = generator.uniform(-20, 160, 500), generator.uniform(-20, 70, 500)
    values, slopes = features.points(x, y)
    order = generator.permutation(500)
    shuffled, shuffled_slopes = features.points(x[order], y[order])
    assert_close(shuffled, values[:, order])
    assert_close(shuffled_slopes, slopes[:, :, order])
    single, _ = features.points(x[7:8], y[7:8])
    assert_close(single[:, 0], values[:, 7])


def test_no_points() -> None:
    values, slopes = field(9, 9).points(np.empty(0), np.empty(0))
    assert (values.shape, slopes.shape) == ((7, 0), (2, 7, 0))


def test_values_and_slopes_are_continuous() -> None:
    """At pixel centres and edges, and where one cell ends and the next begins."""
    features = field(300, 150)
    edges = np.array([0.5, 1.0, 77.5, CELL - 0.5, CELL, CELL + 0.5, 2 * CELL, 299.5])
    x, y = np.concatenate([edges - 1e-9, edges + 1e-9]), np.full(16, 60.3)
    values, slopes = features.points(x, y)
    assert_close(values[:, :8], values[:, 8:], 1e-6)
    assert_close(slopes[:, :, :8], slopes[:, :, 8:], 1e-6)
    lines = rectangle(features, np.sort(x), y[:1])[:, 0]
    assert_close(lines[:, ::2], lines[:, 1::2], 1e-6)
    lines = rectangle(features, y[:1], np.array([CELL - 1e-9, CELL + 1e-9]))[:, :, 0]
    assert_close(lines[:, 0], lines[:, 1], 1e-6)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_slopes_are_those_of_finite_differences(size: tuple[int, int]) -> None:
    generator, step = np.random.default_rng(0), 1e-6
    x, y = (generator.uniform(0.01, side - 0.01, 60) for side in size)
    offsets = step * np.array([[0, 1, -1, 0, 0], [0, 0, 0, 1, -1]])
    around_x, around_y = ((p + o[:, None]).ravel() for p, o in zip((x, y), offsets, strict=True))
    values, slopes = field(*size).points(around_x, around_y)
    right, left, below, above = values.numpy().reshape(7, 5, 60).swapaxes(0, 1)[1:]
    assert_close(slopes[0, :, :60], (right - left) / (2 * step), 1e-6)
    assert_close(slopes[1, :, :60], (below - above) / (2 * step), 1e-6)


def test_waves_and_constants_go_on_between_pixels() -> None:
    """Waves of four pixels are kept within 3 %; cubic convolution loses 12 % of them half-way."""
    across, down = np.arange(64) + 0.5, np.arange(20) + 0.5
    wave = np.broadcast_to(np.cos(across * np.pi / 2), (20, 64))
    constant = np.ones((20, 64))
    no_kernels = torch.empty(0, 4, dtype=torch.float64)
    for samples, x, expected in (
        (wave, across[8:-8] + 0.5, np.cos((across[8:-8] + 0.5) * np.pi / 2)),
        (constant, positions(64), np.ones(40)),
    ):
        grid = torch.from_numpy(samples.copy())
        features = FeatureField([grid], [0], no_kernels, [], 64, 20)
        ours = rectangle(features, x, down[5:-5])[0]
        assert_close(ours, np.broadcast_to(expected, ours.shape), 0.03)


def test_beyond_the_edges_nothing_changes() -> None:
    features = field(30, 20)
    x = np.array([-5.0, 0.0, 35.0, 30.0, 7.0, 7.0, 7.0, 7.0])
    y = np.array([6.0, 6.0, 6.0, 6.0, -1.0, 0.0, 1e6, 20.0])
    values, slopes = features.points(x, y)
    assert_close(values[:, ::2], values[:, 1::2])
    outside = slopes[:, :, ::2].numpy()
    assert not outside[0, :, :2].any()
    assert not outside[1, :, 2:].any()
    assert outside[1, :, :2].any(), "along the edge it goes on"
    assert_close(
        rectangle(features, np.sort(x), np.sort(y)), points(features, np.sort(x), np.sort(y))
    )


def test_single_precision_is_close() -> None:
    single = field(300, 150, dtype=torch.float32)
    x, y = positions(300), positions(150)
    assert_close(rectangle(single, x, y), rectangle(field(300, 150), x, y), 1e-4)
