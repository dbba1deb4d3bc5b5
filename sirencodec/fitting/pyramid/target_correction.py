"""Finished fit and target -> the best of its pictures, corrected while they miss the target.

The search on the way (``target_search``) cannot foresee all: what the matrices take is known only
when they are rounded. By then the picture has settled, and follows another lambda but slowly. A
correction is some more updates, late in the schedule. Where little is missing a nudge is enough:
RDOQ alone at another lambda, in a fraction of the time. Each nudge in a row that
has not mended it goes twice as far.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sirencodec.entropy.payload import QuantizedPicture
from sirencodec.fitting.pyramid.forecast import changed_lambda
from sirencodec.fitting.pyramid.plan import PyramidPlan
from sirencodec.fitting.pyramid.target_settings import CorrectionSettings, FollowingSettings
from sirencodec.fitting.target import Kind, Target


class Correctable(Protocol):
    """What a correction asks of a fit after its last update."""

    @property
    def lambda_(self) -> float:
        """Lambda of the picture as it is."""

    def fit_on(self, lambda_: float) -> None:
        """Some more updates at another lambda, and rounding."""

    def nudge(self, lambda_: float) -> None:
        """RDOQ alone at another lambda."""

    def has_time(self) -> bool:
        """Whether there is time for a correction."""

    def measured(self, kind: Kind) -> float:
        """What a target of this kind is about, of the rounded picture."""

    def is_exact(self) -> bool:
        """Whether the rounded picture decodes to the very samples."""

    def quantized(self) -> QuantizedPicture:
        """The rounded picture as integers."""

    def payload_bytes(self, picture: QuantizedPicture) -> int:
        """Picture -> bytes of its payload."""


@dataclass(frozen=True, slots=True)
class _Result:
    """Where a fit has come to.

    Attributes:
        lambda_: that it was fitted at last.
        num_bytes: of its payload.
        quality: PSNR or score if that is the target, and what the fit is tuned for if not;
            infinite if the picture is exact.
        miss: how far it is from the target; positive where it breaks it (``Target.miss``).
        missing: logarithm of the factor on lambda that would make up for the miss.
    """

    lambda_: float
    num_bytes: int
    quality: float
    miss: float
    missing: float


class _Results:
    """Results of a fit, of whose pictures only the best is kept.

    Attributes:
        best: picture, as integers.
    """

    best: QuantizedPicture

    def __init__(self, fit: Correctable, target: Target, settings: CorrectionSettings) -> None:
        """Begin with the fit as it is."""
        self._fit, self._target, self._settings = fit, target, settings
        self._results: list[_Result] = []
        self.add(*self.look())

    def look(self) -> tuple[QuantizedPicture, _Result]:
        """The fit as it is -> its picture, and how far that is from the target."""
        fit, target, picture = self._fit, self._target, self._fit.quantized()
        quality = math.inf if fit.is_exact() else fit.measured(target.kind)
        num_bytes = fit.payload_bytes(picture)
        miss = target.miss(num_bytes, quality)
        missing = _missing(miss, target, self._settings)
        return picture, _Result(fit.lambda_, num_bytes, quality, miss, missing)

    def add(self, picture: QuantizedPicture, result: _Result) -> None:
        """One more result; of equally good ones the first stays the best."""
        if all(self._merit(result) > self._merit(before) for before in self._results):
            self.best = picture
        self._results.append(result)

    def _merit(self, result: _Result) -> tuple[bool, float, int]:
        return self._target.merit(result.num_bytes, result.quality)

    @property
    def all(self) -> Sequence[_Result]:
        """In the order they came."""
        return self._results

    @property
    def last(self) -> _Result:
        """The latest."""
        return self._results[-1]


def corrected_picture(fit: Correctable, plan: PyramidPlan) -> QuantizedPicture:
    """A finished fit -> the best of its pictures, corrected while they miss the target.

    Args:
        fit: will be changed by corrections.
        plan: holds the target, if there is one.
    """
    target, settings = plan.target, plan.settings.correction
    if target is None:
        return fit.quantized()
    results, nudges = _Results(fit, target, settings), 0
    while (
        len(results.all) <= settings.most and not _is_close(results.last, target) and fit.has_time()
    ):
        nudge = _nudge(results.last.miss, nudges, settings.of(target.kind))
        change = _change(results.all, settings) if nudge is None else nudge
        lambda_ = changed_lambda(fit.lambda_, math.exp(change))
        if lambda_ == fit.lambda_ and not _gains(results.all, target):  # end of lambda's range
            break
        if nudge is None:
            fit.fit_on(lambda_)
        else:
            fit.nudge(lambda_)
        nudges = 0 if nudge is None else nudges + 1
        picture, result = results.look()
        if _is_idle(results.last, result, settings.of(target.kind)):
            break
        results.add(picture, result)
    if target.kind is Kind.SIZE:
        _make_leaner(fit, results, settings)
    return results.best


def _make_leaner(fit: Correctable, results: _Results, settings: CorrectionSettings) -> None:
    """Exact picture within a size -> smaller ones, as long as they are exact: none for others."""
    for _ in range(settings.most):
        if not (math.isinf(results.last.quality) and fit.has_time()):
            return
        fit.fit_on(changed_lambda(fit.lambda_, math.exp(settings.largest_change)))
        results.add(*results.look())


def _is_idle(before: _Result, after: _Result, settings: FollowingSettings) -> bool:
    """Whether a correction has added bits and brought next to nothing for them."""
    change = after.lambda_ / before.lambda_
    if before.missing >= 0 or change >= 1:
        return False
    return after.missing - before.missing < settings.least_answer * -math.log(change)


def _gains(results: Sequence[_Result], target: Target) -> bool:
    """Whether the last result is better than the one before, as far as there is one."""
    if len(results) < 2:
        return True
    before, last = (target.merit(one.num_bytes, one.quality) for one in results[-2:])
    return last > before


def _is_close(result: _Result, target: Target) -> bool:
    """Whether a result may stay as it is."""
    return target.is_close(result.num_bytes, result.quality)


def _missing(miss: float, target: Target, settings: CorrectionSettings) -> float:
    """Miss -> logarithm of the factor on lambda that a correction needs to come to its aim."""
    beyond = target.distance(miss - target.aim(settings.aim_share))
    return settings.of(target.kind).to_lambda * beyond


def _nudge(miss: float, before: int, settings: FollowingSettings) -> float | None:
    """Miss -> logarithm of the factor on lambda of a nudge; None if one is not enough.

    Args:
        miss: of the target.
        before: nudges that there were in a row.
        settings: how a fit follows lambda.
    """
    if not 0 < miss <= settings.nudged_miss:
        return None
    return 2.0**before * settings.miss_to_nudge * (miss + settings.nudge_margin)


def _change(results: Sequence[_Result], settings: CorrectionSettings) -> float:
    """Results so far -> logarithm of the factor on lambda to try next.

    Regula falsi in the manner of Illinois (Dowell and Jarratt 1971, BIT 11, 168): interpolate
    between the last result and the latest one across the target, whose miss counts the less the
    more results in a row lie on this side. With none across, extrapolate: as far as the last one
    misses by, times the number of results.

    An end of the bracket that is nearly reached while much is missing still is not believed:
    corrections make pictures better, so by now it would lie on this side.
    """
    last = results[-1]
    across = [number for number, one in enumerate(results) if one.missing * last.missing < 0]
    in_a_row = len(results) - 1 - (across[-1] if across else -1)
    if across:
        other = results[across[-1]]
        gap = math.log(other.lambda_ / last.lambda_)
        if gap * last.missing > settings.least_gap * last.missing**2:
            return gap * last.missing / (last.missing - other.missing / in_a_row)
    times, largest = 1 if across else in_a_row, settings.largest_change
    return min(max(times * last.missing, -largest), largest)
