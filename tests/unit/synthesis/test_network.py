"""The sine network: where it starts, what it computes, and its written-out derivatives."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from sirencodec.bitstream.architecture import Architecture
from sirencodec.synthesis.network import (
    Layers,
    augment,
    evaluate,
    evaluate_with_jacobian,
    initial_layers,
    sensitivities,
)

SHAPES = [(1, 0, 1), (5, 0, 2), (7, 1, 3), (6, 3, 4), (4, 6, 1)]  # features, layers, channels


def random_layers(features: int, layers: int, channels: int) -> Layers:
    """A network in double precision whose every weight matters."""
    generator = torch.Generator().manual_seed(features + layers)
    shapes = Architecture(features, layers, channels, 30).layer_shapes
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]


def random_points(count: int) -> Tensor:
    generator = torch.Generator().manual_seed(count)
    return augment(torch.rand(count, 2, generator=generator, dtype=torch.float64) * 2 - 1)


def plain_evaluate(layers: Layers, points: Tensor) -> Tensor:
    """What FORMAT.md says, for autograd to differentiate."""
    hidden = points
    for layer in layers[:-1]:
        hidden = torch.cat([torch.sin(layer @ hidden), torch.ones_like(points[:1])])
    return layers[-1] @ hidden


# Values ----------------------------------------------------------------------------------------


def test_augment() -> None:
    points = augment(torch.tensor([[0.25, -0.5], [1.0, 0.0]]))
    assert points.tolist() == [[0.25, 1.0], [-0.5, 0.0], [1.0, 1.0]]


@pytest.mark.parametrize("shape", SHAPES)
def test_evaluate(shape: tuple[int, int, int]) -> None:
    layers, points = random_layers(*shape), random_points(20)
    torch.testing.assert_close(evaluate(layers, points), plain_evaluate(layers, points))


def test_one_sine() -> None:
    layers = [torch.tensor([[2.0, 3.0, 0.5]]), torch.tensor([[0.7, 0.1]])]
    value = evaluate(layers, augment(torch.tensor([[0.3, -0.2]])))
    assert value.item() == pytest.approx(0.7 * math.sin(0.6 - 0.6 + 0.5) + 0.1)


# Initialisation --------------------------------------------------------------------------------


def start(architecture: Architecture, axis_scale: tuple[float, float] = (1.0, 1.0)) -> Layers:
    return initial_layers(architecture, axis_scale, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("features", [32, 256])
def test_phases_keep_their_variance_through_depth(features: int) -> None:
    """In the first hidden layer it is 1. Where it is Gaussian, that of a sine is (1 - e^-2v) / 2;
    the variance thus settles near the v with v = 1 - e^-2v, which is 0.8.
    """
    layers = start(Architecture(features, 6, 3, 30))
    hidden, variances = random_points(4096).float(), []
    for layer in layers[:-1]:
        phase = layer @ hidden
        variances.append(float(phase.var()))
        hidden = torch.cat([torch.sin(phase), torch.ones_like(phase[:1])])
    assert variances[1] == pytest.approx(1, abs=0.1)
    assert variances[2:] == pytest.approx([0.85] * 5, abs=0.12)


def test_activations_are_arcsine_distributed() -> None:
    """After the first layer exactly so; after Gaussian phases of variance 0.8 within 0.1."""
    layers = start(Architecture(256, 6, 3, 30))
    hidden, distances = random_points(4096).float(), []
    for layer in layers[:-1]:
        hidden = torch.sin(layer[:, :-1] @ hidden[: layer.shape[1] - 1] + layer[:, -1:])
        sorted_values = np.sort(hidden.double().numpy().ravel())
        arcsine = 0.5 + np.arcsin(sorted_values) / np.pi
        empirical = (np.arange(len(arcsine)) + 0.5) / len(arcsine)
        distances.append(float(np.abs(empirical - arcsine).max()))
    assert distances[0] < 0.01
    assert max(distances) < 0.1


def test_bounds_of_the_initial_weights() -> None:
    layers = start(Architecture(50, 2, 3, 30))
    hidden_bound = math.sqrt(6 / 50)
    bounds = [15.0, hidden_bound, hidden_bound, 0.1 * hidden_bound]
    for layer, bound in zip(layers, bounds, strict=True):
        assert 0.9 * bound < layer[:, :-1].abs().max() <= bound
    assert 0.9 * math.pi < layers[0][:, -1].abs().max() <= math.pi
    assert layers[1][:, -1].abs().max() <= hidden_bound / 2
    assert not layers[-1][:, -1].any()


def test_axis_scale_and_seed() -> None:
    architecture = Architecture(9, 1, 1, 30)
    square, wide = start(architecture), start(architecture, (1.0, 0.25))
    torch.testing.assert_close(wide[0], square[0] * torch.tensor([1.0, 0.25, 1.0]))
    torch.testing.assert_close(wide[1:], square[1:])
    other = initial_layers(architecture, (1.0, 1.0), torch.Generator().manual_seed(1))
    assert not torch.equal(other[0], square[0])


# Derivatives -----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_jacobian_is_that_of_finite_differences(shape: tuple[int, int, int]) -> None:
    layers, points = random_layers(*shape), random_points(20)
    tangents = torch.eye(2, dtype=torch.float64)[:, :, None].expand(-1, -1, 20)
    values, jacobian = evaluate_with_jacobian(layers, points, tangents)
    torch.testing.assert_close(values, evaluate(layers, points))
    step = 1e-6
    for axis in (0, 1):
        ahead, behind = points.clone(), points.clone()
        ahead[axis] += step
        behind[axis] -= step
        difference = (evaluate(layers, ahead) - evaluate(layers, behind)) / (2 * step)
        torch.testing.assert_close(jacobian[axis], difference, rtol=1e-5, atol=1e-6)


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
