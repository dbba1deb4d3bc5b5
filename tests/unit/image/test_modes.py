"""Modes of Pillow -> gray or RGB, with or without alpha: what is kept, what is converted."""

import io
from typing import Any

import numpy as np
import PIL.Image
import pytest

from sirencodec.errors import ConversionWarning, ImageError
from sirencodec.image.files import from_pillow, read_image
from tests.unit.image.builders import (
    make_image,
    make_palette_image,
    make_png,
    messages,
    save,
    written,
)


@pytest.mark.parametrize("pillow_mode", ["I;16", "I;16L", "I;16B", "I;16N"])
def test_16_bit_gray_of_any_byte_order(pillow_mode: str) -> None:
    image = from_pillow(PIL.Image.new(pillow_mode, (2, 3), 0x1234))
    assert image.mode == "L;16"
    assert np.all(image.samples == 0x1234)
    assert image.samples.dtype.isnative


@pytest.mark.parametrize(
    ("pillow_mode", "colour", "mode", "expected", "word"),
    [
        ("1", 1, "L", (255,), "bilevel"),
        ("CMYK", (0, 255, 255, 0), "RGB", (255, 0, 0), "CMYK"),
        ("YCbCr", (255, 128, 128), "RGB", (255, 255, 255), "YCbCr"),
        ("HSV", (0, 255, 255), "RGB", (255, 0, 0), "HSV"),
        ("LAB", (255, 128, 128), "RGB", (255, 255, 255), "CIELAB"),
        ("La", (50, 100), "LA", (127, 100), "premultiplied"),
        ("RGBa", (50, 0, 0, 100), "RGBA", (127, 0, 0, 100), "premultiplied"),
        ("I", 40000, "L;16", (40000,), "32-bit"),
        ("F", 0.5, "L;16", (32768,), "floats from"),
    ],
)
def test_pillow_modes_that_are_converted(
    pillow_mode: str, colour: Any, mode: str, expected: tuple[int, ...], word: str
) -> None:
    pil = PIL.Image.new(pillow_mode, (3, 2), colour)
    with pytest.warns(ConversionWarning, match=word):
        image = from_pillow(pil)
    assert image.mode == mode
    assert np.abs(image.samples.astype(int) - expected).max() <= 1
    assert pil.mode == pillow_mode


def test_padding_goes_without_a_word() -> None:
    assert from_pillow(PIL.Image.new("RGBX", (2, 2), (1, 2, 3, 4))).samples[0, 0].tolist() == [
        1,
        2,
        3,
    ]


def test_palette_becomes_rgb() -> None:
    data = save(make_palette_image(), "PNG")
    with pytest.warns(ConversionWarning, match="palette became RGB"):
        image = read_image(data)
    assert image.samples.tolist() == [[[10, 20, 30], [40, 50, 60]]]


@pytest.mark.parametrize("file_format", ["PNG", "GIF"])
def test_palette_with_a_transparent_colour_becomes_rgba(file_format: str) -> None:
    data = save(make_palette_image(), file_format, transparency=1)
    with pytest.warns(ConversionWarning, match="palette became RGBA"):
        image = read_image(data)
    assert image.samples[0, :, 3].tolist() == [255, 0]
    assert image.samples[0, 0, :3].tolist() == [10, 20, 30]


def test_palette_with_alphas_becomes_rgba() -> None:
    data = save(make_palette_image(), "PNG", transparency=bytes([100, 200]))
    with pytest.warns(ConversionWarning, match="RGBA"):
        image = read_image(data)
    assert image.samples[0, :, 3].tolist() == [100, 200]


def test_palette_with_an_alpha_channel_becomes_rgba() -> None:
    with pytest.warns(ConversionWarning, match="palette"):
        image = from_pillow(PIL.Image.new("PA", (2, 1), (0, 70)))
    assert image.samples[0, 0].tolist() == [0, 0, 0, 70]


