"""Lemma 1.5: a sum of arcsine inputs under weights U(+-sqrt(6/n)) tends to N(0, 1).

Two readings, and both are measured. With the weights drawn anew for every sample the sum is nearly
normal at once: its excess kurtosis is -0.3 / n (``excess_kurtosis``). A network's weights are drawn
once. Then the variance of a sum is that of its own weights, and it scatters around 1.
"""

import math
from collections.abc import Iterator
from functools import partial

import numpy as np

from benchmarks.measuring.measure import Point
from benchmarks.studies.activations.arcsine import SIGNIFICANT
from benchmarks.studies.activations.plan import Job, Plan
from sirencodec.inspection.distributions import arcsine_moment, ks_distance, normal_distribution
from sirencodec.theory import Floats, hidden_bound, uniform_variance

PART = "central-limit"
CHUNK = 1 << 20  # random numbers drawn at a time
# Largest value of |x^3 - 3x| times the normal density: what a unit of excess kurtosis does to a
# distribution function is at most this over 24 (Edgeworth's first correction of a symmetric law).
EDGEWORTH_PEAK = 0.5506


def excess_kurtosis(width: int) -> float:
    """Inputs of a sum -> excess kurtosis over weights and inputs: -0.3 / width."""
    term = hidden_bound(width) ** 4 / 5 * arcsine_moment(4)  # E[w^4] E[y^4]
    variance = uniform_variance(hidden_bound(width)) * arcsine_moment(2)
    return width * (term - 3 * variance**2) / (width * variance) ** 2


def expected_distance(width: int) -> float:
    """Inputs of a sum -> its distance to N(0, 1), by Edgeworth's first correction."""
    return abs(excess_kurtosis(width)) / 24 * EDGEWORTH_PEAK


def jobs(plan: Plan) -> Iterator[Job]:
    """One a seed and width."""
    for seed in plan.seeds:
        for width in plan.sum_widths:
            yield partial(_sample, plan.samples, width, plan.sum_draws, seed)


def _sample(count: int, width: int, draws: int, seed: int) -> list[Point]:
    generator = np.random.default_rng((seed, width))
    bound = hidden_bound(width)
    fixed = generator.uniform(-bound, bound, (width, draws))
    together, apart = np.empty(count), np.empty((count, draws))
    rows = max(1, CHUNK // width)
    for start in range(0, count, rows):
        size = min(rows, count - start)
        inputs = np.sin(generator.uniform(-math.pi / 2, math.pi / 2, (size, width)))
        weights = generator.uniform(-bound, bound, (size, width))
        together[start : start + size] = np.einsum("ij,ij->i", inputs, weights)
        apart[start : start + size] = inputs @ fixed
    spreads = [float(column.var()) for column in apart.T]
    facts = {"part": PART, "width": width, "samples": count, "seed": seed}
    facts["ks_significant"] = SIGNIFICANT / math.sqrt(count)
    redrawn = {
        "case": f"redrawn, {width} inputs, seed {seed}",
        "weights": "redrawn",
        "ks": ks_distance(together, normal_distribution),
        "ks_expected": expected_distance(width),
        "variance": float(together.var()),
    }
    fixed_weights = {
        "case": f"fixed, {width} inputs, seed {seed}",
        "weights": "fixed",
        "ks": [ks_distance(column, normal_distribution) for column in apart.T],
        "ks_own_variance": [
            ks_distance(column, partial(_normal, variance=variance))
            for column, variance in zip(apart.T, spreads, strict=True)
        ],
        "variance": spreads,
    }
    return [facts | redrawn, facts | fixed_weights]


def _normal(x: Floats, variance: float) -> Floats:
    return normal_distribution(x, variance)
