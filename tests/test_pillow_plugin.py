"""`.siren` files through Pillow, and through what builds on Pillow."""

import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import PIL.Image
import PIL.ImageCms
import pytest

import sirencodec
from sirencodec.bitstream.container import parse_container, write_container
from sirencodec.bitstream.segments import Payload
from sirencodec.pillow_plugin import SirenImageFile
from tests.pictures import HEIGHT, WIDTH, make_exif, make_gradient

XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
ICC = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()


def opened(data: bytes) -> PIL.Image.Image:
    return PIL.Image.open(io.BytesIO(data))


def saved(image: PIL.Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "SIREN", effort=0, **options)
    return buffer.getvalue()


def decoded(data: bytes, **options: Any) -> np.ndarray:
    return sirencodec.decode(data, **options).samples


def with_size(data: bytes, width: int, height: int) -> bytes:
    """The same network, said to be an image of another size."""
    container = parse_container(data)
    header = replace(container.header, width=width, height=height)
    return write_container(header, Payload(container.matrices))


# Opening and loading


def test_opening_reads_the_header_alone(tmp_path: Path, gradient_siren: bytes) -> None:
    """No decode, and none of what it takes."""
    path = tmp_path / "x.siren"
    path.write_bytes(gradient_siren)
    program = """
import sys
import sirencodec
assert "numpy" not in sys.modules
from PIL import Image
image = Image.open(sys.argv[1])
assert "torch" not in sys.modules
print(image.format, image.mode, *image.size, *image.info, image.get_format_mimetype())
print(image.getexif()[274])
"""
    command = [sys.executable, "-c", program, str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout == f"SIREN RGB {WIDTH} {HEIGHT} exif image/x-siren\n6\n"


def test_loading_decodes(gradient_siren: bytes) -> None:
    image = opened(gradient_siren)
    assert np.array_equal(np.asarray(image), decoded(gradient_siren))


def test_files_are_closed_after_loading(tmp_path: Path, gradient_siren: bytes) -> None:
    path = tmp_path / "x.siren"
    path.write_bytes(gradient_siren)
    image = PIL.Image.open(path)
    file = image.fp
    image.load()
    assert file is not None
    assert file.closed
    with PIL.Image.open(path) as image:
        image.putpixel((0, 0), (1, 2, 3))
        assert image.getpixel((0, 0)) == (1, 2, 3)


def test_streams_are_read_from_where_they_are(gradient_siren: bytes) -> None:
    stream = io.BytesIO(b"before" + gradient_siren)
    stream.seek(6)
    assert SirenImageFile(stream).size == (WIDTH, HEIGHT)


# Decoding at another size


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ((12, 8), (12, 8)),
        ((12, 2), (12, 8)),  # covers what was asked for
        ((1, 1), (2, 1)),
        ((24, 16), (24, 16)),
        ((12, 400), (24, 16)),
        ((48, 400), (48, 32)),  # fits into what was asked for
        ((25, 17), (25, 17)),
    ],
)
def test_draft_decodes_at_about_the_asked_size(
    gradient_siren: bytes, asked: tuple[int, int], given: tuple[int, int]
) -> None:
    image = opened(gradient_siren)
    assert image.draft(None, asked) == ("RGB", (0, 0, *given))
    assert image.size == given
    expected = decoded(gradient_siren, width=given[0], height=given[1])
    assert np.array_equal(np.asarray(image), expected)


def test_the_last_draft_counts(gradient_siren: bytes) -> None:
    image = opened(gradient_siren)
    image.draft(None, (3, 2))
    image.draft("L", (48, 32))
    assert np.asarray(image).shape == (32, 48, 3)


def test_draft_comes_too_late_after_loading(gradient_siren: bytes) -> None:
    image = opened(gradient_siren)
    image.load()
    assert image.draft(None, (3, 2)) is None
    assert image.size == (WIDTH, HEIGHT)


def test_draft_without_a_size_changes_nothing(gradient_siren: bytes) -> None:
    image = opened(gradient_siren)
    assert image.draft("L", None) is None
    assert image.mode == "RGB"


