"""What SIREN's theory says about activations: distributions, variances and initialisation bounds.

Why a network of sines of any depth can be trained at all, in four statements of the paper's
supplement (Sitzmann et al., NeurIPS 2020):

* the sine of a uniform phase is arcsine-distributed (Lemma 1.1), with variance 1/2;
* a weighted sum of many arcsine inputs under ``U(-sqrt(6/n), sqrt(6/n))`` is nearly standard normal
  (Lemma 1.5, by Lindeberg's central limit theorem);
* the sine of a standard normal phase is nearly arcsine again (Lemma 1.6);
* so every layer of any depth sees the same two distributions.

The lemmas are about ``sin(pi/2 X)``; the reference code and this package compute ``sin(X)``. Both
are here: ``frequency`` is the factor inside the sine, pi/2 or 1. How near "nearly" is, follows from
``sine_variance``, ``sine_distribution`` and ``fixed_point``.
"""

import math
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from sirencodec.errors import ParameterError

Floats = npt.NDArray[np.float64]
Distribution = Callable[[Floats], Floats]
"""Points -> probability of a value at or below each."""

LEMMA_FREQUENCY: Final = math.pi / 2  # the factor inside the sine in Lemmas 1.1 and 1.6
SIREN_GAIN: Final = 2.0  # width * variance of a weight under ``hidden_bound``
EVEN_PHASE_VARIANCE: Final = 16.0  # from here on sines of normal phases are arcsine to 10^-14
SHARPEST_RANKS: Final = 1 << 16  # of sorted samples at which distributions are compared

_erf = np.vectorize(math.erf, otypes=[np.float64])


# Distributions


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
    _check_positive("variance", variance)
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
    _check_positive("variance", variance)
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
    _check_positive("variance", variance)
    _check_positive("frequency", frequency)
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


# Variances


def sine_variance(variance: float, frequency: float = 1.0) -> float:
    """Variance of X ~ N(0, variance) -> that of sin(frequency * X): (1 - exp(-2 f^2 v)) / 2.

    From E[cos(2 f X)] = exp(-2 f^2 v), the characteristic function. Lemma 1.6 says 1/2; for unit
    variance it is 0.496 at frequency pi/2 and 0.432 at 1.

    Raises:
        ParameterError: if the variance is negative.
    """
    _check_not_negative("variance", variance)
    return -math.expm1(-2 * frequency * frequency * variance) / 2


def layer_variance(
    variance: float, gain: float = SIREN_GAIN, frequency: float = 1.0, bias_variance: float = 0.0
) -> float:
    """Variance of a sine layer's pre-activations -> that of the next layer's.

    One step through the network: pre-activations, normal by Lemma 1.5, through the sine (Lemma
    1.6), through independent weights and biases of mean zero.

    Args:
        variance: of the pre-activations, whose mean is zero.
        gain: inputs of the next layer times the variance of its weights; 2 under ``hidden_bound``.
        frequency: factor inside the sine.
        bias_variance: of the next layer's biases.

    Raises:
        ParameterError: if a variance or the gain is negative.
    """
    _check_not_negative("gain", gain)
    _check_not_negative("bias variance", bias_variance)
    return gain * sine_variance(variance, frequency) + bias_variance


def fixed_point(
    gain: float = SIREN_GAIN, frequency: float = 1.0, bias_variance: float = 0.0
) -> float:
    """Gain, frequency and bias variance -> the variance that ``layer_variance`` tends to.

    What Lemmas 1.5 and 1.6 together say of depth, that it changes nothing, with the number: 0.797
    for SIREN's bounds as the code has them, 0.993 with the lemmas' pi/2. The map rises and is
    concave, so it has one fixed point that every positive variance tends to, layer after layer: the
    distance shrinks by about the map's slope there, 0.41 and 0.04, each time. It is 0, signals die
    out, if there is no bias and gain * frequency^2 <= 1.

    Computed by Newton's method from the largest variance the map can give, from where it falls
    monotonically; it ends when rounding stops the fall.

    Raises:
        ParameterError: if the gain or the bias variance is negative.
    """
    if bias_variance == 0 and gain * frequency * frequency <= 1:
        _check_not_negative("gain", gain)
        return 0.0
    variance = gain / 2 + bias_variance
    while True:
        excess = variance - layer_variance(variance, gain, frequency, bias_variance)
        slope = gain * frequency**2 * math.exp(-2 * frequency**2 * variance)
        if excess <= 0 or slope >= 1:
            return variance
        following = max(variance - excess / (1 - slope), bias_variance)
        if following >= variance:
            return variance
        variance = following


# Initialisation


def first_layer_bound(inputs: int) -> float:
    """Inputs of the first layer -> bound of its uniform weights before omega_0: 1 / inputs.

    As in the authors' code. The paper (section 3.2) gives the hidden layers' bound for it, which is
    a slip (vsitzmann/siren, issue 4).

    Raises:
        ParameterError: if there are no inputs.
    """
    _check_positive("number of inputs", inputs)
    return 1 / inputs


def hidden_bound(width: int, omega_0: float = 1.0) -> float:
    """Inputs of a hidden layer -> bound of its uniform weights: sqrt(6 / width) / omega_0.

    Section 3.2 and Lemma 1.5: a weight's variance is then 2 / width, an arcsine input's 1/2, and
    the sum's 1. With omega_0 folded into the stored matrix, as in ``siren``, the factor is 1.

    Raises:
        ParameterError: if the width or omega_0 is not positive.
    """
    _check_positive("width", width)
    _check_positive("omega_0", omega_0)
    return math.sqrt(6 / width) / omega_0


def pytorch_bias_bound(width: int) -> float:
    """Inputs of a layer -> bound of PyTorch's default uniform biases: 1 / sqrt(width).

    What the reference code leaves its biases at. Inside the sine it is multiplied by omega_0, so it
    adds omega_0^2 / (3 width) to the variance of a pre-activation.

    Raises:
        ParameterError: if the width is not positive.
    """
    _check_positive("width", width)
    return 1 / math.sqrt(width)


def uniform_variance(bound: float) -> float:
    """Bound of U(-bound, bound) -> its variance, bound^2 / 3 (used throughout Lemma 1.5)."""
    return bound * bound / 3


def cycles_per_pixel(weight: npt.ArrayLike, pixels: int) -> Floats:
    """First-layer weights along an axis -> their waves' frequencies, cycles a pixel, sign kept.

    A weight is in radians a unit of coordinate, omega_0 included (section 3.2: it makes the first
    sine span several periods), and the axis of ``pixels`` is two units long. Nyquist, beyond which
    pixel centres cannot tell a frequency from a lower one, is 1/2.

    Raises:
        ParameterError: if there are no pixels.
    """
    _check_positive("number of pixels", pixels)
    frequencies: Floats = np.asarray(weight, np.float64) / (math.pi * pixels)
    return frequencies


def _check_positive(name: str, value: float) -> None:
    if not value > 0:
        raise ParameterError(f"{name} must be positive, not {value}")


def _check_not_negative(name: str, value: float) -> None:
    if not value >= 0:
        raise ParameterError(f"{name} must not be negative, not {value}")
