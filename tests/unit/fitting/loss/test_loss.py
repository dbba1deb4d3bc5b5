"""Both compiled terms, by every instruction set, on any number of threads: the same numbers."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from sirencodec.bitstream.architecture import grid_shape
from sirencodec.fitting.loss.costs import Distortion
from sirencodec.fitting.loss.distortion_native import NativeDistortion
from sirencodec.fitting.loss.rate_native import NativeRate
from sirencodec.native.library import Loops, double_loops, single_loops
from sirencodec.synthesis.threads import Workers
from sirencodec.synthesis.torch_threads import worker_threads
from tests.unit.builders import (
    ALL_GRIDS,
    UNIT,
    architecture,
    random_context,
    random_kernels,
    random_latents,
    random_refinement,
)

needs_loops = pytest.mark.skipif(not double_loops(), reason="loops are not built")
SINGLE = range(len(single_loops()))
SIZES = [(1, 1), (70, 100), (129, 65), (200, 3)]


def normal(*size: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(size, generator=generator, dtype=torch.float64)


def latents(width: int, height: int) -> list[Tensor]:
    grids = random_latents(width, height, ALL_GRIDS, spread=1.0)
    return [torch.from_numpy(grid) + normal(*grid.shape) / 4 for grid in grids]


def distortion(
    size: tuple[int, int],
    used: Loops,
    dtype: torch.dtype,
    workers: Workers,
    *,
    is_weighted: bool = False,
) -> Distortion:
    targets = (normal(3, size[1], size[0]) / 4 + 0.5).to(dtype)
    layers = [(normal(*s) / s[1] ** 0.5).to(dtype) for s in architecture(channels=3).layer_shapes]
    refinement = [torch.from_numpy(matrix).to(dtype) for matrix in random_refinement()]
    grids = [grid.to(dtype) for grid in latents(*size)]
    compute = NativeDistortion(targets, ALL_GRIDS, workers, used)
    if is_weighted:
        compute.set_targets(targets, normal(3, size[1], size[0], seed=1).square().to(dtype))
    return compute(layers, torch.from_numpy(random_kernels(6)).to(dtype), grids, refinement)


def gradient_of(found: Distortion) -> list[Tensor]:
    gradient = found.gradient
    return [*gradient.layers, gradient.kernels, *gradient.grids, *gradient.refinement]


def rate(
    size: tuple[int, int], used: Loops, dtype: torch.dtype, workers: Workers
) -> tuple[float, list[Tensor]]:
    networks = [
        [torch.from_numpy(layer / UNIT).to(dtype) for layer in network]
        for network in random_context()
    ]
    shapes = [grid_shape(*size, exponent) for exponent in ALL_GRIDS]
    compute = NativeRate(ALL_GRIDS, shapes, torch.zeros((), dtype=dtype), workers, used)
    cost = compute([grid.to(dtype) for grid in latents(*size)], networks, 0.7, 3)
    return sum(cost.bits), [
        *cost.grids,
        *(layer for layers in cost.context_networks for layer in layers),
    ]


def assert_close(ours: list[Tensor], expected: list[Tensor], tolerance: float) -> None:
    """Relative to the largest number of each tensor."""
    for one, other in zip(ours, expected, strict=True):
        if other.numel():
            assert (one.double() - other).abs().max() <= tolerance * other.abs().max() + 1e-12


@needs_loops
@pytest.mark.parametrize("variant", SINGLE)
def test_weights_in_single_precision_are_close_to_double(variant: int) -> None:
    (exact,), used = double_loops(), single_loops()[variant]
    expected = distortion((70, 100), exact, torch.float64, Workers(), is_weighted=True)
    ours = distortion((70, 100), used, torch.float32, Workers(), is_weighted=True)
    assert ours.error == pytest.approx(expected.error, rel=1e-5)
    assert_close(gradient_of(ours), gradient_of(expected), 1e-4)


@needs_loops
@pytest.mark.parametrize("variant", SINGLE)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_single_precision_is_close_to_double(size: tuple[int, int], variant: int) -> None:
    workers, (exact,) = Workers(), double_loops()
    used = single_loops()[variant]
    expected = distortion(size, exact, torch.float64, workers)
    ours = distortion(size, used, torch.float32, workers)
    assert ours.error == pytest.approx(expected.error, rel=1e-5)
    assert_close(gradient_of(ours), gradient_of(expected), 1e-4)
    expected_bits, expected_gradient = rate(size, exact, torch.float64, workers)
    bits, rate_gradient = rate(size, used, torch.float32, workers)
    assert bits == pytest.approx(expected_bits, rel=1e-5)
    assert_close(rate_gradient, expected_gradient, 1e-4)


@needs_loops
@pytest.mark.parametrize("threads", [2, 3, 7])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_threads_do_not_show(size: tuple[int, int], threads: int) -> None:
    (exact,) = double_loops()
    expected = distortion(size, exact, torch.float64, Workers())
    expected_bits, expected_gradient = rate(size, exact, torch.float64, Workers())
    with worker_threads(threads) as workers:
        ours = distortion(size, exact, torch.float64, workers)
        bits, rate_gradient = rate(size, exact, torch.float64, workers)
    assert ours.error == pytest.approx(expected.error)
    assert_close(gradient_of(ours), gradient_of(expected), 1e-10)
    assert bits == pytest.approx(expected_bits)
    assert_close(rate_gradient, expected_gradient, 1e-10)
