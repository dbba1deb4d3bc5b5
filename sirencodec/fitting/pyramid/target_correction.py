"""A finished fit that missed its target -> the same after a few more steps, as often as it takes.

The search on the way (``target_search``) cannot foresee all: what the matrices take is known only
when they are rounded. By then a picture has settled, and follows a new lambda but slowly. Where
little is missing, trying latents anew with another lambda does, at a fraction of the time.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from sirencodec.entropy.payload import QuantizedPicture
from sirencodec.fitting.forecast import changed_lambda
from sirencodec.fitting.pyramid.plan import PyramidPlan
from sirencodec.fitting.pyramid.target_search import DB_TO_LAMBDA
from sirencodec.fitting.target import TOLERANCES, Kind

CORRECTIONS: Final = 5
LARGEST_CHANGE: Final = math.log(5)  # of a lambda, by one correction

# Exponent of a ratio of bits, for they follow lambda little by now, and at a large one
# hardly at all.
EXCESS_TO_LAMBDA: Final = 4.0
# Likewise for a decibel that is missing.
MISSING_DB_TO_LAMBDA: Final = 9 * DB_TO_LAMBDA

# A miss by no more than this is made up for by trials of latents alone. Then, as exponents, what
# multiplies lambda for it, and how far beyond the target to aim (LOG.md, entries 22, 24).
NUDGED_EXCESS: Final = 0.02
NUDGED_DB: Final = 0.1
EXCESS_TO_NUDGE: Final = 12.0
DB_TO_NUDGE: Final = 3.0
NUDGE_EXCESS_MARGIN: Final = 0.005
NUDGE_DB_MARGIN: Final = 0.02


class Correctable(Protocol):
    """A fit after its last update."""

    @property
    def lambda_(self) -> float:
        """Of the picture as it is."""

    def fit_on(self, lambda_: float) -> None:
        """Settle at another lambda."""

    def nudge(self, lambda_: float) -> None:
        """Try latents anew at another lambda, at a fraction of the time."""

    def quality(self) -> float:
        """Of the rounded picture, in the unit of targets."""

    def quantized(self) -> QuantizedPicture:
        """The picture as integers."""

    def payload_bits(self, picture: QuantizedPicture) -> float:
        """Bits that a picture takes in the file."""


@dataclass(frozen=True, slots=True)
class _Result:
    """Where a fit has come to.

    Attributes:
        picture: all as integers.
        meets: whether the target is kept.
        merit: which of two that do, or of two that do not, is better.
        is_close: whether it may stay as it is.
        missing: logarithm of the factor on lambda that would make up for the miss.
        nudge: the same for RDOQ alone; None if too much is missing for that.
        lambda_: of its fit.
    """

    picture: QuantizedPicture
    meets: bool
    merit: float
    is_close: bool
    missing: float
    nudge: float | None
    lambda_: float


def corrected_picture(fit: Correctable, plan: PyramidPlan) -> QuantizedPicture:
    """A finished fit -> the best of its pictures, corrected while they miss the target.

    Args:
        fit: will be changed by corrections.
        plan: holds the target, if there is one.
    """
    if plan.budget_bits is None and plan.psnr_db is None:
        return fit.quantized()
    results = [_result(fit, plan)]
    while not results[-1].is_close and len(results) <= CORRECTIONS:
        nudge = results[-1].nudge
        if nudge is None:
            fit.fit_on(changed_lambda(fit.lambda_, math.exp(_change(results))))
        else:
            fit.nudge(changed_lambda(fit.lambda_, math.exp(nudge)))
        results.append(_result(fit, plan))
    return max(results, key=lambda result: (result.meets, result.merit)).picture


def _change(results: Sequence[_Result]) -> float:
    """Results so far -> logarithm of the factor on lambda to try next.

    Between the last one and the last on the other side of the target, if there is one; otherwise as
    far as the last one misses by. Further the more in a row have missed to one side.
    """
    last = results[-1]
    beyond = [number for number, one in enumerate(results) if one.missing * last.missing < 0]
    in_a_row = len(results) - 1 - (beyond[-1] if beyond else -1)
    if beyond:
        other = results[beyond[-1]]
        gap = math.log(other.lambda_ / last.lambda_)
        if gap * last.missing > 0:
            return gap * last.missing / (last.missing - other.missing / in_a_row)
    return min(max(in_a_row * last.missing, -LARGEST_CHANGE), LARGEST_CHANGE)


def _result(fit: Correctable, plan: PyramidPlan) -> _Result:
    """Where the fit has come to by now."""
    picture, quality = fit.quantized(), fit.quality()
    bits = fit.payload_bits(picture)
    if plan.budget_bits is not None:
        return _budget_result(picture, bits / plan.budget_bits - 1, quality, fit.lambda_)
    missing_db = (plan.psnr_db or 0.0) - quality
    return _quality_result(picture, missing_db, bits, fit.lambda_)


def _budget_result(
    picture: QuantizedPicture, excess: float, psnr_db: float, lambda_: float
) -> _Result:
    """A picture whose bits are ``1 + excess`` of a budget."""
    meets, is_close = excess <= 0, -TOLERANCES[Kind.SIZE] <= excess <= 0
    missing = EXCESS_TO_LAMBDA * math.log(1 + excess + TOLERANCES[Kind.SIZE] / 4)
    nudge = None
    if 0 < excess <= NUDGED_EXCESS:
        nudge = EXCESS_TO_NUDGE * (excess + NUDGE_EXCESS_MARGIN)
    merit = psnr_db if meets else -excess
    return _Result(picture, meets, merit, is_close, missing, nudge, lambda_)


def _quality_result(
    picture: QuantizedPicture, missing_db: float, bits: float, lambda_: float
) -> _Result:
    """A picture that many decibels short of a quality."""
    meets, is_close = missing_db <= 0, -TOLERANCES[Kind.PSNR] <= missing_db <= 0
    missing = -MISSING_DB_TO_LAMBDA * (missing_db + TOLERANCES[Kind.PSNR] / 4)
    nudge = None
    if 0 < missing_db <= NUDGED_DB:
        nudge = -DB_TO_NUDGE * (missing_db + NUDGE_DB_MARGIN)
    merit = -bits if meets else -missing_db
    return _Result(picture, meets, merit, is_close, missing, nudge, lambda_)