def test_thumbnail_decodes_at_a_reduced_size(gradient_siren: bytes) -> None:
    data = with_size(gradient_siren, 640, 480)
    image = opened(data)
    image.thumbnail((40, 60))
    reduced = PIL.Image.fromarray(decoded(data, width=160, height=120))  # covers 80 x 120
    expected = reduced.resize((40, 30), PIL.Image.Resampling.BICUBIC, reducing_gap=2.0)
    assert np.array_equal(np.asarray(image), np.asarray(expected))


def test_thumbnail_does_not_decode_more_than_is_stored(
    gradient_siren: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", WIDTH * HEIGHT)
    image = opened(gradient_siren)
    image.thumbnail((20, 20))  # twice that would be beyond the limit
    assert image.size == (20, 13)


def test_draft_beyond_the_bomb_limit_is_refused(
    gradient_siren: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", WIDTH * HEIGHT)
    image = opened(gradient_siren)
    with pytest.raises(PIL.Image.DecompressionBombError, match="48 x 32 = 1536 pixels"):
        image.draft(None, (48, 32))
    with pytest.warns(PIL.Image.DecompressionBombWarning):
        image.draft(None, (27, 18))
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", None)
    assert image.draft(None, (48, 32)) is not None


def test_opening_beyond_the_bomb_limit_is_refused(gradient_siren: bytes) -> None:
    with pytest.raises(PIL.Image.DecompressionBombError):
        opened(with_size(gradient_siren, 65_535, 65_535))


def test_too_much_arithmetic_is_refused_like_a_bomb(
    gradient_siren: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", None)
    image = opened(with_size(gradient_siren, 65_535, 65_535))
    image.draft(None, (2**20 + 1, 2**20 + 1))
    with pytest.raises(PIL.Image.DecompressionBombError) as caught:
        image.load()
    assert isinstance(caught.value.__cause__, sirencodec.LimitError)


# Damaged files


@pytest.mark.parametrize("length", [6, 10, 40, -1])
def test_truncated_files_are_os_errors(gradient_siren: bytes, length: int) -> None:
    with pytest.raises(OSError, match="file ends") as caught:
        opened(gradient_siren[:length])
    assert isinstance(caught.value.__cause__, sirencodec.TruncatedError)


def test_changed_files_are_os_errors(gradient_siren: bytes) -> None:
    changed = bytearray(gradient_siren)
    changed[30] ^= 1
    with pytest.raises(OSError, match="checksum") as caught:
        opened(bytes(changed))
    assert isinstance(caught.value.__cause__, sirencodec.CorruptError)


def test_files_of_the_future_say_so(gradient_siren: bytes) -> None:
    with pytest.raises(OSError, match="version 99"):
        opened(gradient_siren[:4] + b"\x63" + gradient_siren[5:])


def test_other_files_are_left_to_others() -> None:
    with pytest.raises(PIL.UnidentifiedImageError):
        PIL.Image.open(io.BytesIO(b"\x89SRM and more"), formats=["SIREN"])
    with pytest.raises(SyntaxError):  # a plugin's way to say so
        SirenImageFile(io.BytesIO(b"\x89SRM and more"))


def test_damaged_metadata_does_not_cost_the_picture(gradient_siren: bytes) -> None:
    damaged = gradient_siren[:-1] + bytes([gradient_siren[-1] ^ 1])
    with pytest.warns(sirencodec.SirenCodecWarning, match="metadata .* left out") as caught:
        image = PIL.Image.open(io.BytesIO(damaged))
    assert caught[0].filename == __file__
    assert image.info == {}
    assert np.array_equal(np.asarray(image), decoded(gradient_siren))


# Saving


def test_saving_by_extension(tmp_path: Path) -> None:
    path = tmp_path / "x.siren"
    make_gradient().save(path, effort=0)
    assert path.read_bytes() == sirencodec.encode(make_gradient(), effort=0)


@pytest.mark.filterwarnings("ignore::sirencodec.TargetWarning")  # so small a file hits nothing
@pytest.mark.parametrize(
    "options", [{"quality": 20}, {"bpp": 25.0}, {"size_bytes": 150}, {"psnr_db": 12.0}, {"seed": 7}]
)
def test_keywords_are_those_of_encode(options: dict[str, Any]) -> None:
    image = make_gradient(8, 6)
    assert saved(image, **options) == sirencodec.encode(image, effort=0, **options)


def test_unknown_keywords_are_pointed_out() -> None:
    with pytest.warns(sirencodec.SirenCodecWarning, match="ignored: dpi, lossless") as caught:
        saved(make_gradient(8, 6), lossless=True, dpi=(300, 300))
    assert caught[0].filename == __file__


def test_impossible_keywords_leave_no_file(tmp_path: Path) -> None:
    path = tmp_path / "x.siren"
    with pytest.raises(ValueError, match="quality must be 0 to 100"):
        make_gradient().save(path, quality=101)
    assert not path.exists()


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16"])
def test_modes_are_kept(mode: str) -> None:
    source = make_gradient(8, 6).convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        source = PIL.Image.fromarray(np.asarray(source).astype(np.uint16) * 257)
    image = opened(saved(source))
    assert (image.mode, image.size) == (mode, (8, 6))
    image.load()
    assert (image.mode, image.size) == (mode, (8, 6))
    error = np.abs(np.asarray(image).astype(float) - np.asarray(source)).mean()
    assert error < 0.15 * np.asarray(source).max()


@pytest.mark.parametrize("mode", ["1", "P", "CMYK"])
def test_other_modes_are_converted(mode: str) -> None:
    with pytest.warns(sirencodec.ConversionWarning):
        image = opened(saved(make_gradient(8, 6).convert(mode)))
    assert image.mode == ("L" if mode == "1" else "RGB")


def test_modes_without_a_counterpart_are_os_errors() -> None:
    with pytest.raises(OSError, match="no pixels"):
        saved(PIL.Image.new("RGB", (0, 5)))


def test_deep_colour_opens_with_8_bits() -> None:
    samples = np.asarray(make_gradient(8, 6)).astype(np.uint16) * 257
    data = sirencodec.encode(samples, effort=0)
    image = opened(data)
    assert image.mode == "RGB"
    with pytest.warns(sirencodec.ConversionWarning, match="rounded to 8"):
        image.load()
    assert np.abs(np.asarray(image) - decoded(data) / 257).max() <= 0.5


def test_metadata_given_is_kept() -> None:
    image = opened(saved(make_gradient(8, 6), exif=make_exif(), icc_profile=ICC, xmp=XMP))
    assert image.info == {"exif": make_exif(), "icc_profile": ICC, "xmp": XMP}
    exif = PIL.Image.Exif()
    exif[PIL.Image.ExifTags.Base.Orientation] = 3
    assert opened(saved(image, exif=exif, xmp=XMP.decode())).getexif()[274] == 3


def test_metadata_of_the_image_is_kept_unless_told_otherwise() -> None:
    image = make_gradient(8, 6)
    image.info.update(exif=make_exif(), icc_profile=ICC, xmp=XMP)
    assert opened(saved(image)).info == image.info
    assert opened(saved(image, exif=None, xmp=b"")).info == {"icc_profile": ICC}
    assert opened(saved(image, strip=True)).info == {}


def test_a_file_can_be_saved_onto_itself(tmp_path: Path) -> None:
    path = tmp_path / "x.siren"
    make_gradient(8, 6).save(path, effort=0)
    with PIL.Image.open(path) as image:
        image.save(path, effort=0)
    with PIL.Image.open(path) as image:
        assert image.size == (8, 6)


# Others


def test_imageio_reads_and_writes(tmp_path: Path) -> None:
    samples = np.asarray(make_gradient())
    path = tmp_path / "x.siren"
    iio.imwrite(path, samples, effort=0)
    assert path.read_bytes() == sirencodec.encode(samples, effort=0)
    assert np.array_equal(iio.imread(path), decoded(path.read_bytes()))
    assert iio.improps(path).shape == samples.shape
