"""Positions -> the pixels around them and their weights: Lanczos' kernel of six taps (Duchon 1979).

The kernel is sinc(x) sinc(x / 3) for |x| < 3. It is 1 at zero and 0 at every other whole number, so
interpolation passes through the pixels; its derivative is continuous.
"""

import math
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

LOBES: Final = 3  # on either side
SERIES_REACH: Final = 1e-4  # from zero; there sinc's series and its quotient are equally good

Positions = npt.NDArray[np.float64]  # in pixels: 0 is the edge of the first, 1/2 its centre
Taps = tuple[npt.NDArray[np.int64], Positions]

# Of sin(x) / x in x^2; at a quarter turn the next one would be 6e-19.
_SINE_SERIES: Final = tuple((-1) ** n / math.factorial(2 * n + 1) for n in range(11))

_NEIGHBOURS = np.arange(1 - LOBES, 1 + LOBES)[:, None]  # of a position, from the last pixel before


def lanczos_taps(
    positions: Positions,
    size: int,
    weigh: Callable[[Positions], Positions],
    first_pixel: int = 0,
) -> Taps:
    """Positions -> (6, n) pixels and their (6, n) weights.

    Args:
        positions: (n,) along an axis.
        size: pixels of that axis; the outermost stand for what lies beyond them.
        weigh: ``lanczos_weights``, or ``lanczos_derivatives`` for the derivative by position.
        first_pixel: the pixel that counts as number 0.
    """
    nearest = np.floor(positions - 0.5).astype(np.int64)
    pixels = nearest + _NEIGHBOURS
    return np.clip(pixels, 0, size - 1) - first_pixel, weigh(positions - 0.5 - nearest)


def lanczos_weights(offset: Positions) -> Positions:
    """Distance past a sample, in [0, 1) -> (6, n) weights of that sample's neighbourhood.

    Unlike the kernel's own values, they add up to 1, so that a constant stays what it is.
    """
    values = _sinc(offset - _NEIGHBOURS) * _sinc((offset - _NEIGHBOURS) / LOBES)
    weights: Positions = values / _total(values)
    return weights


def _total(values: Positions) -> Positions:
    """(6, n) -> sums over the six, in their order."""
    total: Positions = values[0].copy()
    for row in values[1:]:
        total += row
    return total


def lanczos_derivatives(offset: Positions) -> Positions:
    """Distance past a sample, in [0, 1) -> (6, n) derivatives of ``lanczos_weights`` by it."""
    distance = offset - _NEIGHBOURS
    wave, window = _sinc(distance), _sinc(distance / LOBES)
    values = wave * window
    changes = (
        _sinc_derivative(distance) * window + wave * _sinc_derivative(distance / LOBES) / LOBES
    )
    total = values.sum(0)
    derivatives: Positions = changes / total - values * changes.sum(0) / total**2
    return derivatives


def _sinc(x: Positions) -> Positions:
    """sin(pi x) / (pi x), exactly zero at whole numbers but 0, so that pixels stay the same."""
    whole = np.round(x)
    sine = _sine(math.pi * (x - whole)) * (1 - 2 * (whole % 2))
    ratio: Positions = np.divide(sine, math.pi * x, out=np.ones_like(x), where=x != 0)
    return ratio


def _sine(x: Positions) -> Positions:
    """Sine of up to a quarter turn, by its series: NumPy's own is not the same on all machines."""
    square = x * x
    sum_of_powers = np.full_like(x, _SINE_SERIES[-1])
    for coefficient in _SINE_SERIES[-2::-1]:
        sum_of_powers *= square
        sum_of_powers += coefficient
    sum_of_powers *= x
    return sum_of_powers


def _sinc_derivative(x: Positions) -> Positions:
    """Derivative of sin(pi x) / (pi x); near zero by its series, where the quotient cancels."""
    series = -(math.pi**2) / 3 * x
    change = np.cos(math.pi * x) - _sinc(x)
    derivative: Positions = np.divide(change, x, out=series, where=np.abs(x) > SERIES_REACH)
    return derivative
