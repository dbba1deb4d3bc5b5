"""Regions and points -> values: the same whatever the strips and chunks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from sirencodec import query
from sirencodec.architecture import Architecture
from sirencodec.grid import grid_coordinates, image_coordinates, pixel_centres
from sirencodec.query import Region, query_jacobian, query_points, query_strips, to_samples
from sirencodec.siren import initial_layers

WIDTH, HEIGHT = 12, 8


@pytest.fixture(scope="module")
def layers() -> list[Tensor]:
    """A network of three channels, in double precision so that only the method makes errors."""
    generator = torch.Generator().manual_seed(0)
    return [
        layer.double() for layer in initial_layers(Architecture(9, 2, 3, 20), (1, 1), generator)
    ]


def region(
    width: int, height: int, crop: tuple[float, float, float, float] = (0, 0, WIDTH, HEIGHT)
) -> Region:
    left, top, across, down = crop
    return Region(left, top, left + across, top + down, width, height, WIDTH, HEIGHT)


def sample(layers: Sequence[Tensor], wanted: Region) -> npt.NDArray[np.float64]:
    return np.concatenate(list(query_strips(layers, wanted)))


def stored(layers: Sequence[Tensor]) -> npt.NDArray[np.float64]:
    """The values at the stored pixels, by the shortest way there is."""
    values = query_points(layers, image_coordinates(WIDTH, HEIGHT)).numpy()
    return values.T.reshape(HEIGHT, WIDTH, 3)


def assert_close(ours: npt.NDArray[Any], expected: npt.NDArray[Any]) -> None:
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-11)


# Regions ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "points"),
    [
        (region(12, 8), (1, 1)),
        (region(48, 9), (1, 1)),
        (region(6, 8), (2, 1)),
        (region(5, 3), (3, 3)),
        (region(1, 1), (12, 8)),
        (region(11, 7), (2, 2)),
        (region(3, 2, (0.1, 0.3, 3, 2)), (1, 1)),  # 3.1 - 0.1 is a little more than 3
        (region(1, 1, (5, 5, 1e-12, 1e-12)), (1, 1)),
        (region(2, 5, (1.5, 2, 3.5, 6)), (2, 2)),
    ],
)
def test_points_of_a_region(wanted: Region, points: tuple[int, int]) -> None:
    assert (wanted.points_across, wanted.points_down) == points
    assert wanted.num_points == wanted.width * wanted.height * points[0] * points[1]


def test_stored_size_is_the_function_at_the_stored_pixels(layers: list[Tensor]) -> None:
    assert_close(sample(layers, region(WIDTH, HEIGHT)), stored(layers))


@pytest.mark.parametrize(("width", "height"), [(4, 4), (6, 8), (12, 1), (1, 1), (3, 2)])
def test_shrinking_averages_the_stored_pixels(
    layers: list[Tensor], width: int, height: int
) -> None:
    """Where a cell covers whole pixels, its sub-cells are these pixels."""
    cells = stored(layers).reshape(height, HEIGHT // height, width, WIDTH // width, 3)
    assert_close(sample(layers, region(width, height)), cells.mean((1, 3)))


def test_shrinking_by_a_fraction_averages_smaller_cells(layers: list[Tensor]) -> None:
    x, y = pixel_centres(0, WIDTH, WIDTH, 5 * 3), pixel_centres(0, HEIGHT, HEIGHT, 3 * 3)
    values = query_points(layers, grid_coordinates(x, y)).numpy().T.reshape(3, 3, 5, 3, 3)
    assert_close(sample(layers, region(5, 3)), values.mean((1, 3)))


def test_enlarging_samples_the_function_between_the_pixels(layers: list[Tensor]) -> None:
    values = query_points(layers, image_coordinates(40, 30)).numpy().T.reshape(30, 40, 3)
    assert_close(sample(layers, region(40, 30)), values)


def test_one_axis_may_shrink_while_the_other_grows(layers: list[Tensor]) -> None:
    tall = sample(layers, region(WIDTH, 50))
    assert_close(sample(layers, region(4, 50)), tall.reshape(50, 4, 3, 3).mean(2))


def test_a_crop_is_part_of_the_whole(layers: list[Tensor]) -> None:
    whole = sample(layers, region(WIDTH, HEIGHT))
    assert_close(sample(layers, region(5, 4, (3, 2, 5, 4))), whole[2:6, 3:8])
    large = sample(layers, region(4 * WIDTH, 4 * HEIGHT))
    assert_close(sample(layers, region(6, 10, (1.25, 2.5, 1.5, 2.5))), large[10:20, 5:11])


# Strips and chunks -----------------------------------------------------------------------------

REGIONS = [
    region(12, 8),
    region(31, 17),
    region(5, 3),
    region(1, 1),
    region(2, 8, (0.5, 0, 11, 7.5)),
]


@pytest.mark.parametrize("wanted", REGIONS, ids=lambda r: f"{r.width}x{r.height}")
@pytest.mark.parametrize("strip_points", [1, 10, 24, 100, 1000])
def test_strips_do_not_show(
    layers: list[Tensor], wanted: Region, strip_points: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where a single row takes more points than a strip may have."""
    expected = sample(layers, wanted)
    monkeypatch.setattr(query, "STRIP_POINTS", strip_points)
    strips = list(query_strips(layers, wanted))
    assert_close(np.concatenate(strips), expected)
    points_per_row = wanted.num_points // wanted.height
    assert all(len(strip) * points_per_row <= max(strip_points, points_per_row) for strip in strips)


@pytest.mark.parametrize("chunk_points", [1, 5, 96, 97])
def test_chunks_do_not_show(
    layers: list[Tensor], chunk_points: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    coordinates = image_coordinates(WIDTH, HEIGHT)
    values, jacobian = query_points(layers, coordinates), query_jacobian(layers, coordinates)
    monkeypatch.setattr(query, "CPU_CHUNK_POINTS", chunk_points)
    assert_close(query_points(layers, coordinates).numpy(), values.numpy())
    assert_close(query_jacobian(layers, coordinates).numpy(), jacobian.numpy())


def test_no_points(layers: list[Tensor]) -> None:
    assert query_points(layers, np.empty((0, 2))).shape == (3, 0)
    assert query_jacobian(layers, np.empty((0, 2))).shape == (2, 3, 0)


def test_threads_are_as_they_were(layers: list[Tensor]) -> None:
    before = torch.get_num_threads()
    query_points(layers, image_coordinates(100, 100))
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
