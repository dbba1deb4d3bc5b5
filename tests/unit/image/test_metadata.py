"""Metadata: ICC profile, EXIF and XMP, any of them absent."""

import pytest

from sirencodec.errors import ParameterError
from sirencodec.image.metadata import Metadata


@pytest.mark.parametrize("part", ["icc_profile", "exif", "xmp"])
def test_metadata_is_true_if_any_part_is_there(part: str) -> None:
    assert not Metadata()
    assert Metadata(**{part: b"x"})
    assert Metadata(**{part: b""}) == Metadata()
    with pytest.raises(ParameterError, match=part):
        Metadata(**{part: "text"})  # type: ignore[arg-type]


def test_exif_loses_the_marker_of_jpeg() -> None:
    assert Metadata(exif=b"Exif\0\0MM").exif == b"MM"
    assert Metadata(exif=b"Exif\0\0Exif\0\0II").exif == b"II"
    assert Metadata(exif=b"Exif\0\0") == Metadata()
