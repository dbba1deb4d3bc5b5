"""Colour of 16 bits a sample: read in full from PNG and TIFF, else cut and said so."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from sirencodec.errors import ConversionWarning
from sirencodec.image.files import from_pillow, read_image
from sirencodec.image.image import Image
from tests.unit.image.builders import make_image, make_samples, make_tiff, written


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
