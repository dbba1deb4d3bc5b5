"""How large a file will be."""

import numpy as np
import pytest

from sirencodec.batch.expectation import expected_bytes
from sirencodec.config import EncodeConfig
from sirencodec.encoder import encode_image
from sirencodec.image.image import Image
from tests.pictures import make_clouds, make_gradient

CLOUDS = Image(make_clouds(160, 128))


def test_a_size_that_was_asked_for_is_expected() -> None:
    assert expected_bytes(CLOUDS, EncodeConfig(size_bytes=1234)) == 1234
    assert expected_bytes(CLOUDS, EncodeConfig(bpp=0.5)) == 160 * 128 // 16


def test_no_file_is_expected_to_be_smaller_than_the_smallest() -> None:
    assert expected_bytes(CLOUDS, EncodeConfig(size_bytes=2)) == 47


@pytest.mark.slow
@pytest.mark.parametrize(("target", "most"), [({"quality": 60}, 100), ({"psnr_db": 30}, 60)])
def test_a_tiny_smooth_picture_takes_what_the_smallest_network_does(
    target: dict[str, float], most: int
) -> None:
    """Of 24 x 16 pixels; a pyramid would take 250 bytes, and the file comes to 47."""
    image = Image.from_array(np.asarray(make_gradient()))
    config = EncodeConfig(effort=0, **target)
    assert len(encode_image(image, config).data) <= expected_bytes(image, config) <= most


@pytest.mark.parametrize("target", ["quality", "psnr_db"])
def test_more_quality_takes_more_bytes(target: str) -> None:
    sizes = [expected_bytes(CLOUDS, EncodeConfig(**{target: value})) for value in (25, 30, 35, 40)]
    assert sizes == sorted(set(sizes))
    assert 100 < sizes[0] < 160 * 128
