"""What several test files need: one small image, and the same encoded once."""

import io
import os
from pathlib import Path

import pytest
import torch

import sirencodec
from tests.paths import ROOT
from tests.pictures import make_exif, make_gradient


def pytest_configure(config: pytest.Config) -> None:
    """One of several processes that share the tests takes its share of the cores."""
    shared = getattr(config, "workerinput", None)
    if shared is not None:
        share = max(1, (os.cpu_count() or 1) // shared["workercount"])
        torch.set_num_threads(share)
        os.environ["OMP_NUM_THREADS"] = str(share)  # for programs that tests start


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without a CUDA device its tests are deselected: then a skipped test means a missing part."""
    if not torch.cuda.is_available():
        config.hook.pytest_deselected(items=[item for item in items if is_for_gpu(item)])
        items[:] = [item for item in items if not is_for_gpu(item)]


def is_for_gpu(item: pytest.Item) -> bool:
    return item.get_closest_marker("gpu") is not None


@pytest.fixture(scope="session")
def gradient_png() -> bytes:
    """An image file with EXIF."""
    buffer = io.BytesIO()
    make_gradient().save(buffer, "PNG", exif=make_exif())
    return buffer.getvalue()


@pytest.fixture(scope="session")
def gradient_siren(gradient_png: bytes) -> bytes:
    """The same as a .siren file."""
    return sirencodec.encode(gradient_png, effort=0)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gradient_png: bytes) -> Path:
    """The current directory, holding a.png."""
    (tmp_path / "a.png").write_bytes(gradient_png)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # for real processes
    return tmp_path
