"""The sine network: what it computes, and its written-out derivatives."""

from __future__ import annotations

import math

import pytest
import torch

from sirencodec.synthesis.network import (
    augment,
    evaluate,
    evaluate_with_jacobian,
)
from tests.unit.builders import plain_evaluate, random_layers, random_points

SHAPES = [(1, 0, 1), (5, 0, 2), (7, 1, 3), (6, 3, 4), (4, 6, 1)]  # features, layers, channels


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
