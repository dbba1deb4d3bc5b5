"""Payload budgets -> files: fits of networks alone, and new ends of fits that were made before."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import torch

from sirencodec.bitstream.architecture import Architecture
from sirencodec.entropy.payload import QuantizedPicture
from sirencodec.fitting.progress import OnStep
from sirencodec.fitting.pure.fit import PureFit
from sirencodec.fitting.pure.plan import plan_architecture, plan_fits
from sirencodec.fitting.pure.search import Attempt
from sirencodec.fitting.pure.settings import PureSettings
from sirencodec.image.samples import Samples

Result = TypeVar("Result", bound=Attempt)
Made = TypeVar("Made", bound=Attempt, covariant=True)


class FileMaker(Protocol[Made]):
    """Knows what a file holds besides a network."""

    def payload_bits(self, architecture: Architecture, budget_bits: float) -> float:
        """Network and a budget -> what its payload may take, the file's header known."""
        ...

    def finish(self, architecture: Architecture, picture: QuantizedPicture) -> Made:
        """Network and its integers -> the file."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class _Fits:
    """Fits of one network, made for one budget.

    Attributes:
        budget_bits: of the payload.
        architecture: of the network.
        fits: that were made whole.
    """

    budget_bits: float
    architecture: Architecture
    fits: Sequence[PureFit]


@dataclass(slots=True, eq=False)
class PureAttempts(Generic[Result]):
    """Payload budget and effort -> the best file that fits of a network make.

    Near a budget that a network was fitted for, its fits are but ended anew: a fifth of the work.

    Attributes:
        samples: (height, width, channels) of the image.
        seed: of all randomness.
        settings: hyper-parameters.
        device: where to compute.
        on_step: called after every update.
        files: makes one of a fitted network.
    """

    samples: Samples
    seed: int
    settings: PureSettings
    device: torch.device
    on_step: OnStep | None
    files: FileMaker[Result]
    _made: dict[int, _Fits] = field(default_factory=dict, init=False)  # by effort
    _found: dict[tuple[float, int], Result] = field(default_factory=dict, init=False)

    def __call__(self, budget_bits: float, effort: int) -> Result:
        """Budget in bits and effort, 0 to 9 -> the best file; the same again for the same."""
        place = budget_bits, effort
        if place not in self._found:
            results = [*self._ended(budget_bits, effort)] or self._fitted(budget_bits, effort)
            self._found[place] = max(results, key=lambda one: one.quality)
        return self._found[place]

    def _fitted(self, budget_bits: float, effort: int) -> list[Result]:
        """Fits from the start, of the network that suits the budget."""
        height, width, channels = self.samples.shape
        longest, settings = max(width, height), self.settings
        architecture = plan_architecture(budget_bits, channels, longest, settings.network)
        payload_bits = self.files.payload_bits(architecture, budget_bits)
        fits = [
            PureFit(self.samples, architecture, plan, self.device, self.on_step)
            for plan in plan_fits(
                architecture, width * height, effort, payload_bits, self.seed, settings
            )
        ]
        pictures = [QuantizedPicture(fit.whole()) for fit in fits]
        self._made[effort] = _Fits(budget_bits, architecture, fits)
        return [self.files.finish(architecture, picture) for picture in pictures]

    def _ended(self, budget_bits: float, effort: int) -> Iterator[Result]:
        """Fits made before, ended at this budget; none if it is not near theirs."""
        made = self._made.get(effort)
        if made is None:
            return
        if abs(math.log2(budget_bits / made.budget_bits)) > self.settings.search.ended_octaves:
            return
        payload_bits = self.files.payload_bits(made.architecture, budget_bits)
        for fit in made.fits:
            weights = fit.ended_anew(payload_bits)
            if weights is not None:
                yield self.files.finish(made.architecture, QuantizedPicture(weights))
