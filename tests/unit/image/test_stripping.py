"""Metadata that goes, and a picture that looks as before."""

import numpy as np
import pytest
from PIL import ImageOps

from sirencodec.image.files import to_pillow
from sirencodec.image.image import Image
from sirencodec.image.metadata import Metadata
from sirencodec.image.stripping import strip_image
from sirencodec.image.turning import turn_upright
from tests.paths import ROOT
from tests.unit.image.builders import SRGB, XMP, make_exif, make_image, make_samples

P3 = (ROOT / "tests" / "display-p3.icc").read_bytes()
# CSS Color 4, 18: linear Display P3 to XYZ to linear sRGB.
P3_TO_SRGB = np.array([[1.2249, -0.2247, 0], [-0.0420, 1.0419, 0], [-0.0197, -0.0786, 1.0979]])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turning_does_what_viewers_do(orientation: int) -> None:
    image = make_image("RGB", Metadata(exif=make_exif(orientation=orientation)))
    expected = np.asarray(ImageOps.exif_transpose(to_pillow(image)))
    assert np.array_equal(turn_upright(image.samples, orientation), expected)
    for what in ("all", "exif"):
        stripped, notes = strip_image(image, what)
        assert np.array_equal(stripped.samples, expected)
        assert stripped.metadata == Metadata()
        assert notes == []


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colours_are_converted_when_their_profile_goes(mode: str) -> None:
    samples = np.zeros((2, 2, len(mode)), np.uint8) + 255
    samples[:, :, :3] = (180, 120, 100)
    stripped, notes = strip_image(Image(samples, Metadata(icc_profile=P3)), "all")
    linear = (np.array([180, 120, 100]) / 255) ** 2.2
    expected = 255 * (P3_TO_SRGB @ linear) ** (1 / 2.2)
    assert np.abs(stripped.samples[0, 0, :3] - expected).max() <= 2
    assert np.abs(expected - (180, 120, 100)).max() > 5
    assert (stripped.samples[:, :, 3:] == 255).all()
    assert stripped.metadata == Metadata()
    assert notes == ["colours were converted from Display P3 to sRGB"]


def test_rows_are_converted_alike() -> None:
    """Of a picture large enough to be converted in parts, turned or not."""
    line = np.random.default_rng(0).integers(0, 256, (1, 1024, 3), np.uint8)
    for exif in (None, make_exif(orientation=3)):
        image = Image(np.repeat(line, 1030, axis=0), Metadata(icc_profile=P3, exif=exif))
        before = image.samples.copy()
        stripped, _ = strip_image(image, "all")
        assert (stripped.samples == stripped.samples[:1]).all()
        assert not np.array_equal(stripped.samples, before)
        assert np.array_equal(image.samples, before)


def test_srgb_is_what_is_assumed_without_a_profile() -> None:
    image = make_image("RGB", Metadata(icc_profile=SRGB))
    stripped, notes = strip_image(image, "all")
    assert np.array_equal(stripped.samples, image.samples)
    assert (stripped.metadata, notes) == (Metadata(), [])


def test_colours_of_16_bits_keep_their_profile() -> None:
    image = make_image("RGB;16", Metadata(icc_profile=P3, xmp=XMP))
    stripped, notes = strip_image(image, "all")
    assert np.array_equal(stripped.samples, image.samples)
    assert stripped.metadata == Metadata(icc_profile=P3)
    assert "was kept" in notes[0]


def test_a_damaged_profile_goes_with_a_word() -> None:
    image = make_image("RGB", Metadata(icc_profile=b"nonsense" * 30))
    stripped, notes = strip_image(image, "all")
    assert np.array_equal(stripped.samples, image.samples)
    assert stripped.metadata == Metadata()
    assert notes == ["the ICC profile is damaged; colours were not converted"]


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_gray_stays_gray(mode: str) -> None:
    image = make_image(mode, Metadata(icc_profile=P3))  # which does not fit, and so is no use
    stripped, _ = strip_image(image, "all")
    assert stripped.mode == mode
    assert stripped.metadata == Metadata()


def test_exif_and_location_go_alone() -> None:
    metadata = Metadata(SRGB, make_exif(), XMP)
    image = Image(make_samples("RGB"), metadata)
    assert strip_image(image, "exif")[0].metadata == Metadata(icc_profile=SRGB)
    without, notes = strip_image(image, "location")
    assert without.metadata.icc_profile == SRGB
    assert without.metadata.xmp == XMP
    exif = without.metadata.exif
    assert exif is not None
    assert exif != metadata.exif
    assert notes == []


def test_damaged_exif_goes_with_its_location() -> None:
    image = make_image("RGB", Metadata(exif=b"MM\0*\xff\xff\xff\xff"))
    without, notes = strip_image(image, "location")
    assert without.metadata.exif is None
    assert "damaged" in notes[0]
