"""Lemma 1.6 and Theorem 1.8: sines of normal phases are nearly arcsine, layer after layer.

Networks of many sine layers, with the lemmas' factor pi/2 inside the sine and without it, as the
reference code and this codec run; as they start, and after a fit. A phase is what the theory calls
the pre-activation X: the argument of the sine over that factor.
"""

import math
from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from torch import Tensor

from benchmarks.measuring.measure import Point
from benchmarks.studies.activations.fitting import Schedule, around_mean, fit
from benchmarks.studies.activations.pictures import Signal, picture_signal
from benchmarks.studies.activations.plan import Job, Plan
from sirencodec.bitstream.architecture import Architecture
from sirencodec.fitting.start import initial_layers
from sirencodec.inspection.distributions import (
    arcsine_distribution,
    ks_distance,
    normal_distribution,
    sine_distribution,
)
from sirencodec.synthesis.network import Layers
from sirencodec.theory import LEMMA_FREQUENCY, SIREN_GAIN, Floats

SAMPLE_PART = "sine-of-normal"
PART = "depth"
FREQUENCIES = {"pi/2": LEMMA_FREQUENCY, "1": 1.0}
# Learning rates of SOAP: the best for each of several, on the project's own picture.
RATES = {"pi/2": 3e-4, "1": 0.012}
OMEGA_0 = 30
BINS = 40
PROBE_POINTS = 1024
PHASES_SHOWN = 4.0  # phases are counted from minus to plus this


def sample_jobs(plan: Plan) -> Iterator[Job]:
    """The lemma alone: one a seed."""
    for seed in plan.seeds:
        yield partial(_sample, plan.samples, seed)


def _sample(count: int, seed: int) -> list[Point]:
    phases = np.random.default_rng(seed).normal(size=count)
    points = []
    for name, frequency in FREQUENCIES.items():
        values = np.sin(frequency * phases)
        exact = partial(sine_distribution, frequency=frequency)
        points.append(
            {
                "part": SAMPLE_PART,
                "case": f"frequency {name}, seed {seed}",
                "frequency": name,
                "seed": seed,
                "samples": count,
                "variance": float(values.var()),
                "ks_arcsine": ks_distance(values, arcsine_distribution),
                "ks_exact": ks_distance(values, exact),
                "density": _density(values, 1.0),
            }
        )
    return points


def jobs(plan: Plan) -> Iterator[Job]:
    """One a seed, frequency, and whether it is fitted."""
    name, pixels = next(iter(plan.pictures.items()))
    signal = picture_signal(pixels)
    for seed in plan.seeds:
        for frequency in FREQUENCIES:
            yield partial(_start, plan, name, signal, frequency, seed)
            yield partial(_fitted, plan, name, signal, frequency, seed)


def _start(plan: Plan, name: str, signal: Signal, frequency: str, seed: int) -> list[Point]:
    layers = deep_network(plan.start_width, plan.depth, FREQUENCIES[frequency], seed)
    facts = {"picture": name, "width": plan.start_width, "frequency": frequency, "seed": seed}
    return _points(layers, signal, facts | {"state": "start"})


def _fitted(plan: Plan, name: str, signal: Signal, frequency: str, seed: int) -> list[Point]:
    layers = deep_network(plan.fitted_width, plan.depth, FREQUENCIES[frequency], seed)
    start = around_mean(layers, signal.targets)
    rate = RATES[frequency]
    fitted = fit(start, signal, Schedule("SOAP", rate, plan.depth_steps, seed))
    facts = {"picture": name, "width": plan.fitted_width, "frequency": frequency, "seed": seed}
    facts |= {"steps": plan.depth_steps, "psnr_db": fitted.psnr_db}
    return _points(fitted.layers, signal, facts | {"state": "fitted"})


def deep_network(width: int, depth: int, frequency: float, seed: int) -> Layers:
    """Random network of ``depth`` sine layers, with a factor inside each sine but the first.

    The first layer's factor is omega_0, whatever the others'.
    """
    architecture = Architecture(width, depth - 1, 3, OMEGA_0)
    layers = initial_layers(architecture, (1.0, 1.0), torch.Generator().manual_seed(seed))
    return [layers[0], *(frequency * layer for layer in layers[1:-1]), layers[-1]]


def phases_of(layers: Layers, points: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Network and points -> by sine layer, (width, n) arguments of the sine and its values."""
    hidden = points
    for layer in layers[:-1]:
        argument = layer @ hidden
        activations = torch.sin(argument)
        yield argument, activations
        hidden = torch.cat([activations, torch.ones_like(activations[:1])])


def growth(layer: Tensor, argument: Tensor) -> float:
    """Layer and arguments of its sine -> factor on the mean square of a small change of its input.

    Of a change in random direction: width * variance of a weight * mean square of the sine's slope.
    """
    weight = layer[:, :-1]
    return float(weight.square().mean()) * len(layer) * float(argument.cos().square().mean())


def expected_growth(variance: float, frequency: float) -> float:
    """Variance of normal phases and factor -> what ``growth`` tends to in a wide network."""
    slope = (1 + math.exp(-2 * frequency**2 * variance)) / 2
    return SIREN_GAIN * frequency**2 * slope


def probe(signal: Signal) -> Tensor:
    """Signal -> its points, thinned out evenly: distributions need no more of them."""
    return signal.points[:, :: max(1, signal.points.shape[1] // PROBE_POINTS)]


def _points(layers: Layers, signal: Signal, facts: Point) -> list[Point]:
    """Network -> a point a sine layer: how its phases and activations are distributed."""
    points = []
    for number, (argument, activations) in enumerate(phases_of(layers, probe(signal)), 1):
        frequency = FREQUENCIES[facts["frequency"]] if number > 1 else 1.0
        points.append(
            {"part": PART, "case": _case(facts, number), "layer": number}
            | facts
            | {"growth": growth(layers[number - 1], argument) if number > 1 else None}
            | _distribution(argument.double().numpy() / frequency, activations.double().numpy())
        )
    return points


def _case(facts: Point, layer: int) -> str:
    return f"{facts['state']}, frequency {facts['frequency']}, layer {layer}, seed {facts['seed']}"


def _distribution(phases: Floats, activations: Floats) -> Point:
    """Phases and activations of a layer -> how far from normal and from arcsine."""
    variance = max(float(phases.var()), 1e-12)
    return {
        "variance": variance,
        "activation_variance": float(activations.var()),
        "ks_normal": ks_distance(phases, partial(normal_distribution, variance=variance)),
        "ks_arcsine": ks_distance(activations, arcsine_distribution),
        "phase_density": _density(phases, PHASES_SHOWN),
        "activation_density": _density(activations, 1.0),
    }


def _density(values: Floats, largest: float) -> list[float]:
    """Values -> their density in ``BINS`` equal bins from minus to plus ``largest``."""
    counts, _ = np.histogram(values, BINS, (-largest, largest))
    density: list[float] = (counts * BINS / (2 * largest) / values.size).round(4).tolist()
    return density
