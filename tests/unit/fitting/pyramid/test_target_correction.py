"""Corrections of finished fits, of fits whose bytes and quality follow lambda by a power law."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from sirencodec.bitstream.quantize import QuantizedWeights
from sirencodec.entropy.payload import QuantizedPicture
from sirencodec.fitting.pyramid.forecast import LAMBDA_RANGE
from sirencodec.fitting.pyramid.plan import PyramidPlan
from sirencodec.fitting.pyramid.settings import PyramidSettings
from sirencodec.fitting.pyramid.target_correction import corrected_picture
from sirencodec.fitting.pyramid.target_settings import CorrectionSettings
from sirencodec.fitting.target import TOLERANCES, Kind, Target

CORRECTION = CorrectionSettings()
BUDGET = 10_000
WANTED_DB = 30.0
START = 0.003  # lambda of the fit before its corrections


class Fit:
    """Its payload is so many bytes at first, its quality so many decibels.

    Both fall by powers of lambda and, in decibels, its logarithm; a nudge takes ``nudge_share`` of
    that.
    """

    def __init__(
        self,
        num_bytes: float = BUDGET,
        quality: float = 30.0,
        power: float = 0.25,
        db: float = 1.0,
        nudge_share: float = 0.25,
    ) -> None:
        self.lambda_ = START
        self.moves: list[tuple[str, float]] = []
        self._start, self._power, self._db = (num_bytes, quality), power, db
        self._nudge_share = nudge_share
        self.effect = 0.0  # logarithm of the factor on lambda that the picture shows
        self._bytes: list[int] = []

    def fit_on(self, lambda_: float) -> None:
        self._move("fit on", lambda_, math.log(lambda_ / START))

    def has_time(self) -> bool:
        return True

    def nudge(self, lambda_: float) -> None:
        self._move(
            "nudge", lambda_, self.effect + self._nudge_share * math.log(lambda_ / self.lambda_)
        )

    def _move(self, name: str, lambda_: float, effect: float) -> None:
        self.moves.append((name, lambda_))
        self.lambda_, self.effect = lambda_, effect

    def num_bytes(self) -> int:
        return round(self._start[0] * math.exp(-self._power * self.effect))

    def psnr_db(self) -> float:
        return self._start[1] - self._db * self.effect

    def measured(self, kind: Kind) -> float:
        return self.psnr_db()

    def is_exact(self) -> bool:
        return False

    def quantized(self) -> QuantizedPicture:
        """A picture that holds nothing but its number."""
        self._bytes.append(self.num_bytes())
        number = np.full((1, 1), len(self._bytes) - 1, np.int32)
        return QuantizedPicture(QuantizedWeights((number,), (0,)))

    def payload_bytes(self, picture: QuantizedPicture) -> int:
        return self._bytes[number_of(picture)]


def number_of(picture: QuantizedPicture) -> int:
    return int(picture.weights.levels[0][0, 0])


def corrected(
    fit: Fit, target: Target | None, correction: CorrectionSettings = CORRECTION
) -> QuantizedPicture:
    settings = replace(PyramidSettings(), correction=correction)
    return corrected_picture(fit, PyramidPlan(((0, 100),), START, 0, target, settings))


def size(fit: Fit, correction: CorrectionSettings = CORRECTION) -> int:
    """Bytes of the picture that a budget of BUDGET leaves of a fit."""
    return fit.payload_bytes(corrected(fit, Target(Kind.SIZE, BUDGET), correction))


def names(moves: Sequence[tuple[str, float]]) -> list[str]:
    return [name for name, _ in moves]


def changes(fit: Fit) -> list[float]:
    """Logarithms of the factors on lambda, one a move."""
    logs = [math.log(lambda_) for lambda_ in (START, *(lambda_ for _, lambda_ in fit.moves))]
    return [after - before for before, after in pairwise(logs)]


def test_without_a_target_the_picture_is_as_it_is() -> None:
    fit = Fit(num_bytes=5)
    assert number_of(corrected(fit, None)) == 0
    assert not fit.moves


@pytest.mark.parametrize("filled", [0.951, 0.98, 1.0])
def test_a_budget_that_is_nearly_filled_is_met(filled: float) -> None:
    fit = Fit(num_bytes=filled * BUDGET)
    assert size(fit) == round(filled * BUDGET)
    assert not fit.moves


@pytest.mark.parametrize("above", [0.0, 0.2])
def test_a_quality_that_is_hardly_exceeded_is_met(above: float) -> None:
    fit = Fit(quality=WANTED_DB + above)
    assert number_of(corrected(fit, Target(Kind.PSNR, WANTED_DB))) == 0
    assert not fit.moves


@pytest.mark.parametrize("filled", [0.8, 0.9, 1.1, 1.25])
def test_a_fit_that_follows_as_expected_takes_one_correction(filled: float) -> None:
    """It aims a quarter of the tolerance below the budget."""
    fit = Fit(num_bytes=filled * BUDGET, power=1 / CORRECTION.size.to_lambda)
    aim = BUDGET * filled / (filled + CORRECTION.aim_share * TOLERANCES[Kind.SIZE])
    assert size(fit) == pytest.approx(aim, abs=1)
    assert names(fit.moves) == ["fit on"]


@pytest.mark.parametrize("missing_db", [-0.4, -0.3, 0.2, 0.3])
def test_a_quality_that_follows_as_expected_takes_one_correction(missing_db: float) -> None:
    fit = Fit(quality=WANTED_DB - missing_db, db=-1 / CORRECTION.psnr.to_lambda)
    found = corrected(fit, Target(Kind.PSNR, WANTED_DB))
    assert fit.psnr_db() == pytest.approx(WANTED_DB + CORRECTION.aim_share * TOLERANCES[Kind.PSNR])
    assert number_of(found) == 1
    assert names(fit.moves) == ["fit on"]


@pytest.mark.parametrize("filled", [0.8, 1.25])
@pytest.mark.parametrize("power", [0.08, 0.25, 0.8])
def test_fits_that_follow_otherwise_meet_their_budget(power: float, filled: float) -> None:
    """Slower ones go further each time, faster ones are bracketed."""
    fit = Fit(num_bytes=filled * BUDGET, power=power)
    assert 0.95 * BUDGET <= size(fit) <= BUDGET
    assert len(fit.moves) <= CORRECTION.most


def test_corrections_go_further_the_more_miss_to_one_side() -> None:
    fit = Fit(num_bytes=1.1 * BUDGET, power=0.02)
    size(fit)
    found = changes(fit)[:3]
    assert found == sorted(set(found))
    assert found[-1] <= CORRECTION.largest_change + 1e-9


def test_what_lies_on_either_side_is_a_bracket() -> None:
    """Of a fit that goes five times too far, the second correction lies between the first two."""
    fit = Fit(num_bytes=1.2 * BUDGET, power=1.25)
    assert 0.95 * BUDGET <= size(fit) <= BUDGET
    first, second = fit.moves[0][1], fit.moves[1][1]
    assert START < second < first


def test_one_correction_changes_lambda_by_no_more_than_allowed() -> None:
    for filled, expected in ((30.0, CORRECTION.largest_change), (0.01, -CORRECTION.largest_change)):
        fit = Fit(num_bytes=filled * BUDGET)
        size(fit, replace(CORRECTION, most=1))
        assert changes(fit) == pytest.approx([expected])


def test_a_small_excess_is_nudged() -> None:
    fit = Fit(num_bytes=1.01 * BUDGET)
    assert 0.95 * BUDGET <= size(fit) <= BUDGET
    assert names(fit.moves) == ["nudge"]
    expected = CORRECTION.size.miss_to_nudge * (0.01 + CORRECTION.size.nudge_margin)
    assert changes(fit) == pytest.approx([expected])


def test_a_little_that_is_missing_is_nudged() -> None:
    fit = Fit(quality=WANTED_DB - 0.05)
    corrected(fit, Target(Kind.PSNR, WANTED_DB))
    assert names(fit.moves) == ["nudge"]
    expected = CORRECTION.psnr.miss_to_nudge * (0.05 + CORRECTION.psnr.nudge_margin)
    assert changes(fit) == pytest.approx([expected])


def test_nudges_in_a_row_go_twice_as_far_each() -> None:
    """RDOQ may follow lambda but little, as where a blend of measures is taken to be curved."""
    fit = Fit(num_bytes=1.01 * BUDGET, nudge_share=0.06)
    assert 0.95 * BUDGET <= size(fit) <= BUDGET
    assert names(fit.moves) == ["nudge", "nudge", "nudge"]
    assert changes(fit) == sorted(changes(fit))


@pytest.mark.parametrize("excess", [0.021, -0.06])
def test_what_is_too_far_or_unfilled_is_not_nudged(excess: float) -> None:
    fit = Fit(num_bytes=(1 + excess) * BUDGET)
    size(fit)
    assert fit.moves[0][0] == "fit on"


@pytest.mark.parametrize("most", [0, 1, 5])
def test_a_target_out_of_reach_ends_after_the_last_correction(most: int) -> None:
    """With the picture that comes closest."""
    fit = Fit(num_bytes=2 * BUDGET, power=1e-3)
    found = size(fit, replace(CORRECTION, most=most, largest_change=0.5))
    assert len(fit.moves) == most
    assert found == fit.num_bytes()


def test_bytes_are_not_spent_on_nothing() -> None:
    """An exact picture is made smaller while it stays exact, and a size need not be filled."""
    fit = Fit(num_bytes=0.5 * BUDGET)
    fit.is_exact = lambda: fit.lambda_ < 10 * START  # type: ignore[method-assign]
    step = CORRECTION.largest_change
    assert size(fit) == pytest.approx(0.5 * BUDGET * math.exp(-0.25 * step), abs=1)
    assert changes(fit) == pytest.approx([step, step])


def test_at_the_end_of_lambda_there_is_nothing_to_try() -> None:
    fit = Fit(num_bytes=0.1 * BUDGET, power=1e-3)
    size(fit, replace(CORRECTION, most=50))
    assert fit.lambda_ == LAMBDA_RANGE[0]
    assert len(fit.moves) < 20


@pytest.mark.parametrize("score", [52.0, 58.0, 63.0, 67.0])
def test_a_score_is_come_near(score: float) -> None:
    """To a point, by fits that follow as expected."""
    fit = Fit()
    following = -CORRECTION.score.to_lambda
    fit.psnr_db = lambda: 100 - (100 - score) * math.exp(fit.effect / following)  # type: ignore[method-assign]
    corrected(fit, Target(Kind.SCORE, 60.0))
    assert abs(fit.psnr_db() - 60) <= 1
    assert len(fit.moves) <= 2


def test_bits_that_bring_no_points_are_not_paid() -> None:
    """A score that no lambda reaches: one correction shows it, and its picture is not kept."""
    fit = Fit()
    fit.psnr_db = lambda: 86 - 0.1 * fit.effect  # type: ignore[method-assign]
    found = corrected(fit, Target(Kind.SCORE, 90.0))
    assert number_of(found) == 0
    assert names(fit.moves) == ["fit on"]


def test_of_pictures_within_the_budget_the_best_is_kept() -> None:
    """The first is too small, the others too large."""
    fit = Fit(num_bytes=0.8 * BUDGET)
    fit.num_bytes = lambda: round((1.5 if fit.moves else 0.8) * BUDGET)  # type: ignore[method-assign]
    assert size(fit) == 0.8 * BUDGET
    assert len(fit.moves) == CORRECTION.most


def test_an_end_of_the_bracket_that_stays_counts_half() -> None:
    """So that the other one does not creep: Illinois."""
    fit = Fit()
    filled = [1.3, 0.8, 0.85, 0.97]
    fit.num_bytes = lambda: round(filled[len(fit.moves)] * BUDGET)  # type: ignore[method-assign]
    size(fit)
    missing = [
        CORRECTION.size.to_lambda * math.log(share + CORRECTION.aim_share * TOLERANCES[Kind.SIZE])
        for share in filled
    ]
    lambdas = [START, *(lambda_ for _, lambda_ in fit.moves)]
    gap = math.log(lambdas[0] / lambdas[2])
    expected = gap * missing[2] / (missing[2] - missing[0] / 2)
    assert math.log(lambdas[3] / lambdas[2]) == pytest.approx(expected)


def test_an_end_of_the_bracket_that_is_left_behind_is_not_believed() -> None:
    """Pictures become better with every correction: a fit would creep towards it."""
    fit = Fit()
    filled = [1.03, 0.6, 0.7, 0.97]
    fit.num_bytes = lambda: round(filled[len(fit.moves)] * BUDGET)  # type: ignore[method-assign]
    size(fit)
    aim = CORRECTION.aim_share * TOLERANCES[Kind.SIZE]
    missing = CORRECTION.size.to_lambda * math.log(filled[2] + aim)
    assert changes(fit)[2] == pytest.approx(max(missing, -CORRECTION.largest_change))
