"""The written-out gradient of a sine network is autograd's, in two halves and in one piece."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from sirencodec.bitstream.architecture import Architecture
from sirencodec.fitting.loss.backpropagation import Backpropagation, to_squared_error_gradient
from sirencodec.synthesis.network import Layers, augment, evaluate

SHAPES = [(1, 0, 1), (5, 0, 2), (7, 1, 3), (6, 3, 4), (4, 6, 1)]  # features, layers, channels
POINTS = 33


def normal(*size: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(size, generator=generator, dtype=torch.float64)


def random_case(features: int, layers: int, channels: int) -> tuple[Layers, Tensor]:
    """A network whose every weight matters, and points."""
    shapes = Architecture(features, layers, channels, 30).layer_shapes
    points = augment(normal(POINTS, 2, seed=0))
    return [normal(*shape, seed=number) for number, shape in enumerate(shapes)], points


@pytest.mark.parametrize("shape", SHAPES)
def test_squared_error_and_gradient_are_those_of_autograd(shape: tuple[int, int, int]) -> None:
    layers, points = random_case(*shape)
    targets = normal(shape[2], POINTS, seed=9)
    backpropagation = Backpropagation(layers, POINTS)
    backpropagation(layers, points.flip(1), targets)  # buffers must not remember a batch
    error, gradient = backpropagation(layers, points, targets)

    leaves = [layer.clone().requires_grad_() for layer in layers]
    expected = (evaluate(leaves, points) - targets).square().sum()
    torch.testing.assert_close(error, expected.detach())
    torch.testing.assert_close(gradient, list(torch.autograd.grad(expected, leaves)))


@pytest.mark.parametrize("shape", SHAPES)
def test_any_gradient_goes_back_to_layers_and_inputs(shape: tuple[int, int, int]) -> None:
    layers, points = random_case(*shape)
    given = normal(shape[2], POINTS, seed=9)
    backpropagation = Backpropagation(layers, POINTS)
    values = backpropagation.values(layers, points).clone()
    gradient = backpropagation.gradient(layers, points, given)
    of_y = backpropagation.inputs_gradient(layers, slice(1, 2), given.new_empty(1, POINTS))

    leaves = [tensor.clone().requires_grad_() for tensor in (*layers, points)]
    expected_values = evaluate(leaves[:-1], leaves[-1])
    torch.testing.assert_close(values, expected_values.detach())
    *expected, of_points = torch.autograd.grad([expected_values], leaves, [given])
    torch.testing.assert_close(gradient, expected)
    torch.testing.assert_close(of_y, of_points[1:2])


@pytest.mark.parametrize("rows", [1, 3])
def test_weights_count_errors(rows: int) -> None:
    """One weight a point, or one for each of its channels."""
    values, targets = normal(3, POINTS, seed=1), normal(3, POINTS, seed=2)
    weights = normal(rows, POINTS, seed=3).square()
    leaf = values.clone().requires_grad_()
    expected = (weights * (leaf - targets).square()).sum()
    error = to_squared_error_gradient(values, targets, weights.sqrt())
    torch.testing.assert_close(error, expected.detach())
    torch.testing.assert_close(values, torch.autograd.grad(expected, leaf)[0])
