"""SIREN's theory: variances and bounds agree with integrals and simulation."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirencodec.errors import ParameterError
from sirencodec.inspection.distributions import (
    arcsine_moment,
    normal_density,
)
from sirencodec.theory import (
    LEMMA_FREQUENCY,
    cycles_per_pixel,
    first_layer_bound,
    fixed_point,
    hidden_bound,
    layer_variance,
    pytorch_bias_bound,
    sine_variance,
    uniform_variance,
)
from tests.unit.distributions import FREQUENCIES, SAMPLES, integral


def test_variances_of_the_text() -> None:
    assert sine_variance(1, LEMMA_FREQUENCY) == pytest.approx(0.496, abs=5e-4)
    assert sine_variance(1) == pytest.approx(0.432, abs=5e-4)


@pytest.mark.parametrize("frequency", FREQUENCIES)
@pytest.mark.parametrize("variance", [0.0, 0.1, 0.8, 5.0])
def test_sine_variance_by_integration(variance: float, frequency: float) -> None:
    def weighted(x: np.ndarray) -> np.ndarray:
        return np.sin(frequency * math.sqrt(variance) * x) ** 2 * normal_density(x)

    expected = integral(weighted, -12, 12)
    assert sine_variance(variance, frequency) == pytest.approx(expected, abs=1e-9)


def test_layer_variance_by_simulation() -> None:
    """A wide network's second layer, over many networks."""
    generator = np.random.default_rng(5)
    width, bound = 64, hidden_bound(64)
    phases = generator.normal(0, math.sqrt(0.7), (SAMPLES // width, width))
    weights = generator.uniform(-bound, bound, phases.shape)
    biases = generator.uniform(-0.5, 0.5, len(phases))
    sums = (weights * np.sin(phases)).sum(1) + biases
    expected = layer_variance(
        0.7, gain=width * uniform_variance(bound), bias_variance=uniform_variance(0.5)
    )
    assert sums.var() == pytest.approx(expected, rel=0.1)


def test_fixed_points_of_the_text() -> None:
    assert fixed_point() == pytest.approx(0.79681, abs=1e-5)  # solves v = 1 - exp(-2 v)
    assert fixed_point(frequency=LEMMA_FREQUENCY) == pytest.approx(0.99254, abs=1e-5)


@given(st.floats(0, 50), st.floats(0.1, 40), st.floats(0, 20))
def test_fixed_point_is_one(gain: float, frequency: float, bias_variance: float) -> None:
    variance = fixed_point(gain, frequency, bias_variance)
    following = layer_variance(variance, gain, frequency, bias_variance)
    assert following == pytest.approx(variance, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("start", [1e-3, 0.5, 30.0])
@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_depth_tends_to_the_fixed_point(start: float, frequency: float) -> None:
    variance = start
    for _ in range(60):
        variance = layer_variance(variance, frequency=frequency)
    assert variance == pytest.approx(fixed_point(frequency=frequency))


def test_signals_die_out_below_a_gain_of_one() -> None:
    assert fixed_point(gain=1.0) == 0
    assert fixed_point(gain=0.5) == 0
    assert fixed_point(gain=0.3, frequency=2.0) > 0
    assert fixed_point(gain=0.5, bias_variance=0.1) > 0.1


# Initialisation


def test_bounds() -> None:
    assert first_layer_bound(2) == 0.5
    assert hidden_bound(6) == 1
    assert hidden_bound(24, omega_0=30) == pytest.approx(1 / 60)
    assert pytorch_bias_bound(256) == 1 / 16
    assert uniform_variance(3) == 3


@pytest.mark.parametrize("width", [1, 16, 1024])
def test_hidden_bound_keeps_unit_variance(width: int) -> None:
    variance = width * uniform_variance(hidden_bound(width)) * arcsine_moment(2)
    assert variance == pytest.approx(1)


def test_cycles_per_pixel() -> None:
    """A wave of so many cycles a pixel turns by 2 pi times that from one centre to the next."""
    pixels = 40
    weights = np.array([3.0, -7.5])
    turn = weights * 2 / pixels
    np.testing.assert_allclose(cycles_per_pixel(weights, pixels), turn / (2 * math.pi))


# Arguments


@pytest.mark.parametrize(
    "call",
    [
        lambda: sine_variance(-1.0),
        lambda: layer_variance(1.0, gain=-1.0),
        lambda: layer_variance(1.0, bias_variance=-1.0),
        lambda: fixed_point(gain=-1.0),
        lambda: fixed_point(bias_variance=-1.0),
        lambda: first_layer_bound(0),
        lambda: hidden_bound(0),
        lambda: hidden_bound(4, omega_0=0),
        lambda: pytorch_bias_bound(0),
        lambda: cycles_per_pixel(1.0, 0),
    ],
)
def test_arguments_are_checked(call: Callable[[], object]) -> None:
    with pytest.raises(ParameterError):
        call()
