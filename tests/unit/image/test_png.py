"""The package's own PNG: any samples and metadata come back, at any size."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from sirencodec.image.files import read_image
from sirencodec.image.image import Image
from sirencodec.image.metadata import Metadata
from sirencodec.image.png import write_png
from tests.unit.image.builders import (
    LOSSLESS,
    SRGB,
    XMP,
    make_exif,
    make_image,
    make_samples,
    written,
)


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
def test_what_is_written_in_strips_is_read(channels: int, dtype: type) -> None:
    """Also where Pillow could write it: images too large to copy are written so."""
    generator = np.random.default_rng(channels)
    samples = generator.integers(0, np.iinfo(dtype).max, (37, 23, channels), dtype)
    metadata = Metadata(icc_profile=b"profile", exif=b"II*\0\x08\0\0\0", xmp=b"<x/>")
    buffer = io.BytesIO()
    write_png(samples, metadata, buffer)
    again = read_image(buffer.getvalue())
    np.testing.assert_array_equal(again.samples, samples)
    assert again.metadata == metadata


def test_deep_png_larger_than_one_strip() -> None:
    image = Image(make_samples("RGBA;16", height=300, width=700))
    assert np.array_equal(read_image(written(image, "PNG")).samples, image.samples)


@pytest.mark.parametrize("mode", LOSSLESS["PNG"])
def test_png_is_sound_to_its_last_checksum(mode: str) -> None:
    data = written(make_image(mode, Metadata(SRGB, make_exif(), XMP)), "PNG")
    PIL.Image.open(io.BytesIO(data)).verify()
