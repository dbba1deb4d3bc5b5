"""Target -> payload budgets to try until a file meets it."""

import math
from collections.abc import Callable
from typing import Protocol, TypeVar

from sirencodec.fitting.pure.plan import quality_bits
from sirencodec.fitting.pure.settings import NetworkSettings, PureSettings, SearchSettings
from sirencodec.fitting.target import OVERHEAD_BYTES, Kind, Target, metadata_bytes


class Attempt(Protocol):
    """What an attempt at a budget yields, as far as this module looks."""

    @property
    def data(self) -> bytes:
        """The file."""

    @property
    def psnr_db(self) -> float:
        """Its quality."""


Result = TypeVar("Result", bound=Attempt)


def reach_target(
    attempt: Callable[[float], Result],
    target: Target,
    num_pixels: int,
    metadata: bytes | None,
    settings: PureSettings,
) -> Result:
    """Attempts at payload budgets -> the result that meets the target, or comes closest.

    A size or a quality takes one attempt, for a payload keeps to its budget.

    Args:
        attempt: makes a file whose payload keeps to a budget in bits.
        target: said of the whole file.
        num_pixels: stored pixels.
        metadata: section that every file will carry.
        settings: bounds of budgets, and of the search.
    """
    if target.kind is Kind.PSNR:
        return _reach_psnr(attempt, target, num_pixels, settings)
    budget_bits = target.for_payload(OVERHEAD_BYTES + metadata_bytes(metadata)).budget_bits
    if budget_bits is None:
        budget_bits = quality_bits(target.value, num_pixels, settings.network)
        budget_bits -= 8 * OVERHEAD_BYTES
    return attempt(_clamp(budget_bits, settings.network))


def _clamp(budget_bits: float, settings: NetworkSettings) -> float:
    return min(max(budget_bits, settings.smallest_payload_bits), settings.largest_payload_bits)


def _reach_psnr(
    attempt: Callable[[float], Result], target: Target, num_pixels: int, settings: PureSettings
) -> Result:
    """Search over the logarithm of the budget, by interpolation between attempts."""
    search, least_bits = settings.search, settings.network.smallest_payload_bits
    most_bits = search.largest_bpp * num_pixels + 8 * least_bits
    largest = math.log2(_clamp(most_bits, settings.network))
    smallest = math.log2(least_bits)
    position = math.log2(_clamp(search.first_bpp * num_pixels, settings.network))
    below: list[tuple[float, Result]] = []
    above: list[tuple[float, Result]] = []
    for _ in range(search.most_attempts):
        result = attempt(2**position)
        met = target.is_met(len(result.data), result.psnr_db)
        (above if met else below).append((position, result))
        at_end = position == (smallest if met else largest)
        if at_end or target.is_close(len(result.data), result.psnr_db):
            break
        position = _next_position(below, above, target, search)
        position = min(max(position, smallest), largest)
    tried = [result for _, result in below + above]
    return max(tried, key=lambda result: target.merit(len(result.data), result.psnr_db))


def _next_position(
    below: list[tuple[float, Result]],
    above: list[tuple[float, Result]],
    target: Target,
    search: SearchSettings,
) -> float:
    """Attempts so far -> logarithm of the budget to try next."""
    aim = target.value - target.aim(search.aim_share)
    if below and above:
        low, high = max(below, key=lambda tried: tried[0]), min(above, key=lambda tried: tried[0])
        rise = high[1].psnr_db - low[1].psnr_db
        if high[0] <= low[0] or rise <= 0:  # noise of the fits
            return high[0] + search.noise_octaves
        return low[0] + (high[0] - low[0]) * (aim - low[1].psnr_db) / rise
    nearest = below[-1] if below else above[-1]
    return nearest[0] + (aim - nearest[1].psnr_db) / search.gain_per_octave
