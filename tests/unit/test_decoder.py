"""Sizes, crops and limits of a decode."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sirencodec
from sirencodec.bitstream.architecture import Architecture
from sirencodec.bitstream.container import Header
from sirencodec.decoder import choose_region
from sirencodec.errors import CorruptError, LimitError, ParameterError
from sirencodec.limits import Limits
from tests.paths import VALID

PHOTOGRAPH, METADATA = VALID / "photograph.siren", VALID / "metadata.siren"
HEADER = Header(300, 200, 8, Architecture(4, 1, 3, 30))


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
    "wishes",
    [
        {"scale": 1e308},
        {"width": 10**400},
        {"height": 10**9},
        {"crop": (0, 0, 1e-320, 10), "width": 4},
        {"width": 2**21, "height": 1},
        {"width": 2**15, "height": 2**14},
    ],
    ids=["scale", "width", "height", "crop", "long row", "pixels"],
)
def test_sizes_beyond_the_limits(wishes: dict[str, Any]) -> None:
    with pytest.raises(LimitError):
        sirencodec.decode(PHOTOGRAPH, **wishes)


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("max_file_bytes", PHOTOGRAPH.stat().st_size),
        ("max_side_pixels", 80),
        ("max_pixels", 80 * 60),
        ("max_parameters", sirencodec.read_info(PHOTOGRAPH).num_parameters),
        ("max_multiply_adds", 80 * 60 * sirencodec.read_info(PHOTOGRAPH).num_parameters),
    ],
)
def test_limits_are_what_is_allowed(name: str, needed: int) -> None:
    wanted = {"width": 80, "height": 60}
    assert sirencodec.decode(PHOTOGRAPH, **wanted, limits=Limits(**{name: needed})).width == 80
    with pytest.raises(LimitError, match=name.removeprefix("max_").replace("_", " ")):
        sirencodec.decode(PHOTOGRAPH, **wanted, limits=Limits(**{name: needed - 1}))


def test_shrinking_pays_for_all_points() -> None:
    """A thumbnail is small, but looks at every stored pixel."""
    num_parameters = sirencodec.read_info(PHOTOGRAPH).num_parameters
    with pytest.raises(LimitError, match="multiply adds"):
        sirencodec.decode(
            PHOTOGRAPH, width=4, limits=Limits(max_multiply_adds=40 * 30 * num_parameters - 1)
        )


def test_limit_of_the_metadata() -> None:
    metadata = sirencodec.decode(METADATA).metadata
    contents = (metadata.icc_profile, metadata.exif, metadata.xmp)
    needed = sum(len(content or b"") for content in contents) + 4  # lengths of the blocks
    limits = Limits(max_metadata_bytes=needed)
    assert sirencodec.decode(METADATA, limits=limits).metadata == metadata
    limits = Limits(max_metadata_bytes=needed - 1)
    with pytest.raises(LimitError, match="metadata bytes"):
        sirencodec.decode(METADATA, limits=limits)
    assert not sirencodec.decode(METADATA, limits=limits, strip=True).metadata


def test_a_crop_is_part_of_the_whole() -> None:
    whole = sirencodec.decode(PHOTOGRAPH, exact=True).samples
    crop = sirencodec.decode(PHOTOGRAPH, exact=True, crop=(5, 7, 20, 11)).samples
    np.testing.assert_array_equal(crop, whole[7:18, 5:25])


def test_single_precision_is_within_a_level() -> None:
    single = sirencodec.decode(PHOTOGRAPH, width=200).samples.astype(int)
    double = sirencodec.decode(PHOTOGRAPH, width=200, exact=True).samples
    assert np.abs(single - double).max() <= 1


def test_an_unknown_device() -> None:
    with pytest.raises(ParameterError, match="device"):
        sirencodec.decode(PHOTOGRAPH, device="abacus")


def test_errors_name_the_place() -> None:
    data = bytearray(PHOTOGRAPH.read_bytes())
    data[6] = 0
    with pytest.raises(
        CorruptError, match=r"0 is outside 1 to 65535 \(width at byte 6\)"
    ) as raised:
        sirencodec.decode(bytes(data))
    assert (raised.value.offset, raised.value.field) == (6, "width")
