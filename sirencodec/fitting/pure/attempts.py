"""Payload budgets -> files: fits of networks alone, and new ends of fits that were made before."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import torch

from sirencodec.bitstream.architecture import Architecture
from sirencodec.bitstream.quantize import QuantizedWeights
from sirencodec.fitting.progress import OnStep
from sirencodec.fitting.pure.fit import Begun, begin_and_end, end
from sirencodec.fitting.pure.plan import PurePlan, plan_architecture, plan_fits
from sirencodec.fitting.pure.search import Attempt
from sirencodec.fitting.pure.settings import PureSettings
from sirencodec.image.samples import Samples

Result = TypeVar("Result", bound=Attempt)


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings(Generic[Result]):
    """What an attempt needs to know besides its budget.

    Attributes:
        samples: (height, width, channels) of the image.
        seed: of all randomness.
        settings: hyper-parameters.
        device: where to compute.
        on_step: called after every update.
        payload_bits: network, and a budget -> what a payload may take, the file's header known.
        finish: network and its weights -> the file.
    """

    samples: Samples
    seed: int
    settings: PureSettings
    device: torch.device
    on_step: OnStep | None
    payload_bits: Callable[[Architecture, float], float]
    finish: Callable[[Architecture, QuantizedWeights], Result]


@dataclass(frozen=True, slots=True, eq=False)
class _BegunFits:
    """Fits of one network, made for one budget.

    Attributes:
        budget_bits: of the payload.
        architecture: of the network.
        fits: each plan, and its fit up to where steps are chosen.
    """

    budget_bits: float
    architecture: Architecture
    fits: Sequence[tuple[PurePlan, Begun]]


class PureAttempts(Generic[Result]):
    """Payload budget and effort -> the best file that fits of a network make.

    Near a budget that a network was fitted for, its fits are but ended anew: a fifth of the work.
    """

    def __init__(self, surroundings: Surroundings[Result]) -> None:
        """Nothing is fitted yet."""
        self._surroundings = surroundings
        self._begun: dict[int, _BegunFits] = {}
        self._found: dict[tuple[float, int], Result] = {}

    def __call__(self, budget_bits: float, effort: int) -> Result:
        """Budget in bits and effort, 0 to 9 -> the best file; the same again for the same."""
        place = budget_bits, effort
        if place not in self._found:
            results = [*self._ended(budget_bits, effort)] or self._fitted(budget_bits, effort)
            self._found[place] = max(results, key=lambda one: one.quality)
        return self._found[place]

    def _fitted(self, budget_bits: float, effort: int) -> list[Result]:
        """Fits from the start, of the network that suits the budget."""
        samples, settings = self._surroundings.samples, self._surroundings.settings
        height, width, channels = samples.shape
        architecture = plan_architecture(
            budget_bits, channels, max(width, height), settings.network
        )
        payload_bits = self._surroundings.payload_bits(architecture, budget_bits)
        plans = plan_fits(
            architecture, width * height, effort, payload_bits, self._surroundings.seed, settings
        )
        fits, results = list[tuple[PurePlan, Begun]](), list[Result]()
        for plan in plans:
            begun, weights = begin_and_end(samples, architecture, plan, *self._where)
            fits.append((plan, begun))
            results.append(self._surroundings.finish(architecture, weights))
        self._begun[effort] = _BegunFits(budget_bits, architecture, fits)
        return results

    def _ended(self, budget_bits: float, effort: int) -> Iterator[Result]:
        """Fits made before, ended at this budget; none if it is not near theirs."""
        before, settings = self._begun.get(effort), self._surroundings.settings.search
        if before is None:
            return
        if abs(math.log2(budget_bits / before.budget_bits)) > settings.ended_octaves:
            return
        architecture = before.architecture
        payload_bits = self._surroundings.payload_bits(architecture, budget_bits)
        for plan, begun in before.fits:
            anew = replace(plan, budget_bits=payload_bits)
            weights = end(begun, self._surroundings.samples, architecture, anew, *self._where)
            if weights is not None:
                yield self._surroundings.finish(architecture, weights)

    @property
    def _where(self) -> tuple[torch.device, OnStep | None]:
        """Where to compute, and who hears of it."""
        return self._surroundings.device, self._surroundings.on_step
