"""Damaged image files raise errors of the package, and nothing else."""

import errno
import struct
import zlib
from contextlib import suppress

import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirencodec.errors import ImageError, LimitError
from sirencodec.image.files import read_image, to_pillow
from sirencodec.image.image import Image
from sirencodec.limits import Limits
from tests.unit.image.builders import (
    LOSSLESS,
    make_exif,
    make_png,
    make_samples,
    save,
)


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
