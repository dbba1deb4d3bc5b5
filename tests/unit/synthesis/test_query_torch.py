"""Regions and points -> values: the same whatever the strips and chunks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from sirencodec.bitstream.architecture import Architecture
from sirencodec.fitting.start import initial_layers
from sirencodec.synthesis.coordinates import grid_coordinates, image_coordinates, pixel_centres
from sirencodec.synthesis.features import FeatureField
from sirencodec.synthesis.query_numpy import to_samples
from sirencodec.synthesis.query_torch import (
    CPU_CHUNK_POINTS,
    FIELD_CHUNK_POINTS,
    query_jacobian,
    query_points,
    query_strips,
)
from sirencodec.synthesis.region import Region
from sirencodec.synthesis.torch_picture import TorchPicture
from tests.unit.builders import ALL_GRIDS, random_kernels, random_latents, random_refinement

WIDTH, HEIGHT = 12, 8
Query = Callable[[TorchPicture, npt.NDArray[np.float64]], torch.Tensor]


@pytest.fixture(scope="module", params=["pure", "pyramid"])
def network(request: pytest.FixtureRequest) -> TorchPicture:
    """A network of three channels, in double precision so that only the method makes errors."""
    generator = torch.Generator().manual_seed(0)
    layers = initial_layers(Architecture(9, 2, 3, 20), (1, 1), generator)
    layers = [layer.double() for layer in layers]
    if request.param == "pure":
        return TorchPicture(layers)
    grids = [torch.from_numpy(grid).double() for grid in random_latents(WIDTH, HEIGHT)]
    kernels = torch.from_numpy(random_kernels(6))
    weights = torch.randn(9, len(grids), generator=generator, dtype=torch.float64) / 5
    layers[0] = torch.cat([layers[0][:, :2], weights, layers[0][:, 2:]], 1)
    refinement = [torch.from_numpy(matrix) for matrix in random_refinement()]
    return TorchPicture(layers, FeatureField(grids, ALL_GRIDS, kernels, refinement, WIDTH, HEIGHT))


def region(
    width: int, height: int, crop: tuple[float, float, float, float] = (0, 0, WIDTH, HEIGHT)
) -> Region:
    left, top, across, down = crop
    return Region(left, top, left + across, top + down, width, height, WIDTH, HEIGHT)


def sample(network: TorchPicture, wanted: Region) -> npt.NDArray[np.float64]:
    return np.concatenate(list(query_strips(network, wanted)))


def stored(network: TorchPicture) -> npt.NDArray[np.float64]:
    """The values at the stored pixels, by the shortest way there is."""
    values = query_points(network, image_coordinates(WIDTH, HEIGHT)).numpy()
    return values.T.reshape(HEIGHT, WIDTH, 3)


def assert_close(ours: npt.NDArray[Any], expected: npt.NDArray[Any]) -> None:
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-11)


# Regions ---------------------------------------------------------------------------------------


def test_stored_size_is_the_function_at_the_stored_pixels(network: TorchPicture) -> None:
    assert_close(sample(network, region(WIDTH, HEIGHT)), stored(network))


@pytest.mark.parametrize(("width", "height"), [(4, 4), (6, 8), (12, 1), (1, 1), (3, 2)])
def test_shrinking_averages_the_stored_pixels(
    network: TorchPicture, width: int, height: int
) -> None:
    """Where a cell covers whole pixels, its sub-cells are these pixels."""
    cells = stored(network).reshape(height, HEIGHT // height, width, WIDTH // width, 3)
    assert_close(sample(network, region(width, height)), cells.mean((1, 3)))


def test_shrinking_by_a_fraction_averages_smaller_cells(network: TorchPicture) -> None:
    x, y = pixel_centres(0, WIDTH, WIDTH, 5 * 3), pixel_centres(0, HEIGHT, HEIGHT, 3 * 3)
    values = query_points(network, grid_coordinates(x, y)).numpy().T.reshape(3, 3, 5, 3, 3)
    assert_close(sample(network, region(5, 3)), values.mean((1, 3)))


def test_enlarging_samples_the_function_between_the_pixels(network: TorchPicture) -> None:
    values = query_points(network, image_coordinates(40, 30)).numpy().T.reshape(30, 40, 3)
    assert_close(sample(network, region(40, 30)), values)


def test_one_axis_may_shrink_while_the_other_grows(network: TorchPicture) -> None:
    tall = sample(network, region(WIDTH, 50))
    assert_close(sample(network, region(4, 50)), tall.reshape(50, 4, 3, 3).mean(2))


def test_a_crop_is_part_of_the_whole(network: TorchPicture) -> None:
    whole = sample(network, region(WIDTH, HEIGHT))
    assert_close(sample(network, region(5, 4, (3, 2, 5, 4))), whole[2:6, 3:8])
    large = sample(network, region(4 * WIDTH, 4 * HEIGHT))
    assert_close(sample(network, region(6, 10, (1.25, 2.5, 1.5, 2.5))), large[10:20, 5:11])


# Strips and chunks -----------------------------------------------------------------------------

REGIONS = [
    region(12, 8),
    region(31, 17),
    region(5, 3),
    region(1, 1),
    region(2, 8, (0.5, 0, 11, 7.5)),
]


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("wanted", REGIONS, ids=lambda r: f"{r.width}x{r.height}")
@pytest.mark.parametrize("strip_points", [1, 10, 24, 100, 1000])
def test_strips_do_not_show(network: TorchPicture, wanted: Region, strip_points: int) -> None:
    """Not even where a single row takes more points than a strip may have."""
    expected = sample(network, wanted)
    strips = list(query_strips(network, wanted, strip_points))
    assert_close(np.concatenate(strips), expected)
    points_per_row = wanted.num_points // wanted.height
    assert all(len(strip) * points_per_row <= max(strip_points, points_per_row) for strip in strips)


@pytest.mark.parametrize("query", [query_points, query_jacobian])
def test_chunks_do_not_show(network: TorchPicture, query: Query) -> None:
    """Of more points than are asked at a time, those around the end of a chunk."""
    chunk = CPU_CHUNK_POINTS if network.field is None else FIELD_CHUNK_POINTS
    coordinates = np.random.default_rng(0).uniform(-1, 1, (chunk + 3, 2))
    together = query(network, coordinates)
    assert together.shape[-1] == len(coordinates)
    for part in (slice(0, 2), slice(chunk - 2, chunk + 3)):
        alone = query(network, coordinates[part])
        assert_close(together[..., part].numpy(), alone.numpy())


def test_jacobian_is_that_of_finite_differences(network: TorchPicture) -> None:
    coordinates = np.random.default_rng(0).uniform(-0.99, 0.99, (50, 2))
    step = 1e-6
    for axis, offset in enumerate(([step, 0], [0, step])):
        ahead, behind = (
            query_points(network, coordinates + side * np.array(offset)).numpy() for side in (1, -1)
        )
        jacobian = query_jacobian(network, coordinates)[axis].numpy()
        np.testing.assert_allclose(jacobian, (ahead - behind) / (2 * step), rtol=1e-5, atol=1e-6)


def test_no_points(network: TorchPicture) -> None:
    assert query_points(network, np.empty((0, 2))).shape == (3, 0)
    assert query_jacobian(network, np.empty((0, 2))).shape == (2, 3, 0)


def test_threads_are_as_they_were(network: TorchPicture) -> None:
    before = torch.get_num_threads()
    query_points(network, image_coordinates(100, 100))
    assert torch.get_num_threads() == before


# Samples ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (-5.0, 0),
        (0.0, 0),
        (0.49 / 255, 0),
        (0.5 / 255, 1),
        (254.5 / 255, 255),
        (1.0, 255),
        (9, 255),
    ],
)
def test_samples_of_8_bits(value: float, expected: int) -> None:
    samples = to_samples(np.full((1, 1, 1), value), 8)
    assert samples.dtype == np.uint8
    assert samples.item() == expected


@pytest.mark.parametrize(("value", "expected"), [(-1, 0), (0.5, 32768), (1 / 65535, 1), (2, 65535)])
def test_samples_of_16_bits(value: float, expected: int) -> None:
    samples = to_samples(np.full((1, 1, 1), value), 16)
    assert samples.dtype == np.uint16
    assert samples.item() == expected
