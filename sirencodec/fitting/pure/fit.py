"""Image samples -> weights: the overfitting loop.

Two phases under one cosine learning rate. First the network is fitted as it is. Then its layers are
given quantisation steps that meet the budget, and fitting goes on *through* the rounding: the loss
and its gradient are taken at the rounded weights and applied to the unrounded ones behind them
(straight-through estimation). Rounding only at the end costs decibels; this costs under 0.2 dB at
6 bits a weight (benchmarks/LOG.md, entry 3).

Loss: mean squared error over the batch's pixels and channels, values being 0 to 1; with a blend of
measures, from targets that stand for it and are renewed every so many updates (``pixel_targets``).
"""

import math
from dataclasses import dataclass

import numpy as np
import torch

from sirencodec.bitstream.architecture import Architecture
from sirencodec.bitstream.quantize import Matrix, QuantizedWeights, quantize
from sirencodec.entropy.payload import QuantizedPicture, encode_payload, largest_payload_bits
from sirencodec.errors import FitError
from sirencodec.fitting.bounds import axis_scale
from sirencodec.fitting.loss.pixel.alpha import ALPHA_MARGIN, has_alpha, mean_colour
from sirencodec.fitting.loss.values import psnr_db, values_of
from sirencodec.fitting.progress import FitProgress, OnStep
from sirencodec.fitting.pure.batch_gradient import BatchGradient
from sirencodec.fitting.pure.bit_allocation import allocate_steps
from sirencodec.fitting.pure.pixel_targets import PixelTargets
from sirencodec.fitting.pure.plan import PurePlan, plan_renewals
from sirencodec.fitting.pure.settings import RateSettings
from sirencodec.fitting.rounding import round_matrix
from sirencodec.fitting.schedule import cosine, warmth
from sirencodec.image.samples import Samples
from sirencodec.synthesis.coordinates import image_coordinates
from sirencodec.synthesis.network import Layers, augment
from sirencodec.synthesis.threads import Workers
from sirencodec.synthesis.torch_threads import worker_threads

SMALLEST_SPREAD = 1 / 512  # of targets: half a level of 8 bits, for a flat image


@dataclass(frozen=True, slots=True, eq=False)
class Begun:
    """A fit up to where steps are chosen for a budget.

    Attributes:
        layers: as they were fitted, unrounded.
        learning_rate: at its largest.
    """

    layers: Layers
    learning_rate: float


def fit(
    samples: Samples,
    architecture: Architecture,
    plan: PurePlan,
    device: torch.device,
    on_step: OnStep | None = None,
) -> QuantizedWeights:
    """Image samples -> quantised network whose payload meets the plan's budget.

    The arguments, and what is raised, are those of ``begin_and_end``.
    """
    return begin_and_end(samples, architecture, plan, device, on_step)[1]


