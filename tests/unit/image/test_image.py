"""Image files <-> samples: what is kept, what is converted and said so, and what is refused."""

import errno
import io
import os
import struct
import subprocess
import threading
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from PIL import ImageCms

from sirencodec.errors import ConversionWarning, ImageError, LimitError, ParameterError
from sirencodec.image.files import from_pillow, read_image, to_pillow, write_image
from sirencodec.image.image import Image
from sirencodec.image.metadata import Metadata
from sirencodec.limits import Limits

WIDTH, HEIGHT = 7, 5
MODES = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}
LOSSLESS = {  # format -> modes that come back as they went
    "PNG": ["L", "LA", "RGB", "RGBA", "L;16", "LA;16", "RGB;16", "RGBA;16"],
    "TIFF": ["L", "LA", "RGB", "RGBA", "L;16"],
    "WEBP": ["RGB", "RGBA"],
    "PPM": ["L", "RGB", "L;16"],
    "BMP": ["L", "RGB"],
    "TGA": ["L", "LA", "RGB", "RGBA"],
    "JPEG2000": ["L", "LA", "RGB", "RGBA", "L;16"],
    "QOI": ["RGB", "RGBA"],
}
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = "<x:xmpmeta xmlns:x='adobe:ns:meta/'>é</x:xmpmeta>".encode()


def make_exif(**tags: Any) -> bytes:
    exif = PIL.Image.Exif()
    exif[0x010F] = "Maker"
    exif[0x8769] = {0x9003: "2024:02:29 12:00:00", 0x829A: 0.01}
    exif[0x8825] = {1: "N", 2: (48.0, 30.0, 12.5)}
    if "orientation" in tags:
        exif[0x0112] = tags["orientation"]
    return exif.tobytes()


def make_samples(mode: str, height: int = HEIGHT, width: int = WIDTH) -> npt.NDArray[Any]:
    """Random samples, every value equally likely."""
    dtype = np.uint16 if mode.endswith(";16") else np.uint8
    shape = (height, width, MODES[mode.removesuffix(";16")])
    return np.random.default_rng(1).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def make_image(mode: str, metadata: Metadata | None = None) -> Image:
    return Image(make_samples(mode), metadata or Metadata())


