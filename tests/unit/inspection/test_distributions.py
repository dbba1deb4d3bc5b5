"""Distributions of SIREN's theory: closed forms, integrals and simulation agree."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirencodec.errors import ParameterError
from sirencodec.inspection.distributions import (
    arcsine_density,
    arcsine_distribution,
    arcsine_moment,
    ks_distance,
    normal_density,
    normal_distribution,
    sine_distribution,
)
from sirencodec.theory import (
    LEMMA_FREQUENCY,
    hidden_bound,
)
from tests.unit.distributions import CLOSE, FREQUENCIES, SAMPLES, integral


def test_arcsine_density_is_the_slope_of_its_distribution() -> None:
    y = np.linspace(-0.99, 0.99, 101)
    step = 1e-6
    slope = (arcsine_distribution(y + step) - arcsine_distribution(y - step)) / (2 * step)
    np.testing.assert_allclose(arcsine_density(y), slope, rtol=1e-6)


def test_arcsine_beyond_its_interval() -> None:
    assert arcsine_density([-1.5, 1.5]).tolist() == [0, 0]
    assert arcsine_density([-1, 1]).tolist() == [math.inf, math.inf]
    assert arcsine_density(0.0) == pytest.approx(1 / math.pi)
    assert arcsine_distribution([-2, -1, 0, 1, 2]).tolist() == [0, 0, 0.5, 1, 1]


@pytest.mark.parametrize("order", range(9))
def test_arcsine_moments(order: int) -> None:
    """With y = sin(t) the integral over y is a mean over a period of t."""
    expected = integral(lambda t: np.sin(t) ** order / (2 * math.pi), -math.pi, math.pi)
    assert arcsine_moment(order) == pytest.approx(expected, abs=1e-9)


def test_arcsine_variance() -> None:
    assert arcsine_moment(2) == 0.5


@pytest.mark.parametrize("variance", [0.25, 1.0, 53.0])
def test_normal(variance: float) -> None:
    deviation = math.sqrt(variance)
    for sigmas, expected in ((0, 0.5), (1, 0.8413447460685429), (-3, 0.0013498980316301035)):
        assert normal_distribution(sigmas * deviation, variance) == pytest.approx(expected)
    mass = integral(lambda x: normal_density(x, variance), -deviation, deviation)
    assert mass == pytest.approx(0.6826894921370859)


@pytest.mark.parametrize("frequency", FREQUENCIES)
@pytest.mark.parametrize("variance", [0.01, 0.5, 1.0, 6.0, 100.0])
def test_sine_distribution_by_simulation(variance: float, frequency: float) -> None:
    phases = np.random.default_rng(1).normal(0, math.sqrt(variance), SAMPLES)
    sines = np.sin(frequency * phases)
    assert ks_distance(sines, lambda y: sine_distribution(y, variance, frequency)) < CLOSE


def test_sine_distribution_becomes_arcsine() -> None:
    """The distance falls with the variance, without a step where the series is given up."""
    y = np.linspace(-1, 1, 1001)
    distances = [
        np.abs(sine_distribution(y, variance) - arcsine_distribution(y)).max()
        for variance in (0.5, 1.0, 2.0, 4.0, 15.999, 16.001)
    ]
    assert distances == sorted(distances, reverse=True)
    assert max(distances[-2:]) < 1e-13


@given(st.floats(1e-3, 1e3), st.floats(0.1, 10), st.floats(-1, 1))
def test_sine_distribution_is_symmetric(variance: float, frequency: float, y: float) -> None:
    both = sine_distribution([y, -y], variance, frequency)
    assert both.sum() == pytest.approx(1, abs=1e-9)
    assert 0 <= both.min() <= both.max() <= 1


# Lemmas


def test_lemma_1_1_sine_of_a_uniform_phase_is_arcsine() -> None:
    uniform = np.random.default_rng(2).uniform(-1, 1, SAMPLES)
    sines = np.sin(LEMMA_FREQUENCY * uniform)
    assert ks_distance(sines, arcsine_distribution) < CLOSE
    assert sines.var() == pytest.approx(0.5, abs=0.005)


def test_lemma_1_5_sum_of_arcsine_inputs_is_normal() -> None:
    """Nearly: one weighted input is not, the sum of 64 cannot be told from it here."""
    generator = np.random.default_rng(3)
    distances = []
    for width in (1, 64):
        inputs = np.sin(generator.uniform(-math.pi, math.pi, (50_000, width)))
        bound = hidden_bound(width)
        sums = (inputs * generator.uniform(-bound, bound, inputs.shape)).sum(1)
        assert sums.var() == pytest.approx(1, abs=0.03)
        distances.append(ks_distance(sums, normal_distribution))
    assert distances[1] < 2.7 / math.sqrt(50_000) < 0.03 < distances[0]


def test_lemma_1_6_sine_of_a_normal_phase_is_nearly_arcsine() -> None:
    normal = np.random.default_rng(4).standard_normal(SAMPLES)
    near = ks_distance(np.sin(LEMMA_FREQUENCY * normal), arcsine_distribution)
    far = ks_distance(np.sin(normal), arcsine_distribution)
    assert near == pytest.approx(0.0023, abs=CLOSE)
    assert far == pytest.approx(0.0431, abs=CLOSE)


# Kolmogorov-Smirnov


def test_ks_distance_of_few_samples() -> None:
    def uniform(x: np.ndarray) -> np.ndarray:
        return np.clip(x, 0, 1)

    assert ks_distance([0.5], uniform) == 0.5
    assert ks_distance([0.25, 0.75], uniform) == 0.25
    assert ks_distance([0.0, 0.0, 0.0], uniform) == 1
    assert ks_distance([[2.0, 3.0], [4.0, 5.0]], uniform) == 1


def test_ks_distance_of_many_samples_misses_little() -> None:
    samples = np.random.default_rng(6).standard_normal(1_000_000)
    ordered = np.sort(samples)
    expected = normal_distribution(ordered)
    ranks = np.arange(len(samples))
    exact = max(
        (expected - ranks / len(samples)).max(), ((ranks + 1) / len(samples) - expected).max()
    )
    assert exact - 2**-16 <= ks_distance(samples, normal_distribution) <= exact


# Arguments


@pytest.mark.parametrize(
    "call",
    [
        lambda: arcsine_moment(-1),
        lambda: normal_density(0.0, 0.0),
        lambda: normal_distribution(0.0, -1.0),
        lambda: sine_distribution(0.0, math.nan),
        lambda: sine_distribution(0.0, 1.0, 0.0),
        lambda: ks_distance([], normal_distribution),
        lambda: ks_distance([1.0, math.nan], normal_distribution),
    ],
)
def test_arguments_are_checked(call: Callable[[], object]) -> None:
    with pytest.raises(ParameterError):
        call()