def begin_and_end(
    samples: Samples,
    architecture: Architecture,
    plan: PurePlan,
    device: torch.device,
    on_step: OnStep | None = None,
) -> tuple[Begun, QuantizedWeights]:
    """Image samples -> quantised network, and from where it could meet another budget.

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
    rates = plan.settings.rates
    learning_rate = largest_rate(architecture.hidden_features, rates)
    for _ in range(1 + rates.most_restarts):
        fitted = _fit_once(samples, architecture, plan, device, learning_rate, on_step)
        if fitted is not None:
            return fitted
        learning_rate /= 2
    raise FitError("the network diverged at every learning rate tried")


def end(
    begun: Begun,
    samples: Samples,
    architecture: Architecture,
    plan: PurePlan,
    device: torch.device,
    on_step: OnStep | None = None,
) -> QuantizedWeights | None:
    """Begun fit -> quantised network whose payload meets the plan's budget; None if it diverges.

    It takes a fifth of a fit. The arguments are those that it was begun with, but for the budget.
    """
    found = _fit_once(samples, architecture, plan, device, begun.learning_rate, on_step, begun)
    return None if found is None else found[1]


def largest_rate(width: int, rates: RateSettings) -> float:
    """Width of a network -> learning rate of its folded weights, before the schedule."""
    return min(rates.largest, rates.narrow / math.sqrt(width), rates.wide / width**2)


def _fit_once(
    samples: Samples,
    architecture: Architecture,
    plan: PurePlan,
    device: torch.device,
    learning_rate: float,
    on_step: OnStep | None,
    begun: Begun | None = None,
) -> tuple[Begun, QuantizedWeights] | None:
    """One fit from a fresh network, or from where it was begun; None if it diverges."""
    rounding = plan.settings.rounding
    allocations = {int(share * plan.updates) for share in rounding.allocate_at}
    budget_bits = rounding.budget_share * largest_payload_bits(plan.budget_bits, architecture)
    with worker_threads(torch.get_num_threads() if device.type == "cpu" else 1) as workers:
        network = _FittedNetwork(samples, architecture, plan, device, workers)
        if begun is not None:
            network.go_on_from(begun.layers)
        for update in range(0 if begun is None else min(allocations), plan.updates):
            if begun is None and update == min(allocations):
                begun = Begun(network.unrounded(), learning_rate)
            if update in allocations:
                network.allocate(budget_bits)
            warm = warmth(update, plan.settings.rates.warm_up_updates)
            network.update(learning_rate * warm * cosine(update / plan.updates))
            if network.has_diverged:
                return None
            if on_step is not None:
                on_step(FitProgress(update + 1, plan.updates, network.psnr_db))
        _tighten(network, architecture, plan, learning_rate)
        if begun is None:
            raise ValueError("steps are to be chosen before the last update")
        return begun, network.quantized()


def _tighten(
    network: "_FittedNetwork", architecture: Architecture, plan: PurePlan, learning_rate: float
) -> None:
    """Fit on within ever less of the budget, while the payload exceeds it.

    The last updates may have made levels dearer. Other steps mean other errors, and these have to
    be fitted through like the first ones.
    """
    rounding = plan.settings.rounding
    budget_bits = largest_payload_bits(plan.budget_bits, architecture)
    for _ in range(rounding.most_tightenings):
        payload = encode_payload(QuantizedPicture(network.quantized()), architecture)
        if 8 * payload.num_bytes <= plan.budget_bits:
            break
        budget_bits -= max((1 - rounding.budget_share) * plan.budget_bits, 8.0)
        network.allocate(rounding.budget_share * budget_bits)
        for _ in range(1 + int(rounding.tightening_share * plan.updates)):
            network.update(learning_rate * rounding.tightening_rate)


class _FittedNetwork:
    """A network being fitted, and all that its updates need."""

    def __init__(
        self,
        samples: Samples,
        architecture: Architecture,
        plan: PurePlan,
        device: torch.device,
        workers: Workers,
    ) -> None:
        """Start from a random network around the image's mean colour."""
        height, width, _ = samples.shape
        settings = self._settings = plan.settings
        points = augment(torch.from_numpy(image_coordinates(width, height)).float())
        image = values_of(samples)
        spread = max(float(image.std(correction=0)), SMALLEST_SPREAD)
        start = torch.Generator().manual_seed(plan.seed)
        layers = settings.start(architecture, axis_scale(width, height), start)
        layers[-1] *= spread
        layers[-1][:, -1] += mean_colour(image)
        generator = np.random.default_rng(plan.seed)
        self._batches = settings.batches(width, height, plan.batch_pixels, generator)
        probe = generator.permutation(width * height)[: settings.rounding.probe_pixels]

        self._device = device
        self._points = points.to(device)
        blend = settings.blend
        self._targets = PixelTargets(image.to(device), self._points, blend, workers)
        self._renewal_period = plan_renewals(architecture, width * height, plan)
        self._probe = points[:, probe].to(device)
        self._layers = [layer.to(device) for layer in layers]
        self._gradient = BatchGradient(self._layers, self._batches.batch_pixels, workers)
        self._optimizer = settings.optimizer(self._layers)
        last_layer_rate = settings.rates.last_layer_share * spread
        self._relative_rates = [1.0] * (len(layers) - 1) + [last_layer_rate]
        self._step_indices: tuple[int, ...] = ()
        # What is opaque or transparent aims beyond 1 and 0, and a flat image misses that.
        beyond = ALPHA_MARGIN if has_alpha(image) else 0.0
        self._flat_error = self._recent_error = spread**2 + beyond**2
        self._updates = 0

    def update(self, learning_rate: float) -> None:
        """Take one batch and move the network against the error it makes there, as rounded."""
        layers = self._layers
        if self._step_indices:
            pairs = zip(layers, self._step_indices, strict=True)
            layers = [round_matrix(layer, index) for layer, index in pairs]
        if self._updates % self._renewal_period == 0:
            self._targets.renew(layers)
        batch = torch.from_numpy(next(self._batches)).to(self._device)
        error, gradients = self._gradient(layers, self._points, self._targets, batch)
        self._optimizer.update(gradients, [learning_rate * rate for rate in self._relative_rates])
        self._recent_error += self._settings.rates.error_smoothing * (error - self._recent_error)
        self._updates += 1

    def unrounded(self) -> Layers:
        """A copy of the layers as they are."""
        return [layer.clone() for layer in self._layers]

    def go_on_from(self, layers: Layers) -> None:
        """Take the values of other layers."""
        for layer, other in zip(self._layers, layers, strict=True):
            layer.copy_(other)

    def allocate(self, budget_bits: float) -> None:
        """Choose the layers' steps anew; from here on updates see the rounded network."""
        harm = self._settings.sensitivities(self._layers, self._probe)
        self._step_indices = allocate_steps(self._weights, harm, budget_bits)

    def quantized(self) -> QuantizedWeights:
        """The network as it would be stored now."""
        return quantize(self._weights, self._step_indices)

    @property
    def psnr_db(self) -> float:
        """PSNR over the recent batches, or of the picture that was looked at last."""
        error = self._targets.squared_error
        error = self._recent_error if error is None else error
        return psnr_db(error)

    @property
    def has_diverged(self) -> bool:
        """Whether the network does worse than a flat image would, after some updates."""
        if not math.isfinite(self._recent_error):
            return True
        rates = self._settings.rates
        has_settled = self._updates > rates.settling_updates
        return has_settled and self._recent_error > rates.diverged * self._flat_error

    @property
    def _weights(self) -> list[Matrix]:
        """Layers in double precision, as the quantiser takes them."""
        return [layer.double().cpu().numpy() for layer in self._layers]
