"""Samples -> histogram and statistics beside the distribution that theory predicts for them."""

import math
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from sirencodec.inspection.distributions import (
    Distribution,
    arcsine_distribution,
    arcsine_moment,
    ks_distance,
    normal_distribution,
)

BINS: Final = 64
REACH: Final = 4.0  # standard deviations that a histogram of phases shows to each side

Numbers = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Prediction:
    """What theory says of samples.

    Attributes:
        name: "normal", of mean zero, or "arcsine", on (-1, 1).
        standard_deviation: of the distribution.
        ks_distance: Kolmogorov-Smirnov distance between the samples and it, 0 to 1.
        density: its mean density in each bin of the histogram.
    """

    name: str
    standard_deviation: float
    ks_distance: float
    density: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Histogram:
    """Samples in equal bins.

    Attributes:
        mean: of the samples.
        standard_deviation: of the samples.
        edges: of the bins, rising, one more than bins.
        density: share of all samples in each bin over its width; with the share that lies outside,
            it integrates to 1.
        outside: share of samples beyond the outermost edges.
        prediction: what theory says of them; None where it says nothing.
    """

    mean: float
    standard_deviation: float
    edges: tuple[float, ...]
    density: tuple[float, ...]
    outside: float
    prediction: Prediction | None


def phase_histogram(phases: Numbers, predicted_variance: float) -> Histogram:
    """Pre-activations -> their histogram beside N(0, predicted variance) (Lemma 1.5).

    Args:
        phases: any shape.
        predicted_variance: positive.
    """
    ordered = np.sort(phases, axis=None)
    power = float(np.mean(np.square(ordered, dtype=np.float64)))
    reach = REACH * math.sqrt(max(power, predicted_variance))
    edges = np.linspace(-reach, reach, BINS + 1)
    normal = partial(normal_distribution, variance=predicted_variance)
    return _histogram(ordered, edges, ("normal", math.sqrt(predicted_variance), normal))


def value_histogram(values: Numbers) -> Histogram:
    """Outputs, of which theory says nothing -> their histogram around their mean."""
    mean, deviation = _mean_and_deviation(values)
    reach = REACH * deviation or 1.0
    edges = np.linspace(mean - reach, mean + reach, BINS + 1)
    return _histogram(np.sort(values, axis=None), edges, None)


def activation_histogram(activations: Numbers) -> Histogram:
    """Sines -> their histogram beside the arcsine distribution (Lemmas 1.1 and 1.6)."""
    deviation = math.sqrt(arcsine_moment(2))
    edges = np.linspace(-1.0, 1.0, BINS + 1)
    prediction = ("arcsine", deviation, arcsine_distribution)
    return _histogram(np.sort(activations, axis=None), edges, prediction)


def shape_distance(samples: Numbers) -> float | None:
    """Samples -> KS distance to the normal of their own mean and deviation; None if all are equal.

    What is left of the distance when location and scale are forgiven.
    """
    mean, deviation = _mean_and_deviation(samples)
    if deviation == 0:
        return None
    return ks_distance(samples, lambda x: normal_distribution(x - mean, deviation * deviation))


def _mean_and_deviation(samples: Numbers) -> tuple[float, float]:
    return float(samples.mean(dtype=np.float64)), float(samples.std(dtype=np.float64))


def _histogram(
    ordered: Numbers,
    edges: npt.NDArray[np.float64],
    predicted: tuple[str, float, Distribution] | None,
) -> Histogram:
    """Rising samples, bins, and name, deviation and distribution predicted -> all there is."""
    mean, deviation = _mean_and_deviation(ordered)
    # The last edge is part of the last bin: a sine can be 1.
    below = np.append(
        np.searchsorted(ordered, edges[:-1]), np.searchsorted(ordered, edges[-1], "right")
    )
    shares = below / ordered.size
    prediction = None
    if predicted is not None:
        name, predicted_deviation, distribution = predicted
        prediction = Prediction(
            name=name,
            standard_deviation=predicted_deviation,
            ks_distance=ks_distance(ordered, distribution),
            density=_density(distribution(edges), edges),
        )
    return Histogram(
        mean=mean,
        standard_deviation=deviation,
        edges=tuple(edges.tolist()),
        density=_density(shares, edges),
        outside=float(max(0.0, 1 - (shares[-1] - shares[0]))),
        prediction=prediction,
    )


def _density(
    distribution: npt.NDArray[np.float64], edges: npt.NDArray[np.float64]
) -> tuple[float, ...]:
    """Distribution function at the edges -> mean density between them."""
    return tuple((np.diff(distribution) / np.diff(edges)).tolist())
