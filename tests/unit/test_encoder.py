from dataclasses import replace

import numpy as np
import pytest

from sirencodec.bitstream.container import parse_container
from sirencodec.config import EncodeConfig
from sirencodec.encoder import encode_image
from sirencodec.fitting.progress import FitProgress
from sirencodec.fitting.pure.settings import PureSettings
from sirencodec.fitting.settings import Settings
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


def test_settings_can_be_handed_in() -> None:
    """Here a fit of five updates, of a network that is one layer deep."""
    usual = PureSettings()
    network = replace(usual.network, depth_limits=(), deepest=0)
    work = replace(usual.work, most_updates=5, fewest_updates=5)
    settings = Settings(pure=replace(usual, network=network, work=work))
    told: list[FitProgress] = []
    config = EncodeConfig(effort=0, profile="pure", device="cpu")
    image = Image.from_array(np.arange(192, dtype=np.uint8).reshape(8, 8, 3))
    result = encode_image(image, config, told.append, settings=settings)
    assert [progress.step for progress in told] == [1, 2, 3, 4, 5]
    assert parse_container(result.data).header.architecture.hidden_layers == 0