def save(pil: PIL.Image.Image, file_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    pil.save(buffer, file_format, **options)
    return buffer.getvalue()


def written(image: Image, file_format: str) -> bytes:
    buffer = io.BytesIO()
    write_image(image, buffer, file_format=file_format)
    return buffer.getvalue()


def format_of(path: Path) -> str | None:
    with PIL.Image.open(path) as pil:
        return pil.format


def messages(caught: pytest.WarningsRecorder) -> str:
    return "\n".join(str(warning.message) for warning in caught)


def make_png(header: tuple[int, ...], lines: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """Header fields (width, height, bit depth, colour type), filtered lines and chunks -> PNG."""
    parts = [(b"IHDR", struct.pack(">2I5B", *header, 0, 0, 0)), *chunks]
    parts += [(b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )


def make_tiff(samples: npt.NDArray[np.uint16], order: str, *, deflate: bool, planar: bool) -> bytes:
    """(height, width, 3 or 4) samples -> TIFF of one strip, or of one for each channel."""
    height, width, channels = samples.shape
    planes = [samples[:, :, i] for i in range(channels)] if planar else [samples]
    strips = [plane.astype(f"{order}u2").tobytes() for plane in planes]
    if deflate:
        strips = [zlib.compress(strip) for strip in strips]
    tags = [
        (256, [width]),
        (257, [height]),
        (258, [16] * channels),
        (259, [8 if deflate else 1]),
        (262, [2]),
        (273, [8 + sum(map(len, strips[:i])) for i in range(len(strips))]),
        (277, [channels]),
        (278, [height]),
        (279, [len(strip) for strip in strips]),
        (284, [2 if planar else 1]),
    ]
    if channels == 4:
        tags.append((338, [2]))
    return b"".join(tiff_parts(order, strips, tags))


def tiff_parts(order: str, strips: list[bytes], tags: list[tuple[int, list[int]]]) -> list[bytes]:
    directory = 8 + sum(map(len, strips))
    extra = directory + 2 + 12 * len(tags) + 4
    entries, tail = [struct.pack(f"{order}H", len(tags))], b""
    for tag, values in tags:
        data = struct.pack(f"{order}{len(values)}I", *values)
        if len(values) > 1:
            data, tail = struct.pack(f"{order}I", extra + len(tail)), tail + data
        entries.append(struct.pack(f"{order}HHI", tag, 4, len(values)) + data)
    magic = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}I", directory)
    return [magic, *strips, *entries, struct.pack(f"{order}I", 0), tail]


# Image and Metadata


@pytest.mark.parametrize("mode", LOSSLESS["PNG"])
def test_image_describes_its_samples(mode: str) -> None:
    image = make_image(mode)
    assert (image.width, image.height) == (WIDTH, HEIGHT)
    assert image.channels == MODES[mode.removesuffix(";16")]
    assert image.bit_depth == (16 if mode.endswith(";16") else 8)
    assert image.mode == mode
    assert repr(image) == f"<Image 7x5 {mode}>"


def test_samples_are_read_only_and_the_given_array_is_left_alone() -> None:
    given = make_samples("RGB")
    image = Image(given)
    with pytest.raises(ValueError, match="read-only"):
        image.samples[0, 0, 0] = 1
    assert np.shares_memory(image.samples, given)
    given[0, 0, 0] ^= 1  # still the caller's


def test_image_is_frozen_and_compares_by_identity() -> None:
    image = make_image("L")
    with pytest.raises(AttributeError):
        image.samples = make_samples("L")  # type: ignore[misc]
    assert image != Image(image.samples)


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 0), np.uint8),
        np.zeros((4, 4, 5), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 0, 3), np.uint8),
        np.zeros((1, 4, 4, 3), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 3), np.int16),
        np.zeros((4, 4, 3), bool),
        np.zeros((4, 4, 3), ">u2"),
        np.zeros((4, 8, 3), np.uint8)[:, ::2],
        [[[0, 0, 0]]],
        None,
    ],
)
def test_samples_of_another_form_are_refused(samples: Any) -> None:
    with pytest.raises(ParameterError):
        Image(samples)


def test_metadata_of_another_type_is_refused() -> None:
    with pytest.raises(ParameterError, match="metadata"):
        Image(make_samples("L"), {"exif": b""})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "array",
    [
        make_samples("L")[:, :, 0],
        make_samples("RGB")[:, ::-1],
        np.asfortranarray(make_samples("RGB")),
        make_samples("RGB;16").astype(">u2"),
        make_samples("LA")[::2, ::3],
    ],
    ids=["two axes", "mirrored", "Fortran order", "big-endian", "strided"],
)
def test_from_array_takes_any_layout(array: npt.NDArray[Any]) -> None:
    image = Image.from_array(array)
    assert np.array_equal(image.samples, array.reshape(image.samples.shape))
    assert image.samples.flags.c_contiguous
    assert image.samples.dtype.isnative


@pytest.mark.parametrize("array", [np.zeros((2, 2)), [[1, 2], [3, 4]], np.zeros(4, np.uint8), 7])
def test_from_array_guesses_no_scale(array: Any) -> None:
    with pytest.raises(ParameterError):
        Image.from_array(array)


def test_from_array_keeps_metadata_and_does_not_copy() -> None:
    samples, metadata = make_samples("RGB"), Metadata(xmp=XMP)
    image = Image.from_array(samples, metadata)
    assert image.metadata == metadata
    assert np.shares_memory(image.samples, samples)


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


# Files written and read back


@pytest.mark.parametrize(
    ("file_format", "mode"), [(name, mode) for name, modes in LOSSLESS.items() for mode in modes]
)
def test_lossless_formats_give_back_the_same_samples(file_format: str, mode: str) -> None:
    image = make_image(mode)
    back = read_image(written(image, file_format))
    assert back.mode == mode
    assert np.array_equal(back.samples, image.samples)


