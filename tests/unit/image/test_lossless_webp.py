"""Samples -> bytes of a smaller lossless WebP."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import PIL.Image
import pytest

from sirencodec.image.lossless_webp import LARGEST_SIDE, smaller_lossless_webp


def stripes(channels: int, width: int = 40) -> np.ndarray:
    samples = np.zeros((24, width, channels), np.uint8)
    samples[::3, :, 0] = 200
    samples[..., channels - 1] = 255
    return samples


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_it_is_what_pillow_writes_where_that_is_smaller(channels: int) -> None:
    found = smaller_lossless_webp(stripes(channels), 1000)
    assert found is not None
    image = PIL.Image.fromarray(stripes(channels).squeeze())
    image.save(file := BytesIO(), "WEBP", lossless=True)
    assert found == len(file.getvalue())
    assert smaller_lossless_webp(stripes(channels), found) is None
    assert smaller_lossless_webp(stripes(channels), found + 1) == found


def test_what_a_webp_cannot_hold_is_not_compared() -> None:
    assert smaller_lossless_webp(stripes(3).astype(np.uint16), 10**6) is None
    assert smaller_lossless_webp(stripes(1, LARGEST_SIDE + 1), 10**6) is None


def test_photographs_are_given_up_at_a_first_look() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    assert smaller_lossless_webp(noise, 400) is None
    assert smaller_lossless_webp(noise, 10**6) is not None
