"""Limits, crops, precision and errors of a decode."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import sirencodec
from sirencodec.bitstream.format import METADATA_FLAG
from sirencodec.bitstream.metadata_section import write_metadata
from sirencodec.errors import CorruptError, LimitError, ParameterError, SirenCodecWarning
from sirencodec.image.metadata import Metadata
from sirencodec.image.turning import turn_upright
from sirencodec.limits import Limits
from tests.broken_files import join, take_apart
from tests.paths import VALID
from tests.unit.image.builders import make_exif

PHOTOGRAPH, METADATA = VALID / "photograph.siren", VALID / "metadata.siren"
GRAY = VALID / "gray-4x4.siren"


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


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("exact", [False, True])
def test_a_stripped_picture_is_turned_upright(orientation: int, exact: bool) -> None:
    """Of a size that is painted in bands."""
    parts = take_apart(GRAY.read_bytes())
    metadata = Metadata(exif=make_exif(orientation=orientation))
    section, flags = write_metadata(metadata), parts.flags | METADATA_FLAG
    data = join(replace(parts, metadata=section, flags=flags))
    wishes: dict[str, Any] = {"width": 2100, "height": 2 if exact else 2051, "exact": exact}
    as_stored = sirencodec.decode(data, **wishes)
    assert as_stored.metadata.exif == metadata.exif
    located = sirencodec.decode(data, strip="location", **wishes)
    np.testing.assert_array_equal(located.samples, as_stored.samples)
    for what in ("exif", "all"):
        stripped = sirencodec.decode(data, strip=what, **wishes)
        np.testing.assert_array_equal(
            stripped.samples, turn_upright(as_stored.samples, orientation)
        )
        assert not stripped.metadata
