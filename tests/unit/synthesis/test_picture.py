"""Integers of a file -> arrays and tensors of the numbers that they stand for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sirencodec.entropy.stored import open_stored
from sirencodec.synthesis.picture import Picture, to_picture
from sirencodec.synthesis.torch_picture import to_torch
from tests.paths import VALID

CPU = torch.device("cpu")


def picture_of(name: str) -> Picture:
    stored = open_stored((VALID / f"{name}.siren").read_bytes())
    return to_picture(stored.decode(), stored.header)


@pytest.mark.parametrize("name", ["photograph", "pyramid-context", "pyramid-only-1"])
def test_a_picture_has_all_that_its_header_says(name: str) -> None:
    picture = picture_of(name)
    architecture = picture.header.architecture
    assert tuple(layer.shape for layer in picture.layers) == architecture.layer_shapes
    assert len(picture.grids) == len(architecture.grids)
    octaves = architecture.grids[-1] if architecture.grids else 0
    assert picture.kernels.shape == (octaves, 4)
    assert len(picture.refinement) == (2 if architecture.grids else 0)


def test_numbers_are_levels_times_steps() -> None:
    stored = open_stored((VALID / "photograph.siren").read_bytes())
    quantized = stored.decode()
    picture = to_picture(quantized, stored.header)
    for layer, levels in zip(picture.layers, quantized.weights.levels, strict=True):
        step = np.abs(layer[levels != 0] / levels[levels != 0])
        np.testing.assert_array_equal(step, step[0])


@pytest.mark.parametrize(("exact", "dtype"), [(True, torch.float64), (False, torch.float32)])
@pytest.mark.parametrize("name", ["photograph", "pyramid-context"])
def test_tensors_are_the_same_numbers(name: str, exact: bool, dtype: torch.dtype) -> None:
    picture = picture_of(name)
    tensors = to_torch(picture, CPU, exact=exact)
    assert (tensors.field is None) == (not picture.grids)
    for tensor, matrix in zip(tensors.layers, picture.layers, strict=True):
        assert tensor.dtype == dtype
        np.testing.assert_array_equal(tensor.numpy(), matrix)
