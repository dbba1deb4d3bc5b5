"""Metadata in files of each format: what comes back, what is left out and said so."""

from typing import Any

import numpy as np
import PIL.Image
import pytest
from PIL import ImageCms

from sirencodec.errors import ConversionWarning
from sirencodec.image.files import from_pillow, read_image, to_pillow
from sirencodec.image.metadata import Metadata
from tests.unit.image.builders import (
    HEIGHT,
    SRGB,
    WIDTH,
    XMP,
    make_exif,
    make_image,
    make_palette_image,
    messages,
    save,
    written,
)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", [None, 6])
def test_metadata_comes_back_byte_for_byte(file_format: str, orientation: int | None) -> None:
    exif = make_exif(orientation=orientation) if orientation else make_exif()
    metadata = Metadata(SRGB, exif, XMP)
    back = read_image(written(make_image("RGB", metadata), file_format))
    assert back.metadata == metadata
    assert (back.width, back.height) == (WIDTH, HEIGHT)  # not turned


def tags_of(exif: bytes | None) -> dict[int, Any]:
    assert exif is not None
    tags = PIL.Image.Exif()
    tags.load(exif)
    return {0x010F: tags[0x010F], 0x8769: tags.get_ifd(0x8769), 0x8825: tags.get_ifd(0x8825)}


def test_metadata_comes_back_from_tiff_in_content() -> None:
    metadata = Metadata(SRGB, make_exif(), XMP)
    back = read_image(written(make_image("RGB", metadata), "TIFF")).metadata
    assert (back.icc_profile, back.xmp) == (SRGB, XMP)
    assert tags_of(back.exif) == tags_of(metadata.exif)


def test_tiff_without_metadata_has_none() -> None:
    assert read_image(save(PIL.Image.new("RGB", (2, 2)), "TIFF")).metadata == Metadata()


def test_tiff_is_turned_upright_and_the_orientation_gone() -> None:
    image = make_image("RGB", Metadata(exif=make_exif(orientation=6)))
    back = read_image(written(image, "TIFF"))
    assert np.array_equal(back.samples, np.rot90(image.samples, -1))
    assert tags_of(back.metadata.exif) == tags_of(make_exif())
    tags = PIL.Image.Exif()
    tags.load(back.metadata.exif or b"")
    assert 0x0112 not in tags


def test_tags_of_the_file_do_not_leak_into_tiff() -> None:
    exif = PIL.Image.Exif()
    exif.update({0x0100: 99, 0x0106: 6, 0x0111: 12345, 0x011C: 2, 0x0131: "Program"})
    image = make_image("RGB", Metadata(exif=exif.tobytes()))
    assert np.array_equal(read_image(written(image, "TIFF")).samples, image.samples)


def test_metadata_survives_a_trip_through_pillow() -> None:
    metadata = Metadata(SRGB, make_exif(), XMP)
    pil = to_pillow(make_image("RGB", metadata))
    assert pil.getexif()[0x010F] == "Maker"
    assert from_pillow(pil).metadata == metadata
    info = pil.info
    jpeg = save(pil, "JPEG", exif=info["exif"], icc_profile=info["icc_profile"], xmp=info["xmp"])
    assert read_image(jpeg).metadata == metadata


def test_parts_of_another_type_in_pillow_info_are_left_out() -> None:
    pil = PIL.Image.new("L", (2, 2))
    pil.info.update(xmp=XMP.decode(), exif={"a": 1}, icc_profile=None)
    assert from_pillow(pil).metadata == Metadata(xmp=XMP)


