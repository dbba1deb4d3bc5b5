"""What a fit moves of the matrices: its order, its rounding, and what becomes of the file's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from sirencodec.bitstream.architecture import Architecture
from sirencodec.bitstream.quantize import dequantize, step_size
from sirencodec.entropy.payload import (
    QuantizedPicture,
    encode_payload,
    matrix_shapes,
)
from sirencodec.entropy.prior import (
    LARGEST_REFINEMENT_WEIGHT,
    adapted_context,
    adapted_refinement,
    prior_context,
    prior_refinement,
)
from sirencodec.fitting.pyramid.matrices import Parts, TrainedMatrices
from sirencodec.fitting.pyramid.settings import PyramidSettings
from tests.payloads import decode_payload
from tests.unit.builders import UNIT, architecture, random_latents

pytestmark = pytest.mark.usefixtures("one_thread")
SHAPE = architecture(channels=2)
LAYERS, CONTEXT, DEPTH = 3, 12, 3  # matrices of the network, of the context model, of each phase's
REFINEMENT = LAYERS + 1 + CONTEXT
ADAPTED = [1, 2, 3]
some_adapted = pytest.mark.parametrize("adapted", ADAPTED)


def make(adapted: int = 1, shape: Architecture = SHAPE, *, moved: bool = True) -> TrainedMatrices:
    """All that is trained a little away from where it starts."""
    generator = torch.Generator().manual_seed(0)
    mean = torch.full((shape.channels,), 0.5)
    usual = PyramidSettings()
    settings = replace(usual, matrices=replace(usual.matrices, adapted_layers=adapted))
    matrices = TrainedMatrices(shape, mean, 0.001, settings, generator, torch.device("cpu"))
    if moved:
        for value in matrices.values:
            value += 0.3 * torch.randn(value.shape, generator=generator)
    return matrices


def nothing(parts: Parts) -> float:
    return 0.0


def steps_of(matrices: TrainedMatrices) -> tuple[int, ...]:
    """Different ones, those of context differences whole."""
    return tuple(112 + 3 * place for place in range(len(matrices.values)))


def all_of(matrices: TrainedMatrices) -> list[Tensor]:
    return [value.clone() for value in matrices.values]


@some_adapted
def test_parts(adapted: int) -> None:
    """At first the context model and the refinement are those that ship."""
    parts = make(adapted, moved=False).parts
    assert [tuple(layer.shape) for layer in parts.layers] == list(SHAPE.layer_shapes)
    assert (tuple(parts.kernels.shape),) == SHAPE.kernel_shapes
    assert [len(network) for network in parts.networks] == [DEPTH] * 4
    flat = [layer for network in parts.networks for layer in network]
    for ours, shipped in zip(flat, prior_context(1), strict=True):
        np.testing.assert_array_equal(ours.double() * UNIT, shipped)
    for ours, shipped in zip(parts.refinement, prior_refinement(1), strict=True):
        np.testing.assert_array_equal(ours, shipped.astype(np.float32))


@some_adapted
def test_only_the_last_layers_of_the_context_model_are_trained(adapted: int) -> None:
    matrices = make(adapted)
    assert len(matrices.values) == LAYERS + 1 + 4 * adapted + 2
    shipped = [torch.from_numpy(matrix / UNIT).float() for matrix in prior_context(1)]
    for phase, network in enumerate(matrices.parts.networks):
        for number, layer in enumerate(network):
            same = torch.equal(layer, shipped[DEPTH * phase + number])
            assert same == (number < DEPTH - adapted)


@some_adapted
def test_quantized_has_the_order_and_shapes_of_the_file(adapted: int) -> None:
    matrices = make(adapted)
    quantized = matrices.quantized(steps_of(matrices))
    shapes = matrix_shapes(SHAPE)
    assert len(shapes) == REFINEMENT + 2
    assert tuple(levels.shape for levels in quantized.levels) == shapes
    assert {levels.dtype for levels in quantized.levels} == {np.dtype(np.int32)}
    trained = [
        place
        for place in range(len(shapes))
        if not LAYERS < place < REFINEMENT or (place - LAYERS - 1) % DEPTH >= DEPTH - adapted
    ]
    for place, (levels, step) in enumerate(
        zip(quantized.levels, quantized.step_indices, strict=True)
    ):
        assert levels.any() == (place in trained)
        assert step == (steps_of(matrices)[trained.index(place)] if place in trained else 0)


@some_adapted
def test_nothing_moved_is_no_difference(adapted: int) -> None:
    matrices = make(adapted, moved=False)
    quantized = matrices.quantized(steps_of(matrices))
    assert all(levels.any() for levels in quantized.levels[: LAYERS + 1])
    assert not any(levels.any() for levels in quantized.levels[LAYERS + 1 :])


@some_adapted
def test_a_decoder_rebuilds_what_is_rounded(adapted: int) -> None:
    """From the payload: network, kernels, context model and refinement."""
    matrices = make(adapted)
    picture = QuantizedPicture(matrices.quantized(steps_of(matrices)), random_latents(9, 7))
    weights = decode_payload(encode_payload(picture, SHAPE), SHAPE, 9, 7).weights
    matrices.round(steps_of(matrices))
    rounded = matrices.parts
    rebuilt = [torch.from_numpy(matrix).float() for matrix in dequantize(weights)]
    torch.testing.assert_close(rounded.layers, rebuilt[:LAYERS], rtol=0, atol=0)
    torch.testing.assert_close(rounded.kernels, rebuilt[LAYERS], rtol=0, atol=0)
    for ours, expected in zip(rounded.networks, adapted_context(1, weights), strict=True):
        for layer, other in zip(ours, expected, strict=True):
            np.testing.assert_allclose(layer, other / UNIT, rtol=0, atol=1e-6)
    for matrix, other in zip(rounded.refinement, adapted_refinement(1, weights), strict=True):
        np.testing.assert_allclose(matrix, other, rtol=0, atol=1e-6)


def test_rounding_is_to_the_nearest_level() -> None:
    """Differences are rounded where there is something to differ from."""
    matrices = make()
    exact, levels = all_of(matrices), matrices.quantized(steps_of(matrices)).levels
    matrices.round(steps_of(matrices))
    steps = [step_size(index) for index in steps_of(matrices)]
    for before, after, step in zip(exact, matrices.values, steps, strict=True):
        change = (before - after).abs().max()
        assert 0.4 * step < change <= 0.5001 * step + 1e-7
    for again, first in zip(matrices.quantized(steps_of(matrices)).levels, levels, strict=True):
        np.testing.assert_array_equal(again, first)
    refinement = matrices.parts.refinement
    for matrix, shipped, step in zip(refinement, prior_refinement(1), steps[-2:], strict=True):
        levels = (matrix.double().numpy() - shipped) / step
        np.testing.assert_allclose(levels, np.rint(levels), atol=1e-4)


def test_steps_are_the_finer_the_more_an_error_costs() -> None:
    """And as coarse as can be where neither error nor latents mind."""
    matrices = make()
    before = all_of(matrices)
    careless = matrices.cheapest_steps(nothing, nothing, 1.0, ())
    assert {step_size(index) for index in careless} == {0.5}

    def error(parts: Parts) -> float:
        own = [*parts.layers, parts.kernels, *parts.refinement]
        others = [*before[: LAYERS + 1], *before[-2:]]
        return sum(float((a - b).square().sum()) for a, b in zip(own, others, strict=True))

    def latent_bits(parts: Parts) -> float:
        own = [network[-1] for network in parts.networks]
        others = before[LAYERS + 1 : -2]
        return sum(float((a - b).square().sum()) for a, b in zip(own, others, strict=True)) / 1e-5

    careful = matrices.cheapest_steps(error, latent_bits, 1e-5, ())
    assert all(fine < coarse for fine, coarse in zip(careful, careless, strict=True))
    torch.testing.assert_close(matrices.values, before, rtol=0, atol=0)


def test_steps_at_which_nothing_is_left_are_not_missed() -> None:
    """The coarsest, though the next ones are worse than fine ones and a walk ends among them."""
    matrices = make(moved=False)
    context = slice(LAYERS + 1, -2)
    shipped = all_of(matrices)[context]
    for value in matrices.values[context]:
        value += 0.2

    def latent_bits(parts: Parts) -> float:
        """Nothing for the shipped networks, nor for those there are but for their rounding."""
        own = [network[-1] for network in parts.networks]
        pairs = zip(own, shipped, matrices.values[context], strict=True)
        return sum(
            not torch.equal(rounded, base) and bool((rounded - exact).abs().max() > 0.01)
            for rounded, base, exact in pairs
        )

    found = matrices.cheapest_steps(nothing, latent_bits, 1e-5, ())
    assert {step_size(index) for index in found[context]} == {0.5}


def test_a_later_choice_begins_where_the_last_one_ended() -> None:
    """So it finds the same with fewer looks."""
    matrices = make()
    before = all_of(matrices)
    looks = []

    def error(parts: Parts) -> float:
        looks.append(parts)
        own, others = [*parts.layers, parts.kernels], before[: LAYERS + 1]
        return sum(float((a - b).square().sum()) for a, b in zip(own, others, strict=True))

    found = matrices.cheapest_steps(error, nothing, 1e-9, ())
    first_looks = len(looks)
    assert matrices.cheapest_steps(error, nothing, 1e-9, found) == found
    assert len(looks) - first_looks < first_looks


def test_moving_goes_down_and_keeps_to_what_a_file_may_hold() -> None:
    matrices = make()
    before = all_of(matrices)
    ones = [torch.ones_like(value) for value in matrices.values]
    networks = [[ones[LAYERS + 1 + phase]] for phase in range(4)]
    gradient = Parts(ones[:LAYERS], ones[LAYERS], networks, ones[-2:])
    matrices.move(gradient, 1.0, 0.0)
    for value, old in zip(matrices.values, before, strict=True):
        assert value.sum() < old.sum()
    for _ in range(2):
        matrices.move(gradient, 1e5, 0.0)
    for matrix in (matrices.parts.kernels, *matrices.parts.refinement):
        assert matrix.abs().max() <= LARGEST_REFINEMENT_WEIGHT / 2


def test_bits_draw_matrices_to_what_is_shipped() -> None:
    """Where the picture does not care; those that are coded as they are stay."""
    shipped, matrices = all_of(make(moved=False)), make()
    before = all_of(matrices)
    zeros = [torch.zeros_like(value) for value in matrices.values]
    networks = [[zeros[LAYERS + 1 + phase]] for phase in range(4)]
    indifferent = Parts(zeros[:LAYERS], zeros[LAYERS], networks, zeros[-2:])
    for _ in range(10):
        matrices.move(indifferent, 0.01, 4e-7)
    triples = list(zip(matrices.values, before, shipped, strict=True))
    for matrix, old, _ in triples[: LAYERS + 1]:
        assert matrix.equal(old)
    for matrix, old, base in triples[LAYERS + 1 :]:
        assert (matrix - base).abs().mean() < (old - base).abs().mean()
