"""What several unit tests need."""

from collections.abc import Iterator

import pytest
import torch

import sirencodec
from sirencodec.fitting.pyramid import planning as pyramid_planning
from tests.pictures import make_clouds


@pytest.fixture
def one_thread() -> Iterator[None]:
    """PyTorch on one core: fastest for pictures this small, above all on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pyramids in a second, at any effort."""
    monkeypatch.setattr(pyramid_planning, "STAGE_STEPS", ((1, 20), (0, 40)))
    monkeypatch.setattr(pyramid_planning, "EFFORT_STEPS", (1.0,) * 10)


@pytest.fixture(scope="session")
def pyramid_file() -> bytes:
    """A .siren file of the pyramid profile, 150 x 70 pixels: more than a cell across."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setattr(pyramid_planning, "STAGE_STEPS", ((1, 30), (0, 40)))
            monkeypatch.setattr(pyramid_planning, "EFFORT_STEPS", (1.0,) * 10)
            picture = make_clouds(150, 70)
            return sirencodec.encode(picture, profile="pyramid", quality=80, device="cpu")
    finally:
        torch.set_num_threads(before)
