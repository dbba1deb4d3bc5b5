"""Sizes and crops that are asked for -> what is evaluated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sirencodec.bitstream.architecture import Architecture
from sirencodec.bitstream.header import Header
from sirencodec.bitstream.work import decoding_work
from sirencodec.errors import LimitError, ParameterError
from sirencodec.limits import Limits
from sirencodec.synthesis.coordinates import image_coordinates
from sirencodec.synthesis.region import Region, check_work, choose_region

HEADER = Header(300, 200, 8, Architecture(4, 1, 3, 30))
WIDTH, HEIGHT = 12, 8


def region_of(
    width: int, height: int, crop: tuple[float, float, float, float] = (0, 0, WIDTH, HEIGHT)
) -> Region:
    left, top, across, down = crop
    return Region(left, top, left + across, top + down, width, height, WIDTH, HEIGHT)


def chosen_size(**wishes: Any) -> tuple[int, int]:
    region = choose_region(HEADER, **wishes)
    return region.width, region.height


@pytest.mark.parametrize(
    ("wishes", "size"),
    [
        ({}, (300, 200)),
        ({"width": 150}, (150, 100)),
        ({"height": 50}, (75, 50)),
        ({"width": 100}, (100, 67)),
        ({"width": 1}, (1, 1)),
        ({"height": 1}, (2, 1)),
        ({"width": 7, "height": 900}, (7, 900)),
        ({"scale": 2}, (600, 400)),
        ({"scale": 0.5}, (150, 100)),
        ({"scale": 1e-9}, (1, 1)),
        ({"scale": 1.001}, (300, 200)),
        ({"crop": (0, 0, 30, 20)}, (30, 20)),
        ({"crop": (10.25, 3.5, 30.4, 20.6)}, (30, 21)),
        ({"crop": (0, 0, 0.001, 0.001)}, (1, 1)),
        ({"crop": (100, 100, 50, 25), "width": 400}, (400, 200)),
        ({"crop": (100, 100, 50, 25), "height": 400}, (800, 400)),
        ({"crop": (100, 100, 50, 25), "scale": 3}, (150, 75)),
        ({"crop": (100, 100, 50, 25), "width": 3, "height": 4}, (3, 4)),
        ({"crop": [0, 0, 300, 200]}, (300, 200)),
        ({"crop": (np.float32(0), 0, np.int64(300), 200), "width": np.int64(30)}, (30, 20)),
    ],
    ids=str,
)
def test_sizes(wishes: dict[str, Any], size: tuple[int, int]) -> None:
    assert chosen_size(**wishes) == size


def test_edges_of_a_crop() -> None:
    region = choose_region(HEADER, crop=(10.5, 20, 30, 40.25), width=8)
    assert (region.left, region.top, region.right, region.bottom) == (10.5, 20, 40.5, 60.25)
    assert (region.stored_width, region.stored_height) == (300, 200)


@pytest.mark.parametrize(
    "wishes",
    [
        {"width": 0},
        {"height": -1},
        {"width": 0, "height": 5},
        {"scale": 0},
        {"scale": -1.0},
        {"scale": float("nan")},
        {"scale": float("inf")},
        {"scale": 2, "width": 100},
        {"scale": 2, "height": 100},
        {"crop": (0, 0, 0, 10)},
        {"crop": (0, 0, 10, -10)},
        {"crop": (-1, 0, 10, 10)},
        {"crop": (0, 0, 301, 10)},
        {"crop": (290, 0, 11, 10)},
        {"crop": (0, 195, 10, 6)},
        {"crop": (0, 0, float("nan"), 10)},
        {"crop": (0, 0, float("inf"), 10)},
        {"crop": (0, 0, 10)},
        {"crop": ()},
    ],
    ids=str,
)
def test_wishes_that_make_no_sense(wishes: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        choose_region(HEADER, **wishes)


@pytest.mark.parametrize(
    ("wanted", "points"),
    [
        (region_of(12, 8), (1, 1)),
        (region_of(48, 9), (1, 1)),
        (region_of(6, 8), (2, 1)),
        (region_of(5, 3), (3, 3)),
        (region_of(1, 1), (12, 8)),
        (region_of(11, 7), (2, 2)),
        (region_of(3, 2, (0.1, 0.3, 3, 2)), (1, 1)),  # 3.1 - 0.1 is a little more than 3
        (region_of(1, 1, (5, 5, 1e-12, 1e-12)), (1, 1)),
        (region_of(2, 5, (1.5, 2, 3.5, 6)), (2, 2)),
    ],
)
def test_points_of_a_region(wanted: Region, points: tuple[int, int]) -> None:
    assert (wanted.points_across, wanted.points_down) == points
    assert wanted.num_points == wanted.width * wanted.height * points[0] * points[1]


def test_points_are_centres_of_equal_parts() -> None:
    whole = choose_region(HEADER)
    x, y = np.meshgrid(whole.x(), whole.y())
    np.testing.assert_array_equal(np.stack([x, y], -1).reshape(-1, 2), image_coordinates(300, 200))
    shrunk = choose_region(HEADER, crop=(150, 100, 150, 100), width=100)
    assert (len(shrunk.x()), len(shrunk.y())) == (200, 134)
    np.testing.assert_allclose(shrunk.x()[[0, -1]], [1 / 400, 1 - 1 / 400])


def test_work_is_that_of_all_points() -> None:
    region = choose_region(HEADER, width=30)
    needed = decoding_work(HEADER.architecture, 300 * 200, 0)
    check_work(HEADER, region, Limits(max_multiply_adds=needed), 0)
    with pytest.raises(LimitError, match="multiply adds"):
        check_work(HEADER, region, Limits(max_multiply_adds=needed - 1), 0)
    with pytest.raises(LimitError, match="multiply adds"):
        check_work(HEADER, region, Limits(max_multiply_adds=2 * needed), 0, exact=True)


@pytest.mark.parametrize(("width", "octave"), [(8, 3), (160, 3), (400, 1), (1000, 0)])
def test_small_sizes_of_large_pictures_leave_fine_grids_out(width: int, octave: int) -> None:
    """However few of a large picture's points are asked for each output pixel."""
    architecture = Architecture(4, 1, 3, 30, tuple(range(7)), 1)
    assert choose_region(Header(4032, 3008, 8, architecture), width=width).octave == octave