@given(
    st_numpy.arrays(
        st.sampled_from([np.uint8, np.uint16]),
        st.tuples(st.integers(1, 20), st.integers(1, 20), st.integers(1, 4)),
    ),
    st.builds(Metadata, *[st.none() | st.binary(max_size=200)] * 3),
)
def test_png_gives_back_anything(samples: npt.NDArray[Any], metadata: Metadata) -> None:
    back = read_image(written(Image(samples, metadata), "PNG"))
    assert back.samples.dtype == samples.dtype
    assert np.array_equal(back.samples, samples)
    assert back.metadata == metadata


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_images_too_large_to_copy_make_the_same_png(
    channels: int, dtype: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sirencodec.image.files.LARGEST_COPY_BYTES", 0)
    generator = np.random.default_rng(channels)
    samples = generator.integers(0, np.iinfo(dtype).max, (37, 23, channels), dtype)
    image = Image(samples, Metadata(icc_profile=b"profile", exif=b"II*\0\x08\0\0\0", xmp=b"<x/>"))
    buffer = io.BytesIO()
    write_image(image, buffer, file_format="PNG")
    again = read_image(buffer.getvalue())
    np.testing.assert_array_equal(again.samples, samples)
    assert again.metadata == image.metadata


def test_deep_png_larger_than_one_strip() -> None:
    image = Image(make_samples("RGBA;16", height=300, width=700))
    assert np.array_equal(read_image(written(image, "PNG")).samples, image.samples)


@pytest.mark.parametrize("mode", LOSSLESS["PNG"])
def test_png_is_sound_to_its_last_checksum(mode: str) -> None:
    data = written(make_image(mode, Metadata(SRGB, make_exif(), XMP)), "PNG")
    PIL.Image.open(io.BytesIO(data)).verify()


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("file_format", ["JPEG", "AVIF"])
def test_lossy_formats_come_close(file_format: str, mode: str) -> None:
    ramp = np.linspace(0, 255, 64 * 64 * MODES[mode]).astype(np.uint8)
    image = Image(ramp.reshape(64, 64, MODES[mode]))
    back = read_image(written(image, file_format))
    assert np.abs(back.samples.astype(int) - image.samples).max() <= 4


@pytest.mark.parametrize("kind", [str, Path])
def test_path_names_the_format(tmp_path: Path, kind: Callable[[Path], str | Path]) -> None:
    image = make_image("RGB")
    for extension in (".png", ".PNG", ".tiff", ".webp", ".bmp", ".ppm", ".tga", ".jp2", ".qoi"):
        path = kind(tmp_path / f"picture{extension}")
        write_image(image, path)
        assert np.array_equal(read_image(path).samples, image.samples)
    assert format_of(tmp_path / "picture.webp") == "WEBP"


def test_open_file_names_the_format_and_need_not_seek(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    with path.open("wb") as file:
        write_image(make_image("RGB"), file)
    assert read_image(path).mode == "RGB"

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.data += data
            return len(data)

    pipe = Pipe()
    write_image(make_image("RGB"), pipe, file_format="tiff")  # type: ignore[arg-type]
    assert read_image(bytes(pipe.data)).mode == "RGB"


@pytest.mark.parametrize("name", ["png", ".png", "PNG", "x.png"])
def test_file_format_goes_before_the_name(tmp_path: Path, name: str) -> None:
    write_image(make_image("L"), tmp_path / "picture.part", file_format=name)
    assert format_of(tmp_path / "picture.part") == "PNG"


@pytest.mark.parametrize("name", ["picture.xyz", "picture", "picture.gif", "png.d"])
def test_unknown_format_is_refused_before_the_file_is_touched(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"old")
    with pytest.raises(ParameterError, match="png"):
        write_image(make_image("L"), path)
    assert path.read_bytes() == b"old"


def test_nameless_target_needs_a_format() -> None:
    with pytest.raises(ParameterError, match="file_format"):
        write_image(make_image("L"), io.BytesIO())


def test_image_too_large_for_the_format_leaves_the_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "wide.webp"
    path.write_bytes(b"old")
    with pytest.raises(ImageError, match="cannot write 16384 x 1 pixels as WEBP"):
        write_image(Image(np.zeros((1, 16384, 3), np.uint8)), path)
    assert path.read_bytes() == b"old"


def test_errors_of_the_file_system_pass(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_image(tmp_path / "missing.png")
    with pytest.raises(IsADirectoryError):
        read_image(tmp_path)
    with pytest.raises(FileNotFoundError):
        write_image(make_image("L"), tmp_path / "missing" / "out.png")


class FailingFile(io.BytesIO):
    """A file on a disk that goes bad after its header."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() > 100:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().read(size)

    def write(self, _data: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_disk_errors_pass() -> None:
    png = written(Image(make_samples("RGB", 200, 200)), "PNG")
    with pytest.raises(OSError, match="Input/output error") as caught:
        read_image(FailingFile(png))
    assert caught.value.errno == errno.EIO
    with pytest.raises(OSError, match="No space left") as caught:
        write_image(make_image("L"), FailingFile(), file_format="PNG")
    assert caught.value.errno == errno.ENOSPC


# Sources


def test_every_source_gives_the_same(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    image = make_image("RGB;16")
    write_image(image, path)
    data = path.read_bytes()
    os.mkfifo(tmp_path / "pipe")
    for opened in (str(path), path, data, bytearray(data), memoryview(data), io.BytesIO(data)):
        assert np.array_equal(read_image(opened).samples, image.samples)  # type: ignore[arg-type]
    with path.open("rb") as file:
        assert np.array_equal(read_image(file).samples, image.samples)
        assert not file.closed
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(data,))
    writer.start()
    assert np.array_equal(read_image(tmp_path / "pipe").samples, image.samples)
    writer.join()


def test_pipe_that_is_open_already() -> None:
    image = make_image("RGB;16")
    receiving, sending = os.pipe()
    with open(sending, "wb") as file:
        file.write(written(image, "PNG"))
    with open(receiving, "rb") as file:
        assert np.array_equal(read_image(file).samples, image.samples)


# Modes of Pillow


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "L;16"])
def test_pillow_modes_that_are_kept(mode: str) -> None:
    image = make_image(mode)
    pil = to_pillow(image)
    assert pil.mode == mode.replace("L;16", "I;16")
    assert pil.size == (WIDTH, HEIGHT)
    assert np.array_equal(from_pillow(pil).samples, image.samples)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "L;16"])
def test_drawing_on_the_pillow_image_leaves_the_samples_alone(mode: str) -> None:
    image = make_image(mode)
    pil = to_pillow(image)
    pil.paste(pil.getpixel((3, 3)) or 0, (0, 0, WIDTH, HEIGHT))
    assert np.array_equal(image.samples, make_samples(mode))


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
        ("F", 0.5, "L;16", (32768,), "scaled"),
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


def test_warning_points_at_the_caller() -> None:
    with pytest.warns(ConversionWarning) as given_pillow:
        from_pillow(PIL.Image.new("1", (2, 2)))
    data = save(PIL.Image.new("1", (2, 2)), "PNG")
    with pytest.warns(ConversionWarning) as given_file:
        read_image(data)
    assert given_pillow[0].filename == given_file[0].filename == __file__


def make_palette_image() -> PIL.Image.Image:
    pil = PIL.Image.new("P", (2, 1))
    pil.putpalette([10, 20, 30, 40, 50, 60])
    pil.putpixel((1, 0), 1)
    return pil


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
    [(65535, 0, 65535), (70000, 0, 65535), (70000, -30000, 65535), (-5, -10, 65535)],
)
def test_32_bit_integers_are_scaled_only_if_they_must(value: int, low: int, expected: int) -> None:
    pil = PIL.Image.new("I", (2, 1), value)
    pil.putpixel((0, 0), low)
    word = "32-bit" if value <= 65535 and low >= 0 else f"from {low} to {value} were scaled"
    with pytest.warns(ConversionWarning, match=word):
        image = from_pillow(pil)
    assert image.samples.ravel().tolist() == [0, expected]


def test_16_bit_pgm_is_taken_as_it_is() -> None:
    image = make_image("L;16")
    assert np.array_equal(read_image(written(image, "PPM")).samples, image.samples)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.25, 1.0], [0, 16384, 65535]),
        ([0.25, 0.25, 0.5], [16384, 16384, 32768]),
        ([-1.0, 0.0, 1.0], [0, 32768, 65535]),
        ([7.0, 7.0, 7.0], [0, 0, 0]),
        ([np.nan, np.inf, 0.5], [0, 65535, 32768]),
        ([-np.inf, 10.0, 20.0], [0, 0, 65535]),
        ([-3e38, 0.0, 3e38], [0, 32768, 65535]),
    ],
)
def test_floats_become_16_bits(values: list[float], expected: list[int]) -> None:
    pil = PIL.Image.fromarray(np.array([values], np.float32))
    with pytest.warns(ConversionWarning, match="scaled"):
        image = from_pillow(pil)
    assert image.samples.ravel().tolist() == expected


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


# 16-bit colour


def test_interlaced_16_bit_colour_is_read_in_full() -> None:
    samples = make_samples("RGB;16", height=1, width=1)
    data = written(Image(samples), "PNG")
    header = data.index(b"IHDR") + 4
    fields = data[header : header + 12] + b"\1"  # of one pixel, the first pass is all there is
    data = (
        data[:header]
        + fields
        + struct.pack(">I", zlib.crc32(b"IHDR" + fields))
        + data[header + 17 :]
    )
    assert PIL.Image.open(io.BytesIO(data)).info["interlace"] == 1
    assert np.array_equal(read_image(data).samples, samples)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize("mode", ["RGB;16", "RGBA;16"])
def test_16_bit_colour_tiff_is_read_in_full(
    mode: str, deflate: bool, order: str, tmp_path: Path
) -> None:
    samples = make_samples(mode)
    path = tmp_path / "deep.tif"
    path.write_bytes(make_tiff(samples, order, deflate=deflate, planar=False))
    for source in (path, path.read_bytes()):
        image = read_image(source)
        assert image.mode == mode
        assert np.array_equal(image.samples, samples)


def test_16_bit_colour_in_planes_is_cut_and_said_so() -> None:
    samples = make_samples("RGB;16")
    with pytest.warns(ConversionWarning, match="16-bit colour was cut to 8"):
        image = read_image(make_tiff(samples, "<", deflate=True, planar=True))
    assert np.array_equal(image.samples, samples >> 8)


def test_16_bit_colour_given_as_pillow_image_is_cut_and_said_so() -> None:
    pil = PIL.Image.open(io.BytesIO(written(make_image("RGB;16"), "PNG")))
    with pytest.warns(ConversionWarning, match="16-bit colour was cut to 8"):
        assert from_pillow(pil).mode == "RGB"


@pytest.mark.parametrize("mode", ["LA;16", "RGB;16", "RGBA;16"])
def test_16_bit_colour_is_rounded_for_pillow(mode: str) -> None:
    image = make_image(mode)
    with pytest.warns(ConversionWarning, match="rounded to 8"):
        pil = to_pillow(image)
    assert pil.mode == mode.removesuffix(";16")
    assert np.abs(np.asarray(pil) * 257.0 - image.samples).max() <= 128


# Formats that cannot hold the image


@pytest.mark.parametrize("mode", ["L;16", "RGB;16"])
def test_16_bits_are_rounded_for_jpeg(mode: str) -> None:
    with pytest.warns(ConversionWarning, match="JPEG: 16 bits a sample were rounded to 8"):
        data = written(Image(np.full_like(make_samples(mode), 128 * 257 + 100)), "JPEG")
    assert np.all(read_image(data).samples == 128)


@pytest.mark.parametrize(
    ("mode", "colour"), [("LA", (0, 51)), ("RGBA", (0, 0, 0, 51)), ("RGBA;16", (0, 0, 0, 51 * 257))]
)
def test_transparency_is_laid_on_white(mode: str, colour: tuple[int, ...]) -> None:
    samples = np.zeros_like(make_samples(mode)) + np.array(colour, make_samples(mode).dtype)
    with pytest.warns(ConversionWarning) as caught:
        back = read_image(written(Image(samples), "BMP"))
    assert "transparency was replaced by white" in messages(caught)
    assert back.mode == mode[: len(mode.removesuffix(";16")) - 1]
    assert np.all(back.samples == 204)


def test_opaque_alpha_goes_without_a_word() -> None:
    samples = make_samples("RGBA")
    samples[:, :, 3] = 255
    assert np.array_equal(read_image(written(Image(samples), "BMP")).samples, samples[:, :, :3])


@pytest.mark.parametrize(("mode", "wider"), [("L", "RGB"), ("LA", "RGBA")])
def test_gray_becomes_rgb_where_there_is_no_gray(mode: str, wider: str) -> None:
    image = make_image(mode)
    back = read_image(written(image, "WEBP"))
    assert back.mode == wider
    assert np.array_equal(back.samples[:, :, 2], image.samples[:, :, 0])
    assert np.array_equal(back.samples[:, :, -1], image.samples[:, :, -1])


# Metadata


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


# Frames


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


# What is refused


@pytest.mark.parametrize(
    "file_format", [*LOSSLESS, "JPEG", "AVIF", "GIF", "ICO", "PCX", "SGI", "DDS"]
)
@pytest.mark.filterwarnings("ignore")
def test_truncated_files_raise_nothing_else(file_format: str) -> None:
    pil = to_pillow(Image(make_samples("RGB", 16, 16)))
    whole = save(pil, file_format)
    read_image(whole)
    refusals = []
    for size in range(0, len(whole), max(1, len(whole) // 100)):
        try:
            read_image(whole[:size])
        except ImageError as error:
            refusals.append(str(error))
    assert len(refusals) > 10
    assert all(refusal.startswith("cannot read image: ") for refusal in refusals)
    assert not any("\n" in refusal for refusal in refusals)


@given(st.data())
@pytest.mark.filterwarnings("ignore")
def test_damaged_files_raise_nothing_else(data: st.DataObject) -> None:
    file_format = data.draw(st.sampled_from(["PNG", "TIFF", "WEBP", "JPEG", "BMP", "TGA", "GIF"]))
    metadata = {"exif": make_exif()} if file_format in ("PNG", "TIFF", "WEBP", "JPEG") else {}
    broken = bytearray(save(to_pillow(Image(make_samples("RGB", 8, 8))), file_format, **metadata))
    for _ in range(data.draw(st.integers(1, 4))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    with suppress(ImageError, LimitError):
        read_image(bytes(broken), Limits(max_pixels=10**6))


@given(st.binary(max_size=200))
@pytest.mark.filterwarnings("ignore")
def test_arbitrary_bytes_raise_nothing_else(data: bytes) -> None:
    with suppress(ImageError, LimitError):
        read_image(data, Limits(max_pixels=10**6))


def test_message_names_the_file_and_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "notes.png"
    path.write_text("dear diary")
    with pytest.raises(ImageError, match=r"cannot read .*notes\.png: not an image"):
        read_image(path)


@pytest.mark.parametrize(
    "fault",
    [
        SyntaxError("odd\nthing"),
        struct.error("odd thing"),
        ValueError("odd thing"),
        KeyError("odd thing"),
        EOFError(),
        MemoryError(),
        zlib.error("odd thing"),
        AttributeError("odd thing"),
        OverflowError("odd thing"),
        AssertionError(),
        OSError("odd thing"),
        OSError(errno.EINVAL, "odd thing"),
    ],
)
def test_whatever_pillow_raises_becomes_an_image_error(
    fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_self: object) -> None:
        raise fault

    monkeypatch.setattr(PIL.Image.Image, "load", fail)
    with pytest.raises(ImageError) as caught:
        read_image(written_png())
    assert caught.value.__cause__ is fault
    assert str(caught.value).startswith("cannot read image: ")
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) > len("cannot read image: ")


def written_png() -> bytes:
    return make_png((1, 1, 8, 0), b"\0\0")


@pytest.mark.parametrize("fault", [KeyboardInterrupt, SystemExit])
def test_interrupts_pass(fault: type[BaseException], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_self: object) -> None:
        raise fault

    monkeypatch.setattr(PIL.Image.Image, "load", fail)
    with pytest.raises(fault):
        read_image(written_png())


def test_postscript_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_args: object, **_kwargs: object) -> None:
        pytest.fail("a program was started")

    for name in ("check_call", "call", "run", "Popen"):
        monkeypatch.setattr(subprocess, name, run)
    data = save(PIL.Image.new("RGB", (2, 2)), "EPS")
    with pytest.raises(ImageError, match="Ghostscript"):
        read_image(data)


# Limits


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
