"""Image samples -> weights: the overfitting loop.

Two phases under one cosine learning rate. First the network is fitted as it is. Then its layers are
given quantisation steps that meet the budget, and fitting goes on *through* the rounding: the loss
and its gradient are taken at the rounded weights and applied to the unrounded ones behind them
(straight-through estimation). Rounding only at the end costs decibels; this costs under 0.2 dB at
6 bits a weight (benchmarks/LOG.md, entry 3).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sirencodec.bitstream.architecture import Architecture
from sirencodec.bitstream.format import LARGEST_LEVEL
from sirencodec.bitstream.quantize import STEP_SIZES, QuantizedWeights, quantize
from sirencodec.entropy.payload import QuantizedPicture, encode_payload, largest_payload_bits
from sirencodec.entropy.range_coder import WORD_BYTES
from sirencodec.errors import FitError
from sirencodec.fitting.progress import FitProgress, OnStep
from sirencodec.fitting.pure.batch_gradient import BatchGradient
from sirencodec.fitting.pure.bit_allocation import allocate_steps, sensitivities
from sirencodec.fitting.pure.pixel_batches import StratifiedBatches
from sirencodec.fitting.schedule import cosine
from sirencodec.fitting.soap import Soap
from sirencodec.fitting.start import axis_scale, initial_layers
from sirencodec.image.samples import Samples
from sirencodec.synthesis.coordinates import image_coordinates
from sirencodec.synthesis.network import Layers, augment
from sirencodec.synthesis.threads import Workers, worker_threads

# Of folded weights; the smallest of the three holds. Narrow networks bear larger steps, and gain by
# them; wide ones drift into chaos on busy pictures unless steps fall faster (LOG.md, entries 4, 5).
LARGEST_LEARNING_RATE = 0.04
LEARNING_RATE = 0.16  # times the square root of the width
WIDE_LEARNING_RATE = 41.0  # times the square of the width
LAST_LAYER_RATE = 0.3  # relative, and relative to the targets' spread
WARM_UP_STEPS = 100
REALLOCATE_AT = (0.8, 0.9)  # fractions of the fit at which steps are chosen anew
SENSITIVITY_POINTS = 24_576
# Share of the budget to allocate; what the updates after the last allocation add is less.
BUDGET_MARGIN = 0.998
# Further allocations, each a margin smaller, or a word, should that not be enough. There is little
# left to fit through them: they cost a small file 0.2 dB (benchmarks/LOG.md, entry 27).
TIGHTENINGS = 5
TIGHTENING_RATE = 0.01  # of the learning rate
ERROR_SMOOTHING = 0.05  # share of a new batch in the running error
SETTLING_STEPS = 500
DIVERGED = 1.5  # an error this much above that of a flat image is beyond recovery
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
    width = architecture.hidden_features
    rates = (LARGEST_LEARNING_RATE, LEARNING_RATE / math.sqrt(width), WIDE_LEARNING_RATE / width**2)
    learning_rate = min(rates)
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
    reallocations = {int(fraction * plan.steps) for fraction in REALLOCATE_AT}
    budget_bits = largest_payload_bits(plan.budget_bits, architecture)
    with worker_threads(torch.get_num_threads() if device.type == "cpu" else 1) as workers:
        state = _FitState(samples, architecture, plan, device, workers)
        for step in range(plan.steps):
            if step in reallocations:
                state.allocate(BUDGET_MARGIN * budget_bits)
            warm = min(1.0, (step + 1) / WARM_UP_STEPS)
            state.update(learning_rate * warm * cosine(step / plan.steps))
            if state.has_diverged:
                return None
            if on_step is not None:
                on_step(FitProgress(step + 1, plan.steps, state.psnr_db))
        # The last updates may have made the levels dearer. Other steps mean other errors, and these
        # have to be fitted through like the first ones.
        for _ in range(TIGHTENINGS):
            if (
                8 * len(encode_payload(QuantizedPicture(state.quantized()), architecture))
                <= plan.budget_bits
            ):
                break
            budget_bits -= max((1 - BUDGET_MARGIN) * plan.budget_bits, 8 * WORD_BYTES)
            state.allocate(BUDGET_MARGIN * budget_bits)
            for _ in range(1 + plan.steps // 50):
                state.update(learning_rate * TIGHTENING_RATE)
        return state.quantized()


class _FitState:
    """A network being fitted, and all that its updates need."""

    def __init__(
        self,
        samples: Samples,
        architecture: Architecture,
        plan: FitPlan,
        device: torch.device,
        workers: Workers,
    ) -> None:
        """Start from a random network around the image's mean colour."""
        height, width, _ = samples.shape
        points = augment(torch.from_numpy(image_coordinates(width, height)).float())
        targets = _targets(samples)
        mean, spread = targets.mean(1), max(float(targets.std(correction=0)), 1 / 512)
        layers = _starting_layers(architecture, width, height, mean, spread, plan.seed)
        generator = np.random.default_rng(plan.seed)
        self._batches = StratifiedBatches(width, height, plan.batch_pixels, generator)
        probe = generator.permutation(width * height)[:SENSITIVITY_POINTS]

        self._device = device
        self._points, self._targets = points.to(device), targets.to(device)
        self._probe = points[:, probe].to(device)
        self._layers = [layer.to(device) for layer in layers]
        self._gradient = BatchGradient(self._layers, self._batches.batch_pixels, workers)
        self._optimizer = Soap(self._layers)
        self._relative_rates = [1.0] * (len(layers) - 1) + [LAST_LAYER_RATE * spread]
        self._step_indices: tuple[int, ...] = ()
        self._flat_error = self._recent_error = spread**2
        self._updates = 0

    def update(self, learning_rate: float) -> None:
        """Take one batch and move the network against the error it makes there, as rounded."""
        layers = _round(self._layers, self._step_indices) if self._step_indices else self._layers
        batch = torch.from_numpy(next(self._batches)).to(self._device)
        error, gradients = self._gradient(layers, self._points, self._targets, batch)
        self._optimizer.step(gradients, [learning_rate * rate for rate in self._relative_rates])
        self._recent_error += ERROR_SMOOTHING * (error - self._recent_error)
        self._updates += 1

    def allocate(self, budget_bits: float) -> None:
        """Choose the layers' steps anew; from here on updates see the rounded network."""
        weights = [layer.double().cpu().numpy() for layer in self._layers]
        harm = sensitivities(self._layers, self._probe)
        self._step_indices = allocate_steps(weights, harm, budget_bits)

    def quantized(self) -> QuantizedWeights:
        """The network as it would be stored now."""
        weights = [layer.double().cpu().numpy() for layer in self._layers]
        return quantize(weights, self._step_indices)

    @property
    def psnr_db(self) -> float:
        """Quality over the recent batches."""
        return -10 * math.log10(max(self._recent_error, 1e-12))

    @property
    def has_diverged(self) -> bool:
        """Whether the network does worse than its starting point, a flat image, would."""
        if not math.isfinite(self._recent_error):
            return True
        return self._updates > SETTLING_STEPS and self._recent_error > DIVERGED * self._flat_error


def _targets(samples: Samples) -> Tensor:
    """Samples -> (channels, pixels) float32 in [0, 1]."""
    peak = np.iinfo(samples.dtype).max
    planes = np.moveaxis(samples, 2, 0).reshape(samples.shape[2], -1)
    return torch.from_numpy(planes.astype(np.float32) / peak)


def _starting_layers(
    architecture: Architecture, width: int, height: int, mean: Tensor, spread: float, seed: int
) -> Layers:
    """Initial network whose output starts around the image's mean colour."""
    generator = torch.Generator().manual_seed(seed)
    layers = initial_layers(architecture, axis_scale(width, height), generator)
    layers[-1] *= spread
    layers[-1][:, -1] += mean
    return layers


def _round(layers: Sequence[Tensor], step_indices: Sequence[int]) -> Layers:
    """Layers -> the ones a decoder would rebuild."""
    rounded = []
    for layer, index in zip(layers, step_indices, strict=True):
        step = float(STEP_SIZES[index])
        level = torch.round(layer / step).clamp_(-LARGEST_LEVEL, LARGEST_LEVEL)
        rounded.append(level.mul_(step))
    return rounded
