"""What several tests of the benchmarks need: a folder of two images."""

import PIL.Image
import pytest

from benchmarks.measuring.pixels import tiny_picture


@pytest.fixture
def dataset(tmp_path):
    folder = tmp_path / "tiny"
    folder.mkdir()
    for seed in range(2):
        PIL.Image.fromarray(tiny_picture(seed=seed)).save(folder / f"waves{seed}.png")
    return folder
