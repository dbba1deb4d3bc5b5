"""What several unit tests need."""

import warnings
from collections.abc import Iterator

import pytest

from sirencodec.config import EncodeConfig
from sirencodec.encoder import encode_image
from sirencodec.errors import TargetWarning
from sirencodec.image.image import Image
from sirencodec.native import tensors
from tests.pictures import make_clouds
from tests.quick import quick_settings
from tests.threads import torch_threads


@pytest.fixture
def one_thread() -> Iterator[None]:
    """PyTorch on one core: fastest for pictures this small, above all on a busy machine."""
    with torch_threads(1):
        yield


@pytest.fixture
def without_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fits as they are where nothing was compiled."""
    for name in ("single_loops", "double_loops"):
        monkeypatch.setattr(tensors, name, tuple)


@pytest.fixture(scope="session")
def pyramid_file() -> bytes:
    """A .siren file of the pyramid profile, 150 x 70 pixels: more than a cell across.

    So few updates may miss its size by some bytes.
    """
    picture = Image.from_array(make_clouds(150, 70))
    config = EncodeConfig(profile="pyramid", bpp=1.5, effort=0, device="cpu")
    with torch_threads(1), warnings.catch_warnings(action="ignore", category=TargetWarning):
        return encode_image(picture, config, settings=quick_settings(((1, 30), (0, 40)))).data
