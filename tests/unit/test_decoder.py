"""Limits, crops, precision and errors of a decode."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sirencodec
from sirencodec.errors import CorruptError, LimitError, ParameterError, SirenCodecWarning
from sirencodec.limits import Limits
from tests.paths import VALID

PHOTOGRAPH, METADATA = VALID / "photograph.siren", VALID / "metadata.siren"


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
        ("max_multiply_adds", 80 * 60 * sirencodec.read_info(PHOTOGRAPH).multiply_adds_per_pixel),
    ],
)
def test_limits_are_what_is_allowed(name: str, needed: int) -> None:
    wanted = {"width": 80, "height": 60}
    assert sirencodec.decode(PHOTOGRAPH, **wanted, limits=Limits(**{name: needed})).width == 80
    with pytest.raises(LimitError, match=name.removeprefix("max_").replace("_", " ")):
        sirencodec.decode(PHOTOGRAPH, **wanted, limits=Limits(**{name: needed - 1}))


def test_shrinking_pays_for_all_points() -> None:
    """A thumbnail is small, but looks at every stored pixel."""
    needed = 40 * 30 * sirencodec.read_info(PHOTOGRAPH).multiply_adds_per_pixel
    with pytest.raises(LimitError, match="multiply adds"):
        sirencodec.decode(PHOTOGRAPH, width=4, limits=Limits(max_multiply_adds=needed - 1))


def test_limit_of_the_metadata() -> None:
    metadata = sirencodec.decode(METADATA).metadata
    contents = (metadata.icc_profile, metadata.exif, metadata.xmp)
    needed = sum(len(content or b"") for content in contents) + 4  # lengths of the blocks
    limits = Limits(max_metadata_bytes=needed)
    assert sirencodec.decode(METADATA, limits=limits).metadata == metadata
    limits = Limits(max_metadata_bytes=needed - 1)
    with pytest.raises(LimitError, match="metadata bytes"):
        sirencodec.decode(METADATA, limits=limits)
    with pytest.warns(SirenCodecWarning, match="as stored"):
        stripped = sirencodec.decode(METADATA, limits=limits, strip=True)
    assert not stripped.metadata


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
