"""Start, signal and schedule -> fitted layers: one loop for every experiment of the study.

Smaller than the codec's own loop (`fitting.pure.fit`), which also rounds and meets a budget, and
open where the experiments differ: in the gradient, the optimiser and the parametrisation.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmarks.ablations.pure_alternatives import Adam
from benchmarks.studies.activations.pictures import Signal
from sirencodec.fitting.loss.backpropagation import Backpropagation
from sirencodec.fitting.optimizer import MakeOptimizer
from sirencodec.fitting.soap import Soap
from sirencodec.synthesis.network import Layers, evaluate

BATCH_POINTS = 2048
CURVE_POINTS = 20  # places on a fit's curve at which its quality is measured
WARM_UP = 0.05  # of the updates
TINY_ERROR = 1e-10  # 100 dB

Values = Callable[[Sequence[Tensor], Tensor], Tensor]
Gradient = Callable[[Layers, Tensor, Tensor], Layers]
"""Layers, points and targets -> derivative of the mean squared error by layer."""


class GradientDescent:
    """Plain gradient descent: the only optimiser here whose step is as long as its gradient."""

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        """Remember ``parameters``."""
        self._parameters = parameters

    def update(self, gradients: Sequence[Tensor], learning_rates: Sequence[float]) -> None:
        """Move each parameter against its gradient."""
        for parameter, gradient, rate in zip(
            self._parameters, gradients, learning_rates, strict=True
        ):
            parameter.sub_(gradient, alpha=rate)


OPTIMIZERS: dict[str, MakeOptimizer] = {
    "gradient descent": GradientDescent,
    "Adam": Adam,
    "SOAP": Soap,
}


@dataclass(frozen=True, slots=True)
class Schedule:
    """How to fit.

    Attributes:
        optimizer: a key of ``OPTIMIZERS``.
        learning_rate: largest, of every parameter; a cosine brings it to zero.
        steps: updates.
        seed: of the batches.
    """

    optimizer: str
    learning_rate: float
    steps: int
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What a fit came to.

    Attributes:
        layers: of the last update.
        psnr_db: over the whole signal; of the flat mean where values are not finite.
        curve: the same after some of the updates, as (update, PSNR).
        step_ms: processor time of an update, milliseconds.
    """

    layers: Layers
    psnr_db: float
    curve: list[tuple[int, float]]
    step_ms: float


@dataclass(frozen=True, slots=True)
class Parametrisation:
    """What an optimiser moves: weights and biases apart, each without the factor in front of it.

    Attributes:
        scales: by layer, the factors in front of weights and of biases.
        relative_rates: by layer, learning rates of both, relative to the schedule's.
    """

    scales: Sequence[tuple[float, float]]
    relative_rates: Sequence[tuple[float, float]]

    def take_apart(self, layers: Layers) -> Layers:
        """Augmented matrices -> weights and biases in turn, without their factors."""
        parts = []
        for layer, (weight_scale, bias_scale) in zip(layers, self.scales, strict=True):
            parts += [layer[:, :-1] / weight_scale, layer[:, -1:] / bias_scale]
        return parts

    def put_together(self, parameters: Layers) -> Layers:
        """Weights and biases in turn -> augmented matrices, factors multiplied in."""
        pairs = zip(parameters[::2], parameters[1::2], self.scales, strict=True)
        return [
            torch.cat([weight * weight_scale, bias * bias_scale], 1)
            for weight, bias, (weight_scale, bias_scale) in pairs
        ]

    def gradients(self, gradients: Layers) -> Layers:
        """Derivatives by augmented matrices -> those by what is moved, by the chain rule."""
        parts = []
        for layer, (weight_scale, bias_scale) in zip(gradients, self.scales, strict=True):
            parts += [layer[:, :-1] * weight_scale, layer[:, -1:] * bias_scale]
        return parts

    @property
    def rates(self) -> list[float]:
        """Relative learning rates in the order of the parameters."""
        return [rate for pair in self.relative_rates for rate in pair]


def rate_for(width: int) -> float:
    """Width -> learning rate of SOAP.

    The codec's (`fitting.pure.fit`) but for its bound on wide networks, which is for ten thousand
    updates and makes a few hundred come to nothing.
    """
    return min(0.04, 0.16 / math.sqrt(width))


def around_mean(layers: Layers, targets: Tensor) -> Layers:
    """Layers -> the same with outputs around the targets' mean, as wide as the targets spread."""
    last = layers[-1] * max(float(targets.std(correction=0)), 1 / 512)
    last[:, -1] += targets.mean(1)
    return [*layers[:-1], last]


def sine_gradient(layers: Layers, count: int) -> Gradient:
    """Layers like those to come, and points of a batch -> the codec's own gradient."""
    backpropagation = Backpropagation(layers, count)

    def gradient(layers: Layers, points: Tensor, targets: Tensor) -> Layers:
        _, gradients = backpropagation(layers, points, targets)
        return [part / targets.numel() for part in gradients]

    return gradient


def fit(
    start: Layers,
    signal: Signal,
    schedule: Schedule,
    parametrisation: Parametrisation | None = None,
    values: Values = evaluate,
    gradient: Gradient | None = None,
) -> Fitted:
    """Start -> fitted layers.

    Args:
        start: augmented matrices ``[W | b]``, as they enter the sine.
        signal: what to fit.
        schedule: optimiser, rate and number of updates.
        parametrisation: what is moved; with None, whole matrices as they are.
        values: of a network at points.
        gradient: of the error; that of a sine network if None.
    """
    count = signal.points.shape[1]
    batch_points = min(count, BATCH_POINTS)
    gradient = gradient or sine_gradient(start, batch_points)
    generator = torch.Generator().manual_seed(schedule.seed)
    layers = [layer.clone() for layer in start]
    parameters = parametrisation.take_apart(layers) if parametrisation else layers
    relative_rates = parametrisation.rates if parametrisation else [1.0] * len(layers)
    optimizer = OPTIMIZERS[schedule.optimizer](parameters)
    shown = {round(schedule.steps * n / CURVE_POINTS) for n in range(1, CURVE_POINTS + 1)}
    curve = [(0, psnr_db(values(layers, signal.points), signal.targets))]
    seconds = 0.0
    for step in range(schedule.steps):
        started = time.process_time()
        batch = torch.randperm(count, generator=generator)[:batch_points]
        gradients = gradient(layers, signal.points[:, batch], signal.targets[:, batch])
        rate = schedule.learning_rate * min(1.0, (step + 1) / (WARM_UP * schedule.steps))
        rate *= (1 + math.cos(math.pi * step / schedule.steps)) / 2
        rates = [rate * relative for relative in relative_rates]
        if parametrisation:
            optimizer.update(parametrisation.gradients(gradients), rates)
            layers = parametrisation.put_together(parameters)
        else:
            optimizer.update(gradients, rates)
        seconds += time.process_time() - started
        if step + 1 in shown:
            curve.append((step + 1, psnr_db(values(layers, signal.points), signal.targets)))
    return Fitted(layers, curve[-1][1], curve, 1000 * seconds / schedule.steps)


def psnr_db(values: Tensor, targets: Tensor) -> float:
    """Values and targets, in [0, 1] -> PSNR, at least that of the targets' mean.

    A fit that has blown up is worth no less than one that has learned nothing.
    """
    flat = float((targets - targets.mean(1, keepdim=True)).square().mean())
    error = float((values.clamp(0, 1) - targets).square().mean())
    worst = flat if math.isnan(error) else min(error, flat)
    return round(-10 * math.log10(max(worst, TINY_ERROR)), 4)
