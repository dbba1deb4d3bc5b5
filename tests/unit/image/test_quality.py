import math

import numpy as np
import pytest

from sirencodec.image.quality import psnr_db


def test_equal_images_have_no_error() -> None:
    image = np.arange(24, dtype=np.uint16).reshape(2, 4, 3)
    assert psnr_db(image, image.copy()) == math.inf


def test_an_error_of_the_whole_range_is_zero_decibels() -> None:
    black = np.zeros((2, 2, 3), np.uint8)
    assert psnr_db(black, black + 255) == pytest.approx(0)


def test_colours_count_by_their_alpha() -> None:
    """Of three pixels one is hidden, and one half so: (255 / 2)^2 / 6 of 255^2."""
    reference = np.array([[[0, 255], [0, 0], [0, 127.5]]]).astype(np.uint8)
    image = reference.copy()
    image[0, 1:, 0] = 255
    assert psnr_db(reference, image) == pytest.approx(10 * math.log10(24), abs=0.05)
