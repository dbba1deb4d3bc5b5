"""Bits of a pyramid, by PyTorch and compiled: the real coder's, with the real gradient."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from sirencodec.bitstream.architecture import grid_shape
from sirencodec.entropy.prior import prior_context
from sirencodec.entropy.stored import open_stored
from sirencodec.fitting.loss.costs import ContextNetwork
from sirencodec.fitting.loss.rate_native import NativeRate
from sirencodec.fitting.loss.rate_pieces import PieceRate
from sirencodec.fitting.loss.rate_torch import TorchRate
from sirencodec.fitting.loss.terms import RateTerm
from sirencodec.native.library import Loops, double_loops
from sirencodec.synthesis.threads import Workers
from tests.payloads import encode_whole_grids
from tests.unit.builders import (
    ALL_GRIDS,
    UNIT,
    Floats,
    Levels,
    random_context,
    random_latents,
)
from tests.unit.fitting.loss.reference_loss import latent_bits

SIZES = [(1, 1), (2, 7), (33, 18), (64, 64)]
pytestmark = pytest.mark.usefixtures("one_thread")
LIKE = torch.zeros((), dtype=torch.float64)
loops_used: list[Loops] = []
in_pieces: list[bool] = []


def in_ones(context: Sequence[Sequence[Floats]]) -> list[ContextNetwork]:
    return [[torch.from_numpy(layer / UNIT) for layer in network] for network in context]


def shipped_context() -> list[list[Floats]]:
    matrices = prior_context(1)
    depth = len(matrices) // 4
    return [list(matrices[depth * phase : depth * (phase + 1)]) for phase in range(4)]


def rate_of(width: int, height: int, grids: Sequence[int] = ALL_GRIDS) -> RateTerm:
    shapes = [grid_shape(width, height, k) for k in grids]
    if loops_used and in_pieces:
        return PieceRate(grids, shapes, LIKE, Workers(), loops_used[0], points=3 * width)
    if loops_used:
        return NativeRate(grids, shapes, LIKE, Workers(), loops_used[0])
    return TorchRate(grids, shapes, LIKE)


def bits_of(
    rate: RateTerm, values: Sequence[Tensor], networks: Sequence[ContextNetwork]
) -> list[float]:
    return [float(lengths.sum()) for lengths in rate.code_lengths(values, networks)]


@pytest.fixture(autouse=True, params=["pytorch", "compiled", "pieces"])
def implementation(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.param != "pytorch":
        if not double_loops():
            pytest.skip("loops are not built")
        loops_used[:] = double_loops()
        in_pieces[:] = [True] if request.param == "pieces" else []
    yield
    loops_used.clear()


def random_values(width: int, height: int, grids: Sequence[int] = ALL_GRIDS) -> list[Tensor]:
    """Latents that are no whole numbers."""
    generator = np.random.default_rng(1)
    return [
        torch.from_numpy(grid + generator.uniform(-0.5, 0.5, grid.shape))
        for grid in random_latents(width, height, grids)
    ]


def coded_bits(
    latents: Sequence[Levels], context: Sequence[Sequence[Floats]], grids: Sequence[int] = ALL_GRIDS
) -> int:
    return 8 * len(encode_whole_grids(tuple(latents), grids, context)[1])


# Bits ------------------------------------------------------------------------------------------


def smooth_latents(width: int, height: int, spread: float) -> tuple[Levels, ...]:
    """Latents that look like those of a picture: near their neighbours, and coarser ones larger."""
    generator = np.random.default_rng(0)
    grids = []
    for exponent in ALL_GRIDS:
        rows, columns = grid_shape(width, height, exponent)
        noise = generator.laplace(0, spread * 2 ** (exponent / 2), (rows + 2, columns + 2))
        smooth = sum(noise[r : r + rows, c : c + columns] for r in range(3) for c in range(3)) / 4
        grids.append(smooth.round().astype(np.int32))
    return tuple(grids)


@pytest.mark.parametrize("spread", [0.1, 0.5, 2.0])
@pytest.mark.parametrize("size", [(96, 80), (101, 67)], ids=str)
def test_bits_are_those_of_the_coder(size: tuple[int, int], spread: float) -> None:
    """Under the shipped model; the stream ends on a whole word.

    Among latents that are no picture's, some have no chance under that model, and cost more in the
    coder than the 18 bits that they cost at most here: up to 2 % of all.
    """
    latents = smooth_latents(*size, spread)
    values = [torch.from_numpy(grid).double() for grid in latents]
    bits = sum(bits_of(rate_of(*size), values, in_ones(shipped_context())))
    coded = coded_bits(latents, shipped_context())
    assert bits == pytest.approx(coded, rel=0.02, abs=64)
    assert bits < coded + 4, "by luck, a stream ends a few bits early"


def test_bits_of_a_picture_are_those_of_the_coder(pyramid_file: bytes) -> None:
    """Within a percent; the stream ends on whole words."""
    stored = open_stored(pyramid_file)
    latents, header = stored.decode().latents, stored.header
    values = [torch.from_numpy(grid).double() for grid in latents]
    rate = rate_of(header.width, header.height)
    bits = sum(bits_of(rate, values, in_ones(shipped_context())))
    assert bits == pytest.approx(coded_bits(latents, shipped_context()), rel=0.01)


@pytest.mark.parametrize("grids", [(0,), (2, 3), (1, 2, 3, 4)], ids=str)
def test_bits_of_some_grids(grids: tuple[int, ...]) -> None:
    context = random_context(size=0.2)
    latents = random_latents(301, 203, grids, spread=1.0)
    values = [torch.from_numpy(grid).double() for grid in latents]
    bits = sum(bits_of(rate_of(301, 203, grids), values, in_ones(context)))
    assert bits == pytest.approx(coded_bits(latents, context, grids), rel=0.01, abs=64)


def test_bits_are_told_by_grid() -> None:
    """Those of coarser grids do not depend on finer ones."""
    rate, networks = rate_of(33, 18), in_ones(random_context())
    values = random_values(33, 18)
    before = bits_of(rate, values, networks)
    values[2] += 0.25
    after = bits_of(rate, values, networks)
    assert after[3:] == before[3:]
    assert all(ours != other for ours, other in zip(after[:3], before[:3], strict=True))


def latents(width: int, height: int) -> list[Tensor]:
    grids = random_latents(width, height, ALL_GRIDS, spread=1.0)
    return [torch.from_numpy(grid).double() for grid in grids]


def test_a_sample_stands_for_all() -> None:
    grids = [
        torch.from_numpy(grid).double() for grid in random_latents(90, 260, ALL_GRIDS, spread=1.0)
    ]
    rate, networks = rate_of(90, 260), in_ones(shipped_context())
    whole = rate.bits(grids, networks)
    assert rate.bits(grids, networks, is_sampled=True) == pytest.approx(whole, rel=0.1)


def test_code_lengths_by_rows_are_the_same() -> None:
    grids = [
        torch.from_numpy(grid).double() for grid in random_latents(90, 260, ALL_GRIDS, spread=1.0)
    ]
    rate, networks = rate_of(90, 260), in_ones(shipped_context())
    whole = rate.code_lengths(grids, networks)
    found = [torch.zeros_like(lengths) for lengths in whole]
    for grid, top, part in rate.code_lengths_by_rows(grids, networks, 3):
        found[grid][top : top + len(part)] += part
    torch.testing.assert_close(found[:3], whole[:3])
    assert not any(lengths.any() for lengths in found[3:])


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_code_lengths_are_those_of_each_latent(size: tuple[int, int]) -> None:
    """Together what the gradient's call says; of a latent that has changed, and of what sees it."""
    rate, networks, values = rate_of(*size), in_ones(random_context()), random_values(*size)
    before = rate.code_lengths(values, networks)
    assert [lengths.shape for lengths in before] == [grid.shape for grid in values]
    sums = [float(lengths.sum()) for lengths in before]
    assert sums == pytest.approx(rate(values, networks, 0.3).bits)
    rows, columns = values[0].shape
    values[0][rows // 2, columns // 2] += 1
    changed = (rate.code_lengths(values, networks)[0] - before[0]).abs() > 1e-9
    assert changed[rows // 2, columns // 2]
    down, across = torch.nonzero(changed).unbind(1)
    assert (down - rows // 2).abs().max() <= 3
    assert (across - columns // 2).abs().max() <= 3


@pytest.mark.parametrize("samples", [1, 10, 100])
def test_groups_do_not_show(samples: int) -> None:
    values, networks = random_values(33, 50), in_ones(random_context())
    expected = rate_of(33, 50)(values, networks, 0.3, 3)
    shapes = [grid_shape(33, 50, k) for k in ALL_GRIDS]
    ours = TorchRate(ALL_GRIDS, shapes, LIKE, samples)(values, networks, 0.3, 3)
    assert ours.bits == pytest.approx(expected.bits)
    torch.testing.assert_close(ours.grids, expected.grids)
    torch.testing.assert_close(ours.context_networks, expected.context_networks)


def test_calls_do_not_remember() -> None:
    rate, networks = rate_of(33, 18), in_ones(random_context())
    values = random_values(33, 18)
    expected = rate_of(33, 18)(values, networks, 0.3)
    rate([grid * 3 for grid in values], in_ones(random_context(1)), 1.0, 3)
    ours = rate(values, networks, 0.3)
    assert ours.bits == expected.bits
    torch.testing.assert_close(ours.grids, expected.grids, rtol=0, atol=0)
    torch.testing.assert_close(ours.context_networks, expected.context_networks, rtol=0, atol=0)


# The formulas ----------------------------------------------------------------------------------


def tensors_of(
    values: Sequence[Tensor], networks: Sequence[ContextNetwork], trained_layers: int
) -> list[Tensor]:
    """With respect to which there is a gradient, in the order of ``Rate``."""
    return [*values, *(layer for network in networks for layer in network[-trained_layers:])]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_code_lengths_are_those_of_the_formulas(size: tuple[int, int]) -> None:
    values, networks = random_values(*size), in_ones(random_context(3))
    expected = latent_bits(values, ALL_GRIDS, networks)
    ours = rate_of(*size).code_lengths(values, networks)
    torch.testing.assert_close(ours, expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("trained_layers", [1, 2, 3])
@pytest.mark.parametrize("grids", [ALL_GRIDS, (2, 3)], ids=str)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_gradient_is_that_of_autograd(
    size: tuple[int, int], grids: tuple[int, ...], trained_layers: int
) -> None:
    values, networks, weight = random_values(*size, grids), in_ones(random_context(3)), 0.7
    cost = rate_of(*size, grids)(values, networks, weight, trained_layers)
    assert [len(layers) for layers in cost.context_networks] == [trained_layers] * 4
    tensors = tensors_of(values, networks, trained_layers)
    for tensor in tensors:
        tensor.requires_grad_()
    bits = [lengths.sum() for lengths in latent_bits(values, grids, networks)]
    assert cost.bits == pytest.approx([of_grid.item() for of_grid in bits])
    expected = torch.autograd.grad(weight * torch.stack(bits).sum(), tensors)
    ours = tensors_of(cost.grids, cost.context_networks, trained_layers)
    torch.testing.assert_close(ours, list(expected), rtol=1e-6, atol=1e-8)


def test_a_hopeless_latent_has_a_bounded_cost() -> None:
    """Or it alone would decide where everything moves."""
    networks = in_ones([[layer * 0 for layer in network] for network in random_context()])
    values = [torch.zeros(grid_shape(8, 8, k), dtype=torch.float64) for k in ALL_GRIDS]
    values[0][3, 3] = 500.0
    cost = rate_of(8, 8)(values, networks, 1.0)
    assert 17 < cost.bits[0] < 200
    assert all(gradient.isfinite().all() for gradient in cost.grids)


@pytest.mark.gpu
@pytest.mark.parametrize("implementation", ["pytorch"], indirect=True)
def test_cuda_computes_the_same() -> None:
    """At every call: a GPU replays the first, with other numbers in it."""
    values, networks = random_values(33, 18), in_ones(random_context())
    shapes = [grid_shape(33, 18, exponent) for exponent in ALL_GRIDS]
    on_cuda = TorchRate(ALL_GRIDS, shapes, LIKE.cuda())
    for weight, trained_layers in ((0.3, 3), (0.2, 1), (0.1, 3)):
        moved = [[layer.cuda() for layer in network] for network in networks]
        ours = on_cuda([value.cuda() for value in values], moved, weight, trained_layers)
        expected = rate_of(33, 18)(values, networks, weight, trained_layers)
        assert ours.bits == pytest.approx(expected.bits)
        torch.testing.assert_close([grid.cpu() for grid in ours.grids], expected.grids)
        for network, other in zip(ours.context_networks, expected.context_networks, strict=True):
            torch.testing.assert_close([layer.cpu() for layer in network], other)
        for value in values:
            value *= 0.9
