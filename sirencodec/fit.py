"""Image samples -> weights: the overfitting loop.

Two phases under one cosine learning rate. First the network is fitted as it is. Then its layers are
given quantisation steps that meet the budget, and fitting goes on *through* the rounding: the loss
and its gradient are taken at the rounded weights and applied to the unrounded ones behind them
(straight-through estimation). Rounding only at the end costs decibels; this costs 0.1 to 0.2 dB at
6 bits a weight (benchmarks/LOG.md, entry 3).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from sirencodec.architecture import Architecture
from sirencodec.bit_allocation import allocate_steps
from sirencodec.entropy.frequency import LARGEST_LEVEL
from sirencodec.entropy.payload import payload_bits
from sirencodec.errors import FitError
from sirencodec.grid import image_coordinates
from sirencodec.quantize import STEP_SIZES, QuantizedWeights, quantize
from sirencodec.query import Samples
from sirencodec.sampling import StratifiedBatches
from sirencodec.siren import Backpropagation, Layers, augment, initial_layers, sensitivities
from sirencodec.soap import Soap
from sirencodec.workers import Workers, worker_threads

LEARNING_RATE = 0.02  # of folded weights; 0.04 diverges, 0.01 is 0.2 dB behind (LOG.md, entry 2)
LAST_LAYER_RATE = 0.3  # relative, and relative to the targets' spread
WARM_UP_STEPS = 100
REALLOCATE_AT = (0.8, 0.9)  # fractions of the fit at which steps are chosen anew
SENSITIVITY_POINTS = 24_576
MIN_PIECE_POINTS = 512  # below this, handing over costs more than the arithmetic
DIVERGED = 1.5  # a loss this much above predicting the mean colour is beyond recovery
RESTARTS = 3  # each at half the learning rate


@dataclass(frozen=True, slots=True)
class FitPlan:
    """How much work to put into a fit.

    Attributes:
        steps: updates of the network.
        batch_pixels: pixels an update looks at.
        budget_bits: what the payload may take.
        seed: of initialisation and sampling.
    """

    steps: int
    batch_pixels: int
    budget_bits: float
    seed: int


@dataclass(frozen=True, slots=True)
class FitProgress:
    """Where a fit is: ``step`` of ``steps`` done, at a recent quality of ``psnr_db``."""

    step: int
    steps: int
    psnr_db: float


OnStep = Callable[[FitProgress], None]


def fit(
    samples: Samples,
    architecture: Architecture,
    plan: FitPlan,
    device: torch.device,
    on_step: OnStep | None = None,
) -> QuantizedWeights:
    """Image samples -> quantised network whose payload meets the plan's budget.

    Args:
        samples: (height, width, channels) uint8 or uint16.
        architecture: the network to fit, its channels those of the samples.
        plan: amount of work and budget.
        device: where to compute.
        on_step: called after every update.

    Raises:
        FitError: if the loss stays non-finite or worse than a flat image at ever lower learning
            rates.
    """
    learning_rate = LEARNING_RATE
    for _ in range(1 + RESTARTS):
        fitted = _fit_once(samples, architecture, plan, device, learning_rate, on_step)
        if fitted is not None:
            return fitted
        learning_rate /= 2
    raise FitError("the network diverged at every learning rate tried")


def _fit_once(
    samples: Samples,
    architecture: Architecture,
    plan: FitPlan,
    device: torch.device,
    learning_rate: float,
    on_step: OnStep | None,
) -> QuantizedWeights | None:
    """One fit from a fresh network; None if it diverges."""
    height, width, _ = samples.shape
    points = augment(torch.from_numpy(image_coordinates(width, height)).float())
    targets = _targets(samples)
    mean, spread = targets.mean(1), max(float(targets.std(correction=0)), 1 / 512)
    layers = _starting_layers(architecture, width, height, mean, spread, plan.seed)
    rates = [1.0] * (len(layers) - 1) + [LAST_LAYER_RATE * spread]

    generator = np.random.default_rng(plan.seed)
    batches = StratifiedBatches(width, height, plan.batch_pixels, generator)
    probe = points[:, generator.permutation(width * height)[:SENSITIVITY_POINTS]].to(device)
    points, targets = points.to(device), targets.to(device)
    layers = [layer.to(device) for layer in layers]
    optimizer = Soap(layers)
    reallocations = {int(fraction * plan.steps) for fraction in REALLOCATE_AT}
    step_indices: tuple[int, ...] = ()
    recent_error = spread**2

    with worker_threads(torch.get_num_threads() if device.type == "cpu" else 1) as workers:
        gradient = BatchGradient(layers, batches.batch_pixels, workers)
        for step in range(plan.steps):
            if step in reallocations:
                step_indices = _allocate(layers, probe, plan.budget_bits)
            rounded = _round(layers, step_indices) if step_indices else layers
            batch = torch.from_numpy(next(batches)).to(device)
            loss, gradients = gradient(rounded, points[:, batch], targets[:, batch])
            warm = min(1.0, (step + 1) / WARM_UP_STEPS)
            cosine = (1 + math.cos(math.pi * step / plan.steps)) / 2
            optimizer.step(gradients, [learning_rate * warm * cosine * rate for rate in rates])

            if not math.isfinite(loss) or (step > 500 and loss > DIVERGED * spread**2):
                return None
            recent_error += 0.05 * (loss - recent_error)
            if on_step is not None:
                psnr = -10 * math.log10(max(recent_error, 1e-12))
                on_step(FitProgress(step + 1, plan.steps, psnr))
    return _within_budget(layers, probe, step_indices, plan.budget_bits)


def _targets(samples: Samples) -> Tensor:
    """Samples -> (channels, pixels) float32 in [0, 1]."""
    peak = np.iinfo(samples.dtype).max
    planes = np.moveaxis(samples, 2, 0).reshape(samples.shape[2], -1)
    return torch.from_numpy(planes.astype(np.float32) / peak)


def _starting_layers(
    architecture: Architecture, width: int, height: int, mean: Tensor, spread: float, seed: int
) -> Layers:
    """Initial network whose output starts around the image's mean colour."""
    longest = max(width, height)
    generator = torch.Generator().manual_seed(seed)
    layers = initial_layers(architecture, (width / longest, height / longest), generator)
    layers[-1] *= spread
    layers[-1][:, -1] += mean
    return layers


