"""How large a file will be."""

import pytest

from sirencodec.batch.expectation import expected_bytes
from sirencodec.config import EncodeConfig
from sirencodec.image.image import Image
from tests.pictures import make_clouds

CLOUDS = Image(make_clouds(160, 128))


def test_a_size_that_was_asked_for_is_expected() -> None:
    assert expected_bytes(CLOUDS, EncodeConfig(size_bytes=1234)) == 1234
    assert expected_bytes(CLOUDS, EncodeConfig(bpp=0.5)) == 160 * 128 // 16


@pytest.mark.parametrize("target", ["quality", "psnr_db"])
def test_more_quality_takes_more_bytes(target: str) -> None:
    sizes = [expected_bytes(CLOUDS, EncodeConfig(**{target: value})) for value in (25, 30, 35, 40)]
    assert sizes == sorted(set(sizes))
    assert 100 < sizes[0] < 160 * 128
