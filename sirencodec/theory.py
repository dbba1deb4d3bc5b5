"""What SIREN's theory says: variances through depth, bounds of initial weights, frequencies.

Why a network of sines of any depth can be trained at all, in four statements of the paper's
supplement (Sitzmann et al., NeurIPS 2020):

* the sine of a uniform phase is arcsine-distributed (Lemma 1.1), with variance 1/2;
* a weighted sum of many arcsine inputs under ``U(-sqrt(6/n), sqrt(6/n))`` is nearly standard normal
  (Lemma 1.5, by Lindeberg's central limit theorem);
* the sine of a standard normal phase is nearly arcsine again (Lemma 1.6);
* so every layer of any depth sees the same two distributions.

The lemmas are about ``sin(pi/2 X)``; the reference code and this package compute ``sin(X)``. Both
are here: ``frequency`` is the factor inside the sine, pi/2 or 1. How near "nearly" is, follows from
``sine_variance`` and ``fixed_point``, and from the distributions themselves, which are in
``sirencodec.inspection.distributions``.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from sirencodec.errors import ParameterError

Floats = npt.NDArray[np.float64]

LEMMA_FREQUENCY: Final = math.pi / 2  # the factor inside the sine in Lemmas 1.1 and 1.6
SIREN_GAIN: Final = 2.0  # width * variance of a weight under ``hidden_bound``


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
    distance shrinks by about the map's derivative there, 0.41 and 0.04, each time. It is 0, and
    signals die out, if there is no bias and gain * frequency^2 <= 1.

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
        derivative = gain * frequency**2 * math.exp(-2 * frequency**2 * variance)
        if excess <= 0 or derivative >= 1:
            return variance
        following = max(variance - excess / (1 - derivative), bias_variance)
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
    check_positive("number of inputs", inputs)
    return 1 / inputs


def hidden_bound(width: int, omega_0: float = 1.0) -> float:
    """Inputs of a hidden layer -> bound of its uniform weights: sqrt(6 / width) / omega_0.

    Section 3.2 and Lemma 1.5: a weight's variance is then 2 / width, an arcsine input's 1/2, and
    the sum's 1. With omega_0 folded into the stored matrix, as in ``synthesis.network``, the factor
    is 1.

    Raises:
        ParameterError: if the width or omega_0 is not positive.
    """
    check_positive("width", width)
    check_positive("omega_0", omega_0)
    return math.sqrt(6 / width) / omega_0


def pytorch_bias_bound(width: int) -> float:
    """Inputs of a layer -> bound of PyTorch's default uniform biases: 1 / sqrt(width).

    What the reference code leaves its biases at. Inside the sine it is multiplied by omega_0, so it
    adds omega_0^2 / (3 width) to the variance of a pre-activation.

    Raises:
        ParameterError: if the width is not positive.
    """
    check_positive("width", width)
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
    check_positive("number of pixels", pixels)
    frequencies: Floats = np.asarray(weight, np.float64) / (math.pi * pixels)
    return frequencies


def check_positive(name: str, value: float) -> None:
    """Raise ParameterError, by the argument's name, unless its value is above zero."""
    if not value > 0:
        raise ParameterError(f"{name} must be positive, not {value}")


def _check_not_negative(name: str, value: float) -> None:
    if not value >= 0:
        raise ParameterError(f"{name} must not be negative, not {value}")
