"""Image files <-> Image: what is written comes back, from any source, to any target."""

import errno
import io
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from sirencodec.errors import ConversionWarning, ImageError, ParameterError
from sirencodec.image.files import from_pillow, read_image, to_pillow, write_image
from sirencodec.image.image import Image
from tests.unit.image.builders import (
    HEIGHT,
    LOSSLESS,
    MODES,
    WIDTH,
    make_image,
    make_samples,
    save,
    written,
)


def format_of(path: Path) -> str | None:
    with PIL.Image.open(path) as pil:
        return pil.format


@pytest.mark.parametrize(
    ("file_format", "mode"), [(name, mode) for name, modes in LOSSLESS.items() for mode in modes]
)
def test_lossless_formats_give_back_the_same_samples(file_format: str, mode: str) -> None:
    image = make_image(mode)
    back = read_image(written(image, file_format))
    assert back.mode == mode
    assert np.array_equal(back.samples, image.samples)


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


def test_warning_points_at_the_caller() -> None:
    with pytest.warns(ConversionWarning) as given_pillow:
        from_pillow(PIL.Image.new("1", (2, 2)))
    data = save(PIL.Image.new("1", (2, 2)), "PNG")
    with pytest.warns(ConversionWarning) as given_file:
        read_image(data)
    assert given_pillow[0].filename == given_file[0].filename == __file__


@pytest.mark.parametrize("mode", ["LA;16", "RGB;16", "RGBA;16"])
def test_16_bit_colour_is_rounded_for_pillow(mode: str) -> None:
    image = make_image(mode)
    with pytest.warns(ConversionWarning, match="rounded to 8"):
        pil = to_pillow(image)
    assert pil.mode == mode.removesuffix(";16")
    assert np.abs(np.asarray(pil) * 257.0 - image.samples).max() <= 128