@pytest.mark.parametrize(
    ("header", "lines", "key", "expected"),
    [
        ((4, 1, 2, 0), b"\0\x1b", b"\0\3", [[0, 255], [85, 255], [170, 255], [255, 0]]),
        ((2, 1, 4, 0), b"\0\x12", b"\0\2", [[17, 255], [34, 0]]),
        ((2, 1, 8, 0), b"\0\x40\x41", b"\0\x40", [[64, 0], [65, 255]]),
        ((2, 1, 1, 0), b"\0\x40", b"\0\1", [[0, 255], [255, 0]]),
        ((2, 1, 1, 0), b"\0\x40", b"\0\0", [[0, 0], [255, 255]]),
        ((2, 1, 16, 0), b"\0\1\2\1\3", b"\1\2", [[258, 0], [259, 65535]]),
        ((2, 1, 8, 2), b"\0\1\2\3\1\2\4", b"\0\1\0\2\0\3", [[1, 2, 3, 0], [1, 2, 4, 255]]),
        (
            (2, 1, 16, 2),
            b"\0" + bytes([1, 2, 3, 4, 5, 6]) + bytes([1, 2, 3, 4, 5, 7]),
            bytes([1, 2, 3, 4, 5, 6]),
            [[258, 772, 1286, 0], [258, 772, 1287, 65535]],
        ),
    ],
    ids=["2 bits", "4 bits", "8 bits", "1 bit white", "1 bit black", "16 bits", "RGB", "RGB 16"],
)
def test_transparent_colour_of_png_becomes_alpha(
    header: tuple[int, ...], lines: bytes, key: bytes, expected: list[list[int]]
) -> None:
    png = make_png(header, lines, (b"tRNS", key))
    with pytest.warns(ConversionWarning) as caught:
        image = read_image(png)
    assert "a transparent colour became an alpha channel" in messages(caught)
    assert image.samples.tolist() == [expected]


@pytest.mark.parametrize(
    ("value", "low", "expected"),
    [
        (171, 0, [0, 171 * 257]),
        (1, 0, [0, 65535]),
        (256, 3, [3, 256]),
        (65535, 0, [0, 65535]),
        (70000, 0, [0, 65535]),
        (70000, -30000, [0, 65535]),
        (-5, -10, [0, 65535]),
    ],
)
@pytest.mark.parametrize(
    ("mode", "kind"), [("I", "32-bit integers"), ("F", "floats")], ids=["integers", "floats"]
)
def test_wide_samples_follow_one_rule(
    mode: str, kind: str, value: int, low: int, expected: list[int]
) -> None:
    pil = PIL.Image.new(mode, (2, 1), value)
    pil.putpixel((0, 0), low)
    with pytest.warns(ConversionWarning, match=f"{kind} from {low:g} to {value:g}: .* white"):
        image = from_pillow(pil)
    assert image.samples.ravel().tolist() == expected


def test_16_bit_pgm_is_taken_as_it_is() -> None:
    image = make_image("L;16")
    assert np.array_equal(read_image(written(image, "PPM")).samples, image.samples)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.25, 1.0], [0, 16384, 65535]),
        ([0.25, 0.25, 0.5], [16384, 16384, 32768]),
        ([-1.0, 0.0, 1.0], [0, 32768, 65535]),
        ([7.0, 7.0, 7.0], [1799, 1799, 1799]),
        ([-7.0, -7.0, -7.0], [0, 0, 0]),
        ([np.nan, np.inf, 0.5], [0, 65535, 32768]),
        ([-np.inf, 10.0, 20.0], [0, 2570, 5140]),
        ([-3e38, 0.0, 3e38], [0, 32768, 65535]),
    ],
)
def test_floats_become_16_bits(values: list[float], expected: list[int]) -> None:
    pil = PIL.Image.fromarray(np.array([values], np.float32))
    with pytest.warns(ConversionWarning) as caught:
        image = from_pillow(pil)
    assert str(caught[0].message).startswith("image: floats from")
    assert image.samples.ravel().tolist() == expected


def test_what_is_no_number_is_counted() -> None:
    values = np.array([[np.nan, np.nan, np.inf], [0.5, 1.0, 0.0]], np.float32)
    with pytest.warns(ConversionWarning) as caught:
        from_pillow(PIL.Image.fromarray(values))
    assert [str(each.message) for each in caught] == [
        "image: floats from 0 to 1: 0 became black, 1 white, in 16 bits",
        "image: of 6 samples, no numbers (NaN) and now black: 2; "
        "infinite and now black or white: 1",
    ]


def test_floats_without_a_number_are_refused() -> None:
    with pytest.raises(ImageError, match="no number"):
        from_pillow(PIL.Image.fromarray(np.full((2, 2), np.nan, np.float32)))


def test_unpicturable_pillow_images_are_refused() -> None:
    with pytest.raises(ImageError, match="no pixels"):
        from_pillow(PIL.Image.new("RGB", (0, 3)))
    with pytest.raises(ImageError):
        from_pillow("not an image")  # type: ignore[arg-type]
    closed = PIL.Image.open(io.BytesIO(save(PIL.Image.new("RGB", (2, 2)), "PNG")))
    closed.close()
    with pytest.raises(ImageError):
        from_pillow(closed)


def test_mode_that_pillow_has_yet_to_invent_is_refused() -> None:
    pil = PIL.Image.new("L", (2, 2))
    pil._mode = "XYZ"
    with pytest.raises(ImageError, match="Pillow mode XYZ has no counterpart"):
        from_pillow(pil)
