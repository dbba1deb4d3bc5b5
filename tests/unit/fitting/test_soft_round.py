"""Soft rounding: where it stays, where it leads, how steep it is."""

from __future__ import annotations

import pytest
import torch

from sirencodec.fitting.soft_round import soft_round, soften
from sirencodec.native import tensors
from sirencodec.native.library import single_loops
from sirencodec.synthesis.threads import Workers
from sirencodec.synthesis.torch_threads import worker_threads

TEMPERATURES = [0.08, 0.2, 0.35, 1.0, 5.0]


def values() -> torch.Tensor:
    return torch.linspace(-3.03, 3.01, 457, dtype=torch.float64)


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_whole_numbers_and_halves_stay(temperature: float) -> None:
    fixed = torch.arange(-8, 9, dtype=torch.float64) / 2
    torch.testing.assert_close(soft_round(fixed, temperature)[0], fixed, rtol=0, atol=1e-12)


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_slope_is_that_of_finite_differences(temperature: float) -> None:
    step = 1e-6
    ahead, behind = (soft_round(values() + s, temperature)[0] for s in (step, -step))
    slope = soft_round(values(), temperature)[1]
    torch.testing.assert_close(slope, (ahead - behind) / (2 * step), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_order_and_distance_to_the_nearest_are_kept(temperature: float) -> None:
    rounded = soft_round(values(), temperature)[0]
    assert (rounded.diff() > 0).all()
    torch.testing.assert_close(torch.round(rounded), torch.round(values()))
    before, after = ((v - torch.round(v)).abs() for v in (values(), rounded))
    assert (after <= before + 1e-12).all()


def test_from_the_identity_to_a_staircase() -> None:
    torch.testing.assert_close(soft_round(values(), 20.0)[0], values(), rtol=0, atol=1e-3)
    away_from_edges = ((values() - values().floor()) - 0.5).abs() > 0.1
    rounded = soft_round(values(), 0.02)[0]
    expected = torch.round(values())
    torch.testing.assert_close(
        rounded[away_from_edges], expected[away_from_edges], atol=1e-4, rtol=0
    )


def test_the_argument_is_left_alone() -> None:
    argument = values()
    soft_round(argument, 0.3)
    torch.testing.assert_close(argument, values())


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("threads", [1, 3])
def test_softening_is_rounding_twice_with_noise_between(temperature: float, threads: int) -> None:
    noise = torch.randn(len(values()), generator=torch.Generator().manual_seed(0)).double()
    once, slope = soft_round(values(), temperature)
    twice, again = soft_round(once + 0.2 * noise, temperature)
    with worker_threads(threads) as workers:
        softened = soften(values(), noise.clone(), temperature, 0.2, workers)
    torch.testing.assert_close(softened, (twice, slope * again), rtol=1e-9, atol=1e-12)


def test_softening_by_pytorch(request: pytest.FixtureRequest) -> None:
    noise = torch.full_like(values(), 0.5)
    expected = soften(values(), noise.clone(), 0.3, 0.2, Workers())
    request.getfixturevalue("without_loops")
    torch.testing.assert_close(soften(values(), noise.clone(), 0.3, 0.2, Workers()), expected)


@pytest.mark.skipif(not single_loops(), reason="loops are not built")
@pytest.mark.parametrize("count", [1, 15, 16, 17, 457])
def test_softening_in_single_precision(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    some, noise = values()[:count], torch.full((count,), 0.5)
    expected = soften(some, noise.double(), 0.1, 0.2, Workers())
    for loops in single_loops():
        monkeypatch.setattr(tensors, "single_loops", lambda found=loops: (found,))
        ours = soften(some.float(), noise.clone(), 0.1, 0.2, Workers())
        torch.testing.assert_close(
            [tensor.double() for tensor in ours], list(expected), rtol=1e-4, atol=2e-4
        )
