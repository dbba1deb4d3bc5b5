"""Steps that spend a budget where it counts."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from sirencodec.bitstream.format import LARGEST_LEVEL
from sirencodec.bitstream.quantize import STEP_SIZES, quantize
from sirencodec.entropy.matrices import matrices_bits
from sirencodec.fitting.pure.bit_allocation import allocate_steps, sensitivities
from sirencodec.synthesis.network import Layers
from tests.unit.builders import plain_evaluate, random_layers, random_points

WEIGHTS = [np.random.default_rng(seed).normal(size=(12, 13)) for seed in range(3)]


def bits(indices: tuple[int, ...]) -> float:
    return matrices_bits(quantize(WEIGHTS, indices))


@pytest.mark.parametrize("budget_bits", [1_500, 2_000, 4_000])
def test_the_finest_steps_within_the_budget(budget_bits: float) -> None:
    indices = allocate_steps(WEIGHTS, [1, 1, 1], budget_bits)
    assert bits(indices) <= budget_bits
    assert bits(indices) > 0.97 * budget_bits


def test_a_layer_that_counts_more_gets_a_finer_step() -> None:
    """By the root of its sensitivity: s^2 times it is the same everywhere."""
    sensitive = [1.0, 100.0, 1.0]
    steps = STEP_SIZES[list(allocate_steps(WEIGHTS, sensitive, 2_000))]
    assert steps[0] == steps[2]
    assert steps[0] / steps[1] == pytest.approx(10, rel=0.1)


def test_a_budget_for_nothing_takes_the_coarsest_steps() -> None:
    assert allocate_steps(WEIGHTS, [1, 1, 1], 0) == allocate_steps(WEIGHTS, [1, 1, 1], 1)
    assert bits(allocate_steps(WEIGHTS, [1, 1, 1], 0)) < 200


def test_no_weight_is_out_of_reach_of_its_levels() -> None:
    """However much a layer counts and there is to spend."""
    (index,) = allocate_steps([np.full((2, 3), 1e3)], [1e12], 1e9)
    assert 1e3 / STEP_SIZES[index] <= LARGEST_LEVEL


def test_a_layer_without_effect_is_no_error() -> None:
    assert len(allocate_steps(WEIGHTS, [0.0, 1.0, 1.0], 2_000)) == 3


def mean_squared_derivatives(layers: Layers, points: Tensor) -> list[float]:
    """Over the weights of a layer and the points, summed over channels: by autograd."""
    leaves = [layer.clone().requires_grad_() for layer in layers]
    values = plain_evaluate(leaves, points).ravel()
    each = torch.eye(len(values), dtype=values.dtype)
    gradients = torch.autograd.grad(values, leaves, each, is_grads_batched=True)
    return [float(g.square().mean((1, 2)).sum()) / points.shape[1] for g in gradients]


@pytest.mark.parametrize("layers", [0, 1, 3])
def test_sensitivities_of_one_channel_are_exact(layers: int) -> None:
    network, points = random_layers(5, layers, 1), random_points(30)
    expected = mean_squared_derivatives(network, points)
    assert sensitivities(network, points) == pytest.approx(expected)


def test_sensitivities_of_several_channels_are_estimates() -> None:
    network, points = random_layers(6, 1, 3), random_points(400)
    expected = mean_squared_derivatives(network, points)
    assert sensitivities(network, points) == pytest.approx(expected, rel=0.15)
