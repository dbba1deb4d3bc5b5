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
from dataclasses import dataclass, replace

import torch

from sirencodec.bitstream.architecture import Architecture
from sirencodec.bitstream.quantize import QuantizedWeights
from sirencodec.entropy.payload import QuantizedPicture, encode_payload, largest_payload_bits
from sirencodec.errors import FitError
from sirencodec.fitting.progress import FitProgress, OnStep
from sirencodec.fitting.pure.fitted_network import FittedNetwork
from sirencodec.fitting.pure.plan import PurePlan
from sirencodec.fitting.pure.settings import RateSettings
from sirencodec.fitting.schedule import cosine, warmth
from sirencodec.image.samples import Samples
from sirencodec.synthesis.network import Layers
from sirencodec.synthesis.torch_threads import worker_threads


@dataclass(frozen=True, slots=True, eq=False)
class _Begun:
    """A fit up to where steps are chosen for a budget.

    Attributes:
        layers: as they were fitted, unrounded.
        learning_rate: at its largest.
    """

    layers: Layers
    learning_rate: float


class PureFit:
    """Image samples -> quantised network whose payload meets a budget, then another budget."""

    def __init__(
        self,
        samples: Samples,
        architecture: Architecture,
        plan: PurePlan,
        device: torch.device,
        on_step: OnStep | None = None,
    ) -> None:
        """Nothing is fitted yet.

        Args:
            samples: (height, width, channels) uint8 or uint16.
            architecture: the network to fit, its channels those of the samples.
            plan: amount of work and budget.
            device: where to compute.
            on_step: called after every update.
        """
        self._samples, self._architecture, self._plan = samples, architecture, plan
        self._device, self._on_step = device, on_step
        self._begun: _Begun | None = None

    def whole(self) -> QuantizedWeights:
        """Fit from a random network on -> one that meets the plan's budget.

        Raises:
            FitError: if the loss stays non-finite or worse than a flat image at ever lower learning
                rates.
        """
        rates = self._plan.settings.rates
        learning_rate = largest_rate(self._architecture.hidden_features, rates)
        for _ in range(1 + rates.most_restarts):
            weights = self._run(self._plan, learning_rate)
            if weights is not None:
                return weights
            learning_rate /= 2
        raise FitError("the network diverged at every learning rate tried")

    def ended_anew(self, budget_bits: float) -> QuantizedWeights | None:
        """The fit from where steps are chosen on, for another budget; None if it diverges.

        It takes a fifth of a whole fit, and there must have been one.
        """
        if self._begun is None:
            raise ValueError("a fit is made whole before it is ended anew")
        plan = replace(self._plan, budget_bits=budget_bits)
        return self._run(plan, self._begun.learning_rate, self._begun.layers)

    def _run(
        self, plan: PurePlan, learning_rate: float, begun: Layers | None = None
    ) -> QuantizedWeights | None:
        """One fit from a fresh network, or from where it was begun; None if it diverges."""
        rounding, threads = plan.settings.rounding, torch.get_num_threads()
        allocations = {int(share * plan.updates) for share in rounding.allocate_at}
        budget_bits = largest_payload_bits(plan.budget_bits, self._architecture)
        with worker_threads(threads if self._device.type == "cpu" else 1) as workers:
            network = FittedNetwork(self._samples, self._architecture, plan, self._device, workers)
            if begun is not None:
                network.go_on_from(begun)
            for update in range(0 if begun is None else min(allocations), plan.updates):
                if update == min(allocations):
                    self._begun = _Begun(network.unrounded(), learning_rate)
                if update in allocations:
                    network.allocate(rounding.budget_share * budget_bits)
                warm = warmth(update, plan.settings.rates.warm_up_updates)
                network.update(learning_rate * warm * cosine(update / plan.updates))
                if network.has_diverged:
                    return None
                if self._on_step is not None:
                    self._on_step(FitProgress(update + 1, plan.updates, network.psnr_db))
            if self._begun is None:
                raise ValueError("steps are to be chosen before the last update")
            self._tighten(network, plan, learning_rate)
            return network.quantized()

    def _tighten(self, network: FittedNetwork, plan: PurePlan, learning_rate: float) -> None:
        """Fit on within ever less of the budget, while the payload exceeds it.

        The last updates may have made levels dearer. Other steps mean other errors, and these have
        to be fitted through like the first ones.
        """
        rounding = plan.settings.rounding
        budget_bits = largest_payload_bits(plan.budget_bits, self._architecture)
        for _ in range(rounding.most_tightenings):
            payload = encode_payload(QuantizedPicture(network.quantized()), self._architecture)
            if 8 * payload.num_bytes <= plan.budget_bits:
                break
            budget_bits -= max((1 - rounding.budget_share) * plan.budget_bits, 8.0)
            network.allocate(rounding.budget_share * budget_bits)
            for _ in range(1 + int(rounding.tightening_share * plan.updates)):
                network.update(learning_rate * rounding.tightening_rate)


def largest_rate(width: int, rates: RateSettings) -> float:
    """Width of a network -> learning rate of its folded weights, before the schedule."""
    return min(rates.largest, rates.narrow / math.sqrt(width), rates.wide / width**2)
