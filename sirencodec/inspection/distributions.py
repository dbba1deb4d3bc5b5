"""Distributions of SIREN's theory (``sirencodec.theory``), and how near samples come to them."""

import math
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from sirencodec.errors import ParameterError
from sirencodec.theory import Floats, check_positive

Distribution = Callable[[Floats], Floats]
"""Points -> probability of a value at or below each."""

EVEN_PHASE_VARIANCE: Final = 16.0  # from here on sines of normal phases are arcsine to 10^-14
SHARPEST_RANKS: Final = 1 << 16  # of sorted samples at which distributions are compared

_erf = np.vectorize(math.erf, otypes=[np.float64])


def arcsine_density(y: npt.ArrayLike) -> Floats:
    """Values -> density of the arcsine distribution on (-1, 1): 1 / (pi sqrt(1 - y^2)).

    The limit in Lemmas 1.1 and 1.6: what a sine makes of phases that cover its period evenly.

    Returns:
        float64 of the shape of ``y``; infinite at -1 and 1, 0 beyond.
    """
    y = np.asarray(y, np.float64)
    inside = np.maximum(1 - y * y, 0.0)
    with np.errstate(divide="ignore"):
        density = 1 / (math.pi * np.sqrt(inside))
    return np.where(np.abs(y) <= 1, density, 0.0)


def arcsine_distribution(y: npt.ArrayLike) -> Floats:
    """Values -> P(Y <= y) for arcsine Y on (-1, 1): 1/2 + arcsin(y) / pi (Lemma 1.1).

    Returns:
        float64 in [0, 1], of the shape of ``y``.
    """
    return 0.5 + np.arcsin(np.clip(np.asarray(y, np.float64), -1.0, 1.0)) / math.pi


def arcsine_moment(order: int) -> float:
    """Order, from 0 -> E[Y^order] for arcsine Y on (-1, 1): binomial(k, k/2) / 2^k for even k.

    Odd moments are 0. The second, 1/2, is the variance that the bound of a hidden layer is made for
    (Lemma 1.5); the fourth is 3/8.

    Raises:
        ParameterError: if the order is negative.
    """
    if order < 0:
        raise ParameterError(f"a moment's order must not be negative, not {order}")
    return 0.0 if order % 2 else math.comb(order, order // 2) / 2**order


def normal_density(x: npt.ArrayLike, variance: float = 1.0) -> Floats:
    """Values -> density of N(0, variance), the limit in Lemma 1.5.

    Returns:
        float64 of the shape of ``x``.

    Raises:
        ParameterError: if the variance is not positive.
    """
    check_positive("variance", variance)
    x = np.asarray(x, np.float64)
    density: Floats = np.exp(-x * x / (2 * variance)) / math.sqrt(2 * math.pi * variance)
    return density


def normal_distribution(x: npt.ArrayLike, variance: float = 1.0) -> Floats:
    """Values -> P(X <= x) for X ~ N(0, variance), the limit in Lemma 1.5.

    Returns:
        float64 in [0, 1], of the shape of ``x``.

    Raises:
        ParameterError: if the variance is not positive.
    """
    check_positive("variance", variance)
    scaled = np.asarray(x, np.float64) / math.sqrt(2 * variance)
    distribution: Floats = (1 + _erf(scaled)) / 2
    return distribution


def sine_distribution(y: npt.ArrayLike, variance: float = 1.0, frequency: float = 1.0) -> Floats:
    """Values -> P(sin(frequency * X) <= y) for X ~ N(0, variance).

    What Lemma 1.6 calls arcsine, exactly: the phases whose sine is at most y are the intervals from
    pi - arcsin(y) to 2 pi + arcsin(y) and their translates by 2 pi, and the normal distribution
    says how likely each is. The difference falls as exp(-2 f^2 v).

    Returns:
        float64 in [0, 1], of the shape of ``y``.

    Raises:
        ParameterError: if the variance or frequency is not positive.
    """
    check_positive("variance", variance)
    check_positive("frequency", frequency)
    phase_variance = frequency * frequency * variance
    if phase_variance > EVEN_PHASE_VARIANCE:
        return arcsine_distribution(y)
    angle = np.arcsin(np.clip(np.asarray(y, np.float64), -1.0, 1.0))
    # Ten standard deviations hold all but 10^-23 of the phases.
    periods = 1 + math.ceil(10 * math.sqrt(phase_variance) / (2 * math.pi))
    total = np.zeros_like(angle)
    for period in range(-periods, periods):
        start = 2 * math.pi * period
        total += normal_distribution(start + 2 * math.pi + angle, phase_variance)
        total -= normal_distribution(start + math.pi - angle, phase_variance)
    return np.clip(total, 0.0, 1.0)


def ks_distance(samples: npt.ArrayLike, distribution: Distribution) -> float:
    """Samples and a distribution -> their Kolmogorov-Smirnov distance.

    The largest difference between the share of samples at or below a point and the probability of
    that, over all points. How the study and ``sirencodec inspect`` say "nearly" for Lemmas 1.1, 1.5
    and 1.6. Of n samples that do follow the distribution it is about 0.87 / sqrt(n).

    Args:
        samples: one at least, of any shape. Of more than 2^16, as many ranks, evenly spaced, are
            compared, which may miss 2^-16 of the distance.
        distribution: continuous, of float64 arrays.

    Returns:
        A number in [0, 1].

    Raises:
        ParameterError: if there are no samples, or one is not a number.
    """
    values = np.sort(np.asarray(samples), axis=None)
    if not values.size or np.isnan(values[-1]):
        raise ParameterError("a Kolmogorov-Smirnov distance needs samples that are numbers")
    count = min(values.size, SHARPEST_RANKS)
    ranks = np.linspace(0, values.size - 1, count).round().astype(np.int64)
    expected = distribution(values[ranks].astype(np.float64))
    above = (ranks + 1) / values.size - expected
    below = expected - ranks / values.size
    return float(max(above.max(), below.max()))
