"""Target -> payload budgets to try until a file meets it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from sirencodec.fitting.pure.settings import NetworkSettings, PureSettings, SearchSettings
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


def reach_target(
    attempt: Callable[[float], Result],
    scout: Callable[[float], Result],
    target: Target,
    first_bits: float,
    most_bits: float,
    metadata: bytes | None,
    settings: PureSettings,
) -> Result:
    """Attempts at payload budgets -> the result that meets the target, or comes closest.

    A size takes one attempt, for a payload keeps to its budget. But where a file is exact, smaller
    ones are tried until one is not: bytes are not spent on nothing. For a measure scouts look for
    the budget, in little time, and attempts begin where they end.

    Args:
        attempt: makes a file whose payload keeps to a budget in bits.
        scout: the same in less time, and no better.
        target: said of the whole file.
        first_bits: to try first, if the target is a measure.
        most_bits: to try then.
        metadata: section that every file will carry.
        settings: bounds of budgets, and of the search.
    """
    search = settings.search
    if target.kind is not Kind.SIZE:
        first = math.log2(_clamp(first_bits, settings.network))
        scouts = _reach_quality(scout, target, first, search.most_scouts, most_bits, settings)
        found = max(scouts, key=lambda tried: _merit(tried, target)).position
        tries = _reach_quality(attempt, target, found, search.most_attempts, most_bits, settings)
        return max(tries, key=lambda tried: _merit(tried, target)).result
    payload = target.for_payload(OVERHEAD_BYTES + metadata_bytes(metadata))
    budget_bits = _clamp(8 * payload.value, settings.network)
    best = attempt(budget_bits)
    while math.isinf(best.quality) and budget_bits > settings.network.smallest_payload_bits:
        budget_bits = _clamp(budget_bits / search.fall_while_exact, settings.network)
        smaller = attempt(budget_bits)
        if not math.isinf(smaller.quality):
            break
        best = smaller
    return best


def _clamp(budget_bits: float, settings: NetworkSettings) -> float:
    return min(max(budget_bits, settings.smallest_payload_bits), settings.largest_payload_bits)


def _merit(tried: _Tried[Result], target: Target) -> tuple[bool, float, int]:
    """What is larger for a better attempt."""
    return target.merit(len(tried.result.data), tried.result.quality)


def _reach_quality(
    attempt: Callable[[float], Result],
    target: Target,
    position: float,
    most: int,
    most_bits: float,
    settings: PureSettings,
) -> list[_Tried[Result]]:
    """Search over the logarithm of the budget, interpolating; the attempts that were made."""
    search = settings.search
    smallest, largest = (math.log2(_clamp(end, settings.network)) for end in (0, most_bits))
    tries: list[_Tried[Result]] = []
    for _ in range(most):
        result = attempt(2**position)
        miss = target.miss(len(result.data), result.quality)
        distance = target.distance(miss - target.aim(search.aim_share))
        tries.append(_Tried(position, result, distance))
        if target.is_close(len(result.data), result.quality):
            break
        following = min(max(_next_position(tries, target.kind, search), smallest), largest)
        if following == position:
            break
        position = following
    return tries


def _next_position(tries: list[_Tried[Result]], kind: Kind, search: SearchSettings) -> float:
    """Attempts so far -> logarithm of the budget to try next."""
    below = [tried for tried in tries if tried.distance > 0]
    above = [tried for tried in tries if tried.distance <= 0]
    if below and above:
        low = max(below, key=lambda tried: tried.position)
        high = min(above, key=lambda tried: tried.position)
        if high.position <= low.position:  # noise of the fits
            return high.position + search.noise_octaves
        share = low.distance / (low.distance - high.distance)
        return low.position + (high.position - low.position) * share
    last = tries[-1]
    octaves = last.distance / search.gain_per_octave(kind)
    return last.position + min(max(octaves, -search.longest_octaves), search.longest_octaves)