class BatchGradient:
    """Batch -> mean squared error and its gradient, the points shared among worker threads."""

    def __init__(self, layers: Sequence[Tensor], batch_points: int, workers: Workers) -> None:
        """Make buffers for networks like ``layers`` and batches of ``batch_points``."""
        pieces = max(1, min(workers.count, batch_points // MIN_PIECE_POINTS))
        self._bounds = np.linspace(0, batch_points, pieces + 1).astype(int).tolist()
        self._pieces = [
            Backpropagation(layers, stop - start) for start, stop in pairwise(self._bounds)
        ]
        self._workers = workers

    def __call__(
        self, layers: Sequence[Tensor], points: Tensor, targets: Tensor
    ) -> tuple[float, Layers]:
        """Mean over points and channels; arguments as for ``Backpropagation``."""

        def run(piece: int) -> tuple[Tensor, Layers]:
            span = slice(self._bounds[piece], self._bounds[piece + 1])
            return self._pieces[piece](layers, points[:, span], targets[:, span])

        parts = self._workers.map(run, range(len(self._pieces)))
        count = targets.numel()
        loss = sum(float(part_loss) for part_loss, _ in parts) / count
        gradients = [
            torch.stack(layer_parts).sum(0).div_(count)
            for layer_parts in zip(*(gradient for _, gradient in parts), strict=True)
        ]
        return loss, gradients


def _round(layers: Sequence[Tensor], step_indices: Sequence[int]) -> Layers:
    """Layers -> the ones a decoder would rebuild."""
    rounded = []
    for layer, index in zip(layers, step_indices, strict=True):
        step = float(STEP_SIZES[index])
        level = torch.round(layer / step).clamp_(-LARGEST_LEVEL, LARGEST_LEVEL)
        rounded.append(level.mul_(step))
    return rounded


def _allocate(layers: Sequence[Tensor], probe: Tensor, budget_bits: float) -> tuple[int, ...]:
    """Layers -> step indices that meet the budget."""
    weights = [layer.double().cpu().numpy() for layer in layers]
    return allocate_steps(weights, sensitivities(layers, probe), budget_bits)


def _within_budget(
    layers: Sequence[Tensor], probe: Tensor, step_indices: tuple[int, ...], budget_bits: float
) -> QuantizedWeights:
    """Final layers -> levels, at coarser steps if the last updates made them cost too much."""
    weights = [layer.double().cpu().numpy() for layer in layers]
    quantized = quantize(weights, step_indices)
    if payload_bits(quantized) > budget_bits:
        quantized = quantize(weights, _allocate(layers, probe, budget_bits))
    return quantized
