"""Network as it is fitted -> what one update makes of it, and what a file would hold of it."""

import math
from typing import Final

import numpy as np
import torch

from sirencodec.bitstream.architecture import Architecture
from sirencodec.bitstream.quantize import Matrix, QuantizedWeights, quantize
from sirencodec.fitting.bounds import axis_scale
from sirencodec.fitting.loss.pixel.alpha import ALPHA_MARGIN, has_alpha, mean_colour
from sirencodec.fitting.loss.values import psnr_db, values_of
from sirencodec.fitting.pure.batch_gradient import BatchGradient
from sirencodec.fitting.pure.bit_allocation import allocate_steps
from sirencodec.fitting.pure.pixel_targets import PixelTargets
from sirencodec.fitting.pure.plan import PurePlan, plan_renewals
from sirencodec.fitting.rounding import round_matrix
from sirencodec.image.samples import Samples
from sirencodec.synthesis.coordinates import image_coordinates
from sirencodec.synthesis.network import Layers, augment
from sirencodec.synthesis.threads import Workers

SMALLEST_SPREAD: Final = 1 / 512  # of targets: half a level of 8 bits, for a flat image


class FittedNetwork:
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
