import numpy as np
import pytest

from sirencodec.config import EncodeConfig
from sirencodec.encoder import encode_image
from sirencodec.image.image import Image


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_more_effort_is_never_worse_on_a_small_image(seed: int) -> None:
    generator = np.random.default_rng(seed)
    image = Image.from_array(generator.integers(0, 256, (8, 8, 3), np.uint8))
    results = [encode_image(image, EncodeConfig(bpp=20, effort=effort)) for effort in range(4)]
    qualities = [result.psnr_db for result in results]
    assert qualities == sorted(qualities)
    assert qualities[0] < qualities[-1]
