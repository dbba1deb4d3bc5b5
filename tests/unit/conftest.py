"""What several unit tests need."""

from collections.abc import Iterator

import pytest
import torch

from sirencodec.config import EncodeConfig
from sirencodec.encoder import encode_image
from sirencodec.image.image import Image
from sirencodec.native import tensors
from tests.pictures import make_clouds
from tests.quick import quick_settings


@pytest.fixture
def one_thread() -> Iterator[None]:
    """PyTorch on one core: fastest for pictures this small, above all on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def without_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fits as they are where nothing was compiled."""
    for name in ("single_loops", "double_loops"):
        monkeypatch.setattr(tensors, name, tuple)


@pytest.fixture(scope="session")
def pyramid_file() -> bytes:
    """A .siren file of the pyramid profile, 150 x 70 pixels: more than a cell across."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        picture = Image.from_array(make_clouds(150, 70))
        config = EncodeConfig(profile="pyramid", bpp=1.5, device="cpu")
        return encode_image(picture, config, settings=quick_settings(((1, 30), (0, 40)))).data
    finally:
        torch.set_num_threads(before)