def test_damaged_tags_cost_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    image = make_image("RGB", Metadata(SRGB, make_exif()))
    data = written(image, "TIFF")

    def fail(*_args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(PIL.Image.Exif, "tobytes", fail)
    back = read_image(data)
    assert np.array_equal(back.samples, image.samples)
    assert back.metadata == Metadata(SRGB)


@pytest.mark.parametrize("file_format", ["BMP", "PPM", "TGA", "JPEG2000", "QOI"])
def test_lost_metadata_is_told(file_format: str) -> None:
    with pytest.warns(ConversionWarning, match=f"Pillow writes none into {file_format} files"):
        data = written(make_image("RGB", Metadata(exif=make_exif())), file_format)
    assert read_image(data).metadata == Metadata()


@pytest.mark.parametrize("part", ["exif", "xmp"])
def test_metadata_larger_than_a_jpeg_segment_is_left_out(part: str) -> None:
    metadata = Metadata(SRGB, **{part: bytes(65536)})
    with pytest.warns(ConversionWarning, match="65536 bytes exceed|65542 bytes exceed"):
        data = written(make_image("RGB", metadata), "JPEG")
    assert read_image(data).metadata == Metadata(SRGB)


@pytest.mark.parametrize("part", ["exif", "xmp"])
def test_metadata_as_large_as_a_jpeg_segment_is_kept(part: str) -> None:
    metadata = Metadata(**{part: b"x" * {"exif": 65527, "xmp": 65504}[part]})
    assert read_image(written(make_image("RGB", metadata), "JPEG")).metadata == metadata


def test_large_profile_is_split_over_jpeg_segments() -> None:
    metadata = Metadata(SRGB + bytes(200_000))
    assert read_image(written(make_image("RGB", metadata), "JPEG")).metadata == metadata


@pytest.mark.filterwarnings("ignore")  # Pillow says that it is damaged, which is not the point
@pytest.mark.parametrize("exif", [b"garbage", b"II*\0", b"MM\0*\xff\xff\xff\xff", make_exif()[:60]])
def test_damaged_exif_costs_no_picture(exif: bytes) -> None:
    image = make_image("RGB", Metadata(exif=exif))
    for file_format in ("PNG", "JPEG", "WEBP"):
        assert read_image(written(image, file_format)).metadata == image.metadata


@pytest.mark.parametrize("file_format", ["TIFF", "AVIF"])
def test_damaged_exif_is_left_out_where_it_must_be_taken_apart(file_format: str) -> None:
    image = make_image("RGB", Metadata(exif=b"garbage", xmp=XMP))
    with pytest.warns(ConversionWarning, match="EXIF was left out: it is damaged"):
        data = written(image, file_format)
    assert read_image(data).metadata == Metadata(xmp=XMP)


def make_profile(colour_space: bytes) -> bytes:
    """A profile whose header names this colour space; nothing else in it makes sense."""
    return SRGB[:16] + colour_space + SRGB[20:]


def test_profile_stays_when_a_palette_becomes_rgb() -> None:
    data = save(make_palette_image(), "PNG", icc_profile=SRGB)
    with pytest.warns(ConversionWarning, match="palette"):
        assert read_image(data).metadata.icc_profile == SRGB


def test_profile_for_another_kind_of_colour_is_dropped_on_conversion() -> None:
    data = save(make_palette_image(), "PNG", icc_profile=make_profile(b"GRAY"))
    with pytest.warns(ConversionWarning) as caught:
        assert read_image(data).metadata == Metadata()
    assert "profile no longer fits" in messages(caught)


def test_profile_of_gray_is_dropped_when_gray_becomes_rgb() -> None:
    image = make_image("L", Metadata(make_profile(b"GRAY")))
    assert read_image(written(image, "PNG")).metadata == image.metadata
    with pytest.warns(ConversionWarning, match="profile no longer fits"):
        assert read_image(written(image, "WEBP")).metadata == Metadata()


@pytest.mark.parametrize(
    ("profile", "word"), [(None, "became RGB"), (make_profile(b"CMYK"), "damaged")]
)
def test_cmyk_keeps_no_profile(profile: bytes | None, word: str) -> None:
    pil = PIL.Image.new("CMYK", (8, 8), (0, 0, 0, 255))
    data = save(pil, "JPEG", icc_profile=profile, exif=make_exif())
    with pytest.warns(ConversionWarning, match=word):
        image = read_image(data)
    assert image.mode == "RGB"
    assert image.samples.max() <= 2
    assert image.metadata == Metadata(exif=make_exif())


def test_cmyk_goes_through_its_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no CMYK profile at hand that could be shipped, so the conversion is stood in for."""
    asked = []

    def convert(pil: PIL.Image.Image, *_profiles: object, outputMode: str) -> PIL.Image.Image:  # noqa: N803
        asked.append((pil.mode, outputMode))
        return PIL.Image.new(outputMode, pil.size, (1, 2, 3))

    monkeypatch.setattr(ImageCms, "profileToProfile", convert)
    data = save(PIL.Image.new("CMYK", (8, 8)), "JPEG", icc_profile=SRGB)
    with pytest.warns(ConversionWarning, match="by its colour profile"):
        image = read_image(data)
    assert asked == [("CMYK", "RGB")]
    assert image.samples[0, 0].tolist() == [1, 2, 3]
    assert image.metadata == Metadata()
