"""Lemma 1.1: if X is uniform on (-1, 1), sin(pi X / 2) is arcsine-distributed."""

import math
from collections.abc import Iterator
from functools import partial

import numpy as np

from benchmarks.measuring.measure import Point
from benchmarks.studies.activations.plan import Job, Plan
from sirencodec.inspection.distributions import arcsine_distribution, ks_distance

PART = "arcsine"
BINS = 40
# Of a Kolmogorov-Smirnov test at 1 %: distances above this over sqrt(samples) are significant.
SIGNIFICANT = 1.628


def jobs(plan: Plan) -> Iterator[Job]:
    """One a seed."""
    for seed in plan.seeds:
        yield partial(_sample, plan.samples, seed)


def _sample(count: int, seed: int) -> list[Point]:
    phases = np.random.default_rng(seed).uniform(-1, 1, count)
    values = np.sin(math.pi / 2 * phases)
    counts, _ = np.histogram(values, BINS, (-1, 1))
    return [
        {
            "part": PART,
            "case": f"seed {seed}",
            "seed": seed,
            "samples": count,
            "ks": ks_distance(values, arcsine_distribution),
            "ks_significant": SIGNIFICANT / math.sqrt(count),
            "variance": float(values.var()),
            "fourth_moment": float(np.mean(values**4)),
            "density": (counts * BINS / 2 / count).round(4).tolist(),
        }
    ]
