"""Which frame of a file is read, and which files are refused before they are decoded."""

import io
import struct
import subprocess
import zlib
from pathlib import Path

import PIL.Image
import pytest
from PIL import TiffImagePlugin

from sirencodec.errors import ConversionWarning, ImageError, LimitError
from sirencodec.image.files import read_image
from sirencodec.limits import Limits
from tests.unit.image.builders import SRGB, make_png, messages, save


@pytest.mark.parametrize("file_format", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_several_frames_the_first_is_read(file_format: str) -> None:
    frames = [PIL.Image.new("RGB", (4, 4), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if file_format == "WEBP" else {}
    data = save(frames[0], file_format, save_all=True, append_images=frames[1:], **options)
    with pytest.warns(ConversionWarning) as caught:
        image = read_image(data)
    assert "of 3 frames" in messages(caught)
    assert image.samples[0, 0, :3].tolist() == [255, 0, 0]


def test_damage_behind_the_first_frame_costs_nothing() -> None:
    pages = [PIL.Image.new("RGB", (4, 4), colour) for colour in ("red", "lime")]
    data = bytearray(save(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    first = struct.unpack_from("<I", data, 4)[0]
    link = first + 2 + 12 * struct.unpack_from("<H", data, first)[0]
    struct.pack_into("<I", data, link, len(data) - 1)  # the second page begins past the end
    assert read_image(bytes(data)).samples[0, 0].tolist() == [255, 0, 0]


def test_message_names_the_file_and_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "notes.png"
    path.write_text("dear diary")
    with pytest.raises(ImageError, match=r"cannot read .*notes\.png: not an image"):
        read_image(path)


def test_postscript_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_args: object, **_kwargs: object) -> None:
        pytest.fail("a program was started")

    for name in ("check_call", "call", "run", "Popen"):
        monkeypatch.setattr(subprocess, name, run)
    data = save(PIL.Image.new("RGB", (2, 2)), "EPS")
    with pytest.raises(ImageError, match="Ghostscript"):
        read_image(data)


def test_too_many_pixels_are_refused_before_they_are_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = save(PIL.Image.new("RGB", (20, 10)), "PNG")
    read_image(data, Limits(max_pixels=200))
    monkeypatch.setattr(PIL.Image.Image, "load", lambda _self: pytest.fail("decoded"))
    with pytest.raises(LimitError, match="200 pixels exceed the limit of 199"):
        read_image(data, Limits(max_pixels=199))


def test_header_of_a_bomb_is_enough_to_refuse_it() -> None:
    bomb = make_png((2**31 - 1, 2**31 - 1, 8, 6), b"")
    with pytest.raises(LimitError, match="MAX_IMAGE_PIXELS"):
        read_image(bomb)


@pytest.mark.filterwarnings("error::PIL.Image.DecompressionBombWarning")
def test_warning_about_a_bomb_made_an_error_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 150)
    with pytest.raises(LimitError, match="200 pixels"):
        read_image(save(PIL.Image.new("RGB", (20, 10)), "PNG"))


def test_icon_whose_directory_lies_about_its_size() -> None:
    png = save(PIL.Image.new("RGBA", (300, 300)), "PNG")
    entry = struct.pack("<4B2H2I", 16, 16, 0, 0, 1, 32, len(png), 22)
    icon = struct.pack("<3H", 0, 1, 1) + entry + png
    with (
        pytest.warns(UserWarning, match="expected size"),
        pytest.raises(LimitError, match="90000 pixels"),
    ):
        read_image(icon, Limits(max_pixels=1000))


def test_a_picture_marked_as_reduced_is_said_to_be() -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[254] = 1
    data = save(PIL.Image.new("RGB", (4, 4), "red"), "TIFF", tiffinfo=tags)
    with pytest.warns(ConversionWarning) as caught:
        read_image(data)
    assert "marked as a reduced version" in messages(caught)


LONG = bytes(2_000_000)
PROFILE = (b"iCCP", b"long\0\0" + zlib.compress(LONG))
TEXT = (b"zTXt", b"long\0\0" + zlib.compress(LONG))


@pytest.mark.parametrize(
    ("chunks", "title"),
    [
        ([PROFILE], "an ICC profile"),
        ([TEXT], "text"),
        ([PROFILE, TEXT], "an ICC profile and text"),
    ],
)
def test_png_is_read_without_what_is_too_long(
    chunks: list[tuple[bytes, bytes]], title: str
) -> None:
    kept = (b"iCCP", b"sRGB\0\0" + zlib.compress(SRGB))
    short = [] if PROFILE in chunks else [kept]
    data = make_png((2, 1, 8, 2), bytes([0, 1, 2, 3, 4, 5, 6]), *short, *chunks)
    with pytest.warns(ConversionWarning) as caught:
        image = read_image(data)
    assert messages(caught) == f"image: {title} of more than 1 MiB was left out"
    assert image.samples.tolist() == [[[1, 2, 3], [4, 5, 6]]]
    assert image.metadata.icc_profile == (SRGB if short else None)


def test_an_installed_plugin_is_asked_before_a_file_is_given_up() -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    pillow_heif.from_pillow(PIL.Image.new("RGB", (16, 8), "red")).save(buffer)
    assert read_image(buffer.getvalue()).samples.shape == (8, 16, 3)


def test_heic_of_more_bits_is_said_to_be_cut() -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    pillow_heif.from_bytes(mode="RGB;16", size=(16, 8), data=bytes(16 * 8 * 6)).save(buffer)
    with pytest.warns(ConversionWarning) as caught:
        read_image(buffer.getvalue())
    assert messages(caught) == "image: 10 bits a sample were cut to 8"


@pytest.mark.parametrize(
    ("beginning", "advice"),
    [
        (b"\0\0\0\x1cftypheic", "HEIC"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"\xff\x0a", "XL"),
    ],
)
def test_what_nothing_reads_is_named(
    beginning: bytes, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sirencodec.image.reader.register_plugins", lambda: None)
    monkeypatch.setattr(PIL.Image, "ID", ["PNG"])
    with pytest.raises(ImageError, match=f"{advice}.* lets it be read"):
        read_image(beginning + bytes(50))
