"""Image: samples of one form, read-only, from any array of 8 or 16 bits."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from sirencodec.errors import ParameterError
from sirencodec.image.image import Image
from sirencodec.image.metadata import Metadata
from tests.unit.image.builders import HEIGHT, LOSSLESS, MODES, WIDTH, XMP, make_image, make_samples


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
