"""What a stage of a fit shows of all matrices: the same features at every size."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from sirencodec.bitstream.architecture import INPUTS, grid_shape
from sirencodec.fitting.loss.costs import Distortion
from sirencodec.fitting.loss.distortion_torch import TorchDistortion
from sirencodec.fitting.pyramid.matrices import Parts, TrainedMatrices
from sirencodec.fitting.pyramid.settings import PyramidSettings
from sirencodec.fitting.pyramid.stage import StageView
from tests.unit.builders import architecture, random_kernels

pytestmark = pytest.mark.usefixtures("one_thread")
SHAPE = architecture(channels=2)
SIDE = 64
OCTAVES = [0, 1, 2]


def make() -> Parts:
    """Kernels whose taps do not add up to one, a network that sees features only."""
    generator = torch.Generator().manual_seed(0)
    matrices = TrainedMatrices(
        SHAPE, torch.full((2,), 0.5), 0.001, PyramidSettings(), generator, torch.device("cpu")
    )
    parts = matrices.parts
    parts.kernels.copy_(torch.from_numpy(random_kernels(SHAPE.grids[-1])))
    for layer in parts.layers:
        layer += 0.3 * torch.randn(layer.shape, generator=generator)
    parts.layers[0][:, :INPUTS] = 0
    for matrix in parts.refinement:
        matrix.zero_()
    return parts


def distortion(parts: Parts, octaves: int) -> tuple[Distortion, StageView]:
    """Of a gray picture, reduced, and flat grids that hold 0.5 from 1/4 on and nothing before."""
    view = StageView(SHAPE, octaves, parts)
    side = SIDE >> octaves
    local = [exponent - octaves for exponent in view.exponents]
    grids: list[Tensor] = [
        torch.full(grid_shape(side, side, k), 0.5 if k + octaves > 1 else 0.0) for k in local
    ]
    tiles = TorchDistortion(torch.full((2, side, side), 0.4), local, view.layers(parts.layers))
    return tiles(*view.shown(parts, grids)), view


@pytest.mark.parametrize("octaves", OCTAVES)
def test_features_keep_their_size(octaves: int) -> None:
    """A flat picture is what it is whatever it is reduced by."""
    parts = make()
    full, reduced = distortion(parts, 0)[0], distortion(parts, octaves)[0]
    assert reduced.error == pytest.approx(full.error, rel=1e-4)
    assert full.error > 0.001


@pytest.mark.parametrize("octaves", OCTAVES)
def test_the_gradient_is_that_of_all_matrices(octaves: int) -> None:
    parts = make()
    measured, view = distortion(parts, octaves)
    gradient = view.gradient(measured.gradient, [], parts)
    generator = torch.Generator().manual_seed(1)
    direction = torch.randn(parts.layers[0].shape, generator=generator)
    expected = float((gradient.layers[0] * direction).sum())
    errors = []
    for step in (-0.01, 0.01):
        moved = make()
        moved.layers[0] += step * direction
        errors.append(distortion(moved, octaves)[0].error)
    assert (errors[1] - errors[0]) / 0.02 == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("octaves", OCTAVES)
def test_what_is_not_shown_stays(octaves: int) -> None:
    parts, before = make(), make()
    view = StageView(SHAPE, octaves, parts)
    copies = view.copies(parts)
    for part in (parts.layers[0], parts.kernels, *parts.refinement):
        part += 1
    view.restore(parts, copies)
    hidden = slice(INPUTS, INPUTS + octaves)
    torch.testing.assert_close(parts.layers[0][:, hidden], before.layers[0][:, hidden])
    torch.testing.assert_close(parts.kernels[:octaves], before.kernels[:octaves])
    shown = [parts.layers[0][:, INPUTS + octaves :] - before.layers[0][:, INPUTS + octaves :]]
    shown.append(parts.kernels[octaves:] - before.kernels[octaves:])
    for change in shown:
        torch.testing.assert_close(change, torch.ones_like(change))
    for matrix, old in zip(parts.refinement, before.refinement, strict=True):
        torch.testing.assert_close(matrix, old + (0 if octaves else 1))
