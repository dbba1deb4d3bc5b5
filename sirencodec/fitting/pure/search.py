"""Target -> payload budgets to try until a file meets it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, Self, TypeVar

from sirencodec.fitting.pure.settings import PureSettings, SearchSettings
from sirencodec.fitting.target import OVERHEAD_BYTES, Kind, Target, metadata_bytes


class Attempt(Protocol):
    """What an attempt at a budget yields, as far as this module looks."""

    @property
    def data(self) -> bytes:
        """The file."""

    @property
    def quality(self) -> float:
        """In the unit of the target, if that is a measure; infinite if the decode is exact."""


Result = TypeVar("Result", bound=Attempt)


@dataclass(frozen=True, slots=True)
class _Tried(Generic[Result]):
    """A budget and what came of it.

    Attributes:
        position: logarithm of the budget, to base 2.
        result: of the attempt.
        distance: from the target, or what a search aims at; positive on the wrong side.
    """

    position: float
    result: Result
    distance: float


@dataclass(frozen=True, slots=True)
class BudgetSearch:
    """Attempts at payload budgets -> the result that meets a target, or comes closest.

    Attributes:
        target: said of the whole file.
        first_bits: budget to try first.
        smallest_bits: to try then.
        largest_bits: to try then.
        settings: of the search.
    """

    target: Target
    first_bits: float
    smallest_bits: float
    largest_bits: float
    settings: SearchSettings

    @classmethod
    def of(
        cls,
        target: Target,
        raw_bytes: int,
        foreseen_bytes: int,
        metadata: bytes | None,
        settings: PureSettings,
    ) -> Self:
        """Target and image -> where to search.

        Args:
            target: said of the whole file.
            raw_bytes: of the image's samples.
            foreseen_bytes: about how many the file will have, where the target is a measure.
            metadata: section that every file will carry.
            settings: bounds of budgets, and of the search.
        """
        smallest = settings.network.smallest_payload_bits
        largest = settings.network.largest_payload_bits

        def clamped(budget_bits: float) -> float:
            return min(max(budget_bits, smallest), largest)

        if target.kind is Kind.SIZE:
            payload = target.for_payload(OVERHEAD_BYTES + metadata_bytes(metadata))
            return cls(target, clamped(8 * payload.value), smallest, largest, settings.search)
        most = clamped(settings.search.most_bits(raw_bytes))
        return cls(target, clamped(8.0 * foreseen_bytes), smallest, most, settings.search)

    def best(self, attempt: Callable[[float], Result], scout: Callable[[float], Result]) -> Result:
        """The result that meets the target, or comes closest.

        A size takes one attempt, for a payload keeps to its budget. For a measure scouts look for
        the budget, in little time, and attempts begin where they end.

        Args:
            attempt: makes a file whose payload keeps to a budget in bits.
            scout: the same in less time, and no better.
        """
        if self.target.kind is Kind.SIZE:
            return self._smallest_exact(attempt)
        scouts = self._tries(scout, math.log2(self.first_bits), self.settings.most_scouts)
        found = max(scouts, key=self._merit).position
        return max(self._tries(attempt, found, self.settings.most_attempts), key=self._merit).result

    def _smallest_exact(self, attempt: Callable[[float], Result]) -> Result:
        """The file of the first budget; if it is exact, the smallest that is: no bytes for nothing.

        Budgets fall by a factor until a file is not exact.
        """
        budget_bits = self.first_bits
        best = attempt(budget_bits)
        while math.isinf(best.quality) and budget_bits > self.smallest_bits:
            budget_bits = max(budget_bits / self.settings.fall_while_exact, self.smallest_bits)
            smaller = attempt(budget_bits)
            if not math.isinf(smaller.quality):
                break
            best = smaller
        return best

    def _tries(
        self, attempt: Callable[[float], Result], position: float, most: int
    ) -> list[_Tried[Result]]:
        """Search over the logarithm of the budget, interpolating -> the attempts that were made.

        Args:
            attempt: at a budget.
            position: where to begin, the logarithm of a budget to base 2.
            most: attempts.
        """
        target, aim = self.target, self.target.aim(self.settings.aim_share)
        smallest, largest = math.log2(self.smallest_bits), math.log2(self.largest_bits)
        tries: list[_Tried[Result]] = []
        for _ in range(most):
            result = attempt(2**position)
            miss = target.miss(len(result.data), result.quality)
            tries.append(_Tried(position, result, target.distance(miss - aim)))
            if target.is_close(len(result.data), result.quality):
                break
            following = min(max(self._next_position(tries), smallest), largest)
            if following == position:
                break
            position = following
        return tries

    def _next_position(self, tries: list[_Tried[Result]]) -> float:
        """Attempts so far -> logarithm of the budget to try next."""
        below = [tried for tried in tries if tried.distance > 0]
        above = [tried for tried in tries if tried.distance <= 0]
        if below and above:
            low = max(below, key=lambda tried: tried.position)
            high = min(above, key=lambda tried: tried.position)
            if high.position <= low.position:  # noise of the fits
                return high.position + self.settings.noise_octaves
            share = low.distance / (low.distance - high.distance)
            return low.position + (high.position - low.position) * share
        last, longest = tries[-1], self.settings.longest_octaves
        octaves = last.distance / self.settings.gain_per_octave(self.target.kind)
        return last.position + min(max(octaves, -longest), longest)

    def _merit(self, tried: _Tried[Result]) -> tuple[bool, float, int]:
        """What is larger for a better attempt."""
        return self.target.merit(len(tried.result.data), tried.result.quality)
