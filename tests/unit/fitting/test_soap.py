"""SOAP: directions of unit size in a basis of its own choosing."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from sirencodec.fitting.soap import Soap


def randn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_a_first_step_is_of_the_size_of_the_learning_rate() -> None:
    """In the gradient's own basis it has one entry a rank, each plus or minus the rate."""
    parameter, gradient = torch.zeros(3, 4, dtype=torch.float64), 1e-3 * randn(3, 4)
    Soap([parameter]).update([gradient], [0.5])
    assert (parameter * gradient).sum() < 0, "against the gradient"
    assert 0.5 <= float(torch.linalg.matrix_norm(parameter)) <= 0.5 * 12**0.5


def test_size_of_the_gradient_does_not_matter() -> None:
    """But for the first step, whose basis leaves entries that are zero but for rounding."""
    small, large = (torch.zeros(4, 4, dtype=torch.float64) for _ in range(2))
    for factor, parameter in ((1e-4, small), (1e4, large)):
        optimizer = Soap([parameter])
        for step in range(30):
            optimizer.update([factor * randn(4, 4, seed=step)], [0.1 if step else 0.0])
    torch.testing.assert_close(small, large, rtol=1e-4, atol=1e-6)


def test_equal_shapes_do_not_mix() -> None:
    """They share calls, not state."""
    together = [randn(3, 3, seed=seed) for seed in (1, 2)] + [randn(2, 4, seed=3)]
    alone = [parameter.clone() for parameter in together]
    joint, single = Soap(together), [Soap([parameter]) for parameter in alone]
    for step in range(40):
        gradients = [
            randn(*parameter.shape, seed=9 * step + i) for i, parameter in enumerate(alone)
        ]
        joint.update(gradients, [0.1, 0.2, 0.3])
        for optimizer, gradient, rate in zip(single, gradients, (0.1, 0.2, 0.3), strict=True):
            optimizer.update([gradient], [rate])
    torch.testing.assert_close(together, alone)


@pytest.mark.parametrize("condition", [1.0, 1e3])
def test_finds_the_minimum_of_a_quadratic(condition: float) -> None:
    """However stretched: this is what a basis of eigenvectors is for."""
    stretch = torch.logspace(0, -torch.log10(torch.tensor(condition)).item(), 6).double()
    turn = torch.linalg.qr(randn(6, 6))[0]
    matrix = turn @ torch.diag(stretch) @ turn.T
    parameter, solution = torch.zeros(6, 3, dtype=torch.float64), randn(6, 3, seed=1)
    optimizer = Soap([parameter])
    for step in range(400):
        gradient = matrix @ (matrix @ (parameter - solution))
        optimizer.update([gradient], [0.1 * (1 - step / 400)])
    assert float((matrix @ (parameter - solution)).square().mean()) < 1e-4


def test_a_gradient_of_zeros_moves_nothing() -> None:
    parameter = randn(3, 4)
    before = parameter.clone()
    optimizer = Soap([parameter])
    for _ in range(3):
        optimizer.update([torch.zeros(3, 4, dtype=torch.float64)], [0.1])
    torch.testing.assert_close(parameter, before)


def test_a_sudden_gradient_cannot_throw_a_parameter_far() -> None:
    """No entry moves by more than the rate in the basis, so all 12 by no more than its root."""
    parameter = torch.zeros(3, 4, dtype=torch.float64)
    optimizer = Soap([parameter])
    for step in range(60):
        before = parameter.clone()
        factor = 1e6 if step % 7 == 0 else 1e-3
        optimizer.update([factor * randn(3, 4, seed=step)], [0.1])
        assert float(torch.linalg.matrix_norm(parameter - before)) <= 0.1 * 12**0.5 + 1e-9
