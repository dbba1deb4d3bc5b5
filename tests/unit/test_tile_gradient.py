"""Error of the image that a pyramid makes: that of a decode, with its gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from sirencodec import tile_gradient
from sirencodec.features import FeatureField
from sirencodec.query import Network, Region, query_strips
from sirencodec.tile_gradient import TileGradient
from tests.unit.pyramids import ALL_GRIDS, architecture, random_kernels, random_latents

pytestmark = pytest.mark.usefixtures("one_thread")
SIZES = [(1, 1), (5, 3), (64, 64), (70, 100), (130, 65)]


@dataclass
class Case:
    """A network in double precision, and an image for it."""

    width: int
    height: int
    grids: tuple[int, ...] = ALL_GRIDS
    channels: int = 2

    def __post_init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        shape = architecture(self.grids, self.channels)

        def normal(*size: int) -> Tensor:
            return torch.randn(size, generator=generator, dtype=torch.float64)

        self.targets = normal(self.channels, self.height, self.width) / 4 + 0.5
        self.layers = [normal(*size) / size[1] ** 0.5 for size in shape.layer_shapes]
        self.kernels = torch.from_numpy(random_kernels(self.grids[-1])) if self.grids[-1] else None
        latents = random_latents(self.width, self.height, self.grids, spread=1.0)
        self.latents = [torch.from_numpy(grid) + normal(*grid.shape) / 4 for grid in latents]

    def gradient(self) -> TileGradient:
        return TileGradient(self.targets, self.grids, self.layers)

    def tensors(self) -> list[Tensor]:
        kernels = [] if self.kernels is None else [self.kernels]
        return [*self.layers, *kernels, *self.latents]


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that small images have several."""
    monkeypatch.setattr(tile_gradient, "TILE", 64)


def decoded_error(case: Case) -> float:
    field = FeatureField(case.latents, case.grids, case.kernels, case.width, case.height)
    width, height = case.width, case.height
    region = Region(0, 0, width, height, width, height, width, height)
    values = np.concatenate(list(query_strips(Network(case.layers, field), region)))
    return float(np.square(values - case.targets.permute(1, 2, 0).numpy()).mean())


@pytest.mark.parametrize("grids", [ALL_GRIDS, (0,), (6,), (1, 2)], ids=str)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_error_is_that_of_a_decode(size: tuple[int, int], grids: tuple[int, ...]) -> None:
    case = Case(*size, grids)
    ours = case.gradient()(case.layers, case.kernels, case.latents)
    assert ours.error == pytest.approx(decoded_error(case), rel=1e-9)
    assert (ours.kernels is None) == (grids == (0,))


@pytest.mark.parametrize("tile", [64, 128, 256])
def test_tiles_do_not_show(tile: int, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(130, 65)
    expected = case.gradient()(case.layers, case.kernels, case.latents)
    monkeypatch.setattr(tile_gradient, "TILE", tile)
    ours = case.gradient()(case.layers, case.kernels, case.latents)
    assert ours.error == pytest.approx(expected.error)
    assert ours.kernels is not None
    torch.testing.assert_close(ours.layers, expected.layers)
    torch.testing.assert_close(ours.kernels, expected.kernels)
    torch.testing.assert_close(ours.grids, expected.grids)


def directions(tensor: Tensor) -> Sequence[Tensor]:
    """A random one, and a corner's alone."""
    generator = torch.Generator().manual_seed(1)
    corner = torch.zeros_like(tensor)
    corner[-1, -1] = 1
    return torch.randn(tensor.shape, generator=generator, dtype=torch.float64), corner


@pytest.mark.parametrize("grids", [ALL_GRIDS, (0,), (2, 3)], ids=str)
@pytest.mark.parametrize("size", [(1, 1), (5, 3), (70, 100)], ids=str)
def test_gradient_is_that_of_finite_differences(
    size: tuple[int, int], grids: tuple[int, ...]
) -> None:
    case, step = Case(*size, grids), 1e-5
    gradient = case.gradient()
    ours = gradient(case.layers, case.kernels, case.latents)
    kernels = [] if ours.kernels is None else [ours.kernels]
    slopes = [*ours.layers, *kernels, *ours.grids]
    for slope, tensor in zip(slopes, case.tensors(), strict=True):
        assert slope.shape == tensor.shape
        original = tensor.clone()
        for direction in directions(tensor):
            errors = []
            for side in (step, -step):
                tensor.copy_(original + side * direction)
                errors.append(gradient(case.layers, case.kernels, case.latents).error)
            tensor.copy_(original)
            difference = (errors[0] - errors[1]) / (2 * step)
            expected = float((slope * direction).sum())
            assert difference == pytest.approx(expected, rel=1e-5, abs=1e-8)


def test_calls_do_not_remember() -> None:
    case = Case(70, 100)
    gradient = case.gradient()
    first = gradient(case.layers, case.kernels, case.latents)
    gradient([2 * layer for layer in case.layers], case.kernels, case.latents)
    again = gradient(case.layers, case.kernels, case.latents)
    assert again.error == first.error
    torch.testing.assert_close(again.grids, first.grids, rtol=0, atol=0)
    torch.testing.assert_close(again.layers, first.layers, rtol=0, atol=0)


def test_the_target_itself_has_no_error_and_no_slope() -> None:
    """Gray of 1/4 everywhere, from a network that says nothing else."""
    case = Case(70, 100)
    case.targets[:] = 0.25
    case.layers[-1].zero_()
    case.layers[-1][:, -1] = 0.25
    ours = case.gradient()(case.layers, case.kernels, case.latents)
    assert ours.error == 0
    assert not any(slope.any() for slope in [*ours.layers, *ours.grids])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_computes_the_same() -> None:
    case = Case(70, 100)
    expected = case.gradient()(case.layers, case.kernels, case.latents)
    assert case.kernels is not None
    layers, latents = ([t.cuda() for t in tensors] for tensors in (case.layers, case.latents))
    gradient = TileGradient(case.targets.cuda(), case.grids, layers)
    ours = gradient(layers, case.kernels.cuda(), latents)
    assert ours.error == pytest.approx(expected.error)
    torch.testing.assert_close([slope.cpu() for slope in ours.layers], expected.layers)
    torch.testing.assert_close([slope.cpu() for slope in ours.grids], expected.grids)
    assert ours.kernels is not None
    assert expected.kernels is not None
    torch.testing.assert_close(ours.kernels.cpu(), expected.kernels)
