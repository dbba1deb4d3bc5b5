"""The search for lambda on the way, of pictures that follow it as photographs do on average."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from sirencodec.fitting.pyramid.plan import PyramidPlan
from sirencodec.fitting.pyramid.schedule import Schedule
from sirencodec.fitting.pyramid.settings import PyramidSettings
from sirencodec.fitting.pyramid.target_search import TargetSearch
from sirencodec.fitting.pyramid.target_settings import SearchSettings
from sirencodec.fitting.target import Kind, Target

SETTINGS = PyramidSettings()
SEARCH = SETTINGS.search
MATRICES_BITS = 6_000.0
RIGHT = 0.005  # lambda at which the latents end at LATENT_BITS, and the PSNR at 32 dB
LATENT_BITS = 150_000.0
UPDATES = 400


class Picture:
    """Its bits go with a power of the lambda that it follows, its PSNR with the logarithm."""

    num_pixels = 393_216

    def __init__(
        self, lambda_: float, bits_of_matrices: float = MATRICES_BITS, psnr_db: float = 32.0
    ) -> None:
        self.psnr_db = psnr_db  # at the right lambda
        self.share, self.looks, self.bits_of_matrices = 0.0, 0, bits_of_matrices
        self._followed = math.log(lambda_)

    def follow(self, lambda_: float) -> None:
        """One update."""
        self._followed += (math.log(lambda_) - self._followed) / (SEARCH.response * UPDATES)
        self.share += 1 / UPDATES

    def final_bits(self) -> float:
        return LATENT_BITS * math.exp((math.log(RIGHT) - self._followed) / SEARCH.bits_to_lambda)

    def final_quality(self) -> float:
        return self.psnr_db - (self._followed - math.log(RIGHT)) / SEARCH.psnr.to_lambda

    def bits(self) -> float:
        """Dearer than at the end, but for what the schedule weighs them."""
        self.looks += 1
        saving = SEARCH.saving * (1 - self.share) ** 2 + SEARCH.rdoq_saving
        weight = Schedule(SETTINGS.schedule).bit_weight(self.share)
        return self.final_bits() * math.exp(saving) * weight**-SEARCH.weight_to_bits

    def matrix_steps(self, lambda_: float, last: Sequence[int]) -> tuple[int, ...]:
        return (*last, 0)

    def matrices_bits(self, step_indices: Sequence[int]) -> float:
        return self.bits_of_matrices

    def final_score(self) -> float:
        """50 at the right lambda."""
        return 100 - 50 * math.exp((self._followed - math.log(RIGHT)) / SEARCH.score.to_lambda)

    def measured(self, kind: Kind) -> float:
        self.looks += 1
        left = (1 - self.share) ** 2
        if kind is Kind.PSNR:
            return self.final_quality() - SEARCH.psnr.rise * left
        rise = SEARCH.rise(Kind.SCORE, math.exp(self._followed))
        return 100 - (100 - self.final_score()) * math.exp(rise * left)


def searched(
    target: Target | None,
    start: float,
    search: SearchSettings = SEARCH,
    bits_of_matrices: float = MATRICES_BITS,
    psnr_db: float = 32.0,
    kind_of_picture: type[Picture] = Picture,
) -> tuple[Picture, list[float]]:
    """A fit from a first lambda -> its picture, and the lambda of every update."""
    settings = replace(SETTINGS, search=search)
    plan = PyramidPlan(((0, UPDATES),), start, 0, target, settings)
    picture, lambda_, lambdas = kind_of_picture(start, bits_of_matrices, psnr_db), start, []
    found = TargetSearch(plan)
    for update in range(UPDATES):
        lambda_ = found.next_lambda(update, update / UPDATES, lambda_, picture)
        picture.follow(lambda_)
        lambdas.append(lambda_)
    return picture, lambdas


def budget(latent_bits: float) -> Target:
    """What such latents and the matrices fill up to the aim."""
    return Target(Kind.SIZE, (latent_bits + MATRICES_BITS) / SEARCH.aim / 8)


@pytest.mark.parametrize("error", [0.25, 1.0, 4.0])
@pytest.mark.parametrize("latent_bits", [100_000, 200_000])
def test_a_budget_is_met_from_any_start(latent_bits: float, error: float) -> None:
    picture, _ = searched(budget(latent_bits), error * RIGHT)
    assert picture.final_bits() == pytest.approx(latent_bits, rel=0.03)


@pytest.mark.parametrize("error", [0.25, 1.0, 4.0])
def test_a_quality_is_met_from_any_start(error: float) -> None:
    picture, _ = searched(Target(Kind.PSNR, 31.0), error * RIGHT)
    assert picture.final_quality() == pytest.approx(31.0 + SEARCH.psnr.aim, abs=0.1)


@pytest.mark.parametrize("error", [0.25, 1.0, 4.0])
@pytest.mark.parametrize("score", [30.0, 60.0, 80.0])
def test_a_score_is_met_from_any_start(score: float, error: float) -> None:
    """To a fifth of a point, or a twentieth of what is missing from 100; starts are foreseen."""
    foreseen = RIGHT * ((100 - score) / 50) ** SEARCH.score.to_lambda
    picture, _ = searched(Target(Kind.SCORE, score), error * foreseen)
    wanted = score + SEARCH.score.aim
    assert picture.final_score() == pytest.approx(wanted, abs=0.2 + 0.05 * (100 - score))


def test_a_score_that_stays_away_does_not_drive_lambda_on() -> None:
    """Where latents have far to go they come late, and what is to come yet is not asked for."""
    target = Target(Kind.SCORE, 88.0)
    start = RIGHT * (12 / 50) ** SEARCH.score.to_lambda
    _, lambdas = searched(target, start)
    assert min(lambdas) > start / 2

    def stuck(_: Picture, kind: Kind) -> float:
        return 80.0

    picture = type("Stuck", (Picture,), {"measured": stuck})
    assert min(searched(target, start, kind_of_picture=picture)[1]) > start / 5


def test_a_right_lambda_hardly_moves() -> None:
    psnr, score = (
        Target(Kind.PSNR, 32.0 - SEARCH.psnr.aim),
        Target(Kind.SCORE, 50 - SEARCH.score.aim),
    )
    for target in (budget(LATENT_BITS), psnr, score):
        lambdas = searched(target, RIGHT)[1]
        assert max(lambdas) / min(lambdas) < 1.15


def test_without_a_target_lambda_stays() -> None:
    picture, lambdas = searched(None, RIGHT)
    assert set(lambdas) == {RIGHT}
    assert not picture.looks


def test_it_does_not_look_before_it_can_see_and_then_now_and_again() -> None:
    picture, lambdas = searched(budget(LATENT_BITS), 4 * RIGHT)
    blind = round(SEARCH.first_look * UPDATES)
    assert set(lambdas[:blind]) == {4 * RIGHT}
    assert lambdas[blind] < 4 * RIGHT
    assert picture.looks == SEARCH.looks - SEARCH.first_look * SEARCH.looks


def test_a_search_that_never_looks_leaves_lambda() -> None:
    _, lambdas = searched(budget(LATENT_BITS), 4 * RIGHT, replace(SEARCH, first_look=1.0))
    assert set(lambdas) == {4 * RIGHT}


def test_lambda_is_moved_early_in_the_stage() -> None:
    """Late changes take quality without giving bits."""
    _, lambdas = searched(budget(LATENT_BITS), 4 * RIGHT)
    late = lambdas[3 * UPDATES // 4 :]
    assert max(late) / min(late) < 1.1


def test_matrices_that_take_more_leave_less_for_latents() -> None:
    target = budget(LATENT_BITS)
    usual = searched(target, RIGHT)[0].final_bits()
    dear = searched(target, RIGHT, bits_of_matrices=MATRICES_BITS + 20_000)
    assert dear[0].final_bits() == pytest.approx(usual - 20_000, rel=0.03)


@pytest.mark.parametrize("error", [0.25, 4.0])
def test_what_the_picture_does_not_show_yet_is_not_asked_for_twice(error: float) -> None:
    """Or lambda would swing past the one that is right."""
    logs = [
        math.log(lambda_ / RIGHT) for lambda_ in searched(budget(LATENT_BITS), error * RIGHT)[1]
    ]
    past = -min(logs) if error > 1 else max(logs)
    assert past < 0.1 * abs(logs[0])


def test_bits_that_a_decode_cannot_show_are_not_asked_for() -> None:
    """Of a picture that is exact well before its budget is filled."""
    exact = PyramidPlan(((0, UPDATES),), RIGHT, 0).exact_psnr_db
    picture, _ = searched(budget(2_000 * LATENT_BITS), SEARCH.exact_lambda / 2, psnr_db=50.0)
    assert picture.final_quality() == pytest.approx(exact, abs=0.5)


REDUCED_UPDATES = 60


def restrained(target: Target | None, coarse_bits: float) -> list[float]:
    """A stage on a reduced image, whose grids hold so many bits -> lambda of every update."""

    def bits(_: Picture) -> float:
        return coarse_bits

    picture = type("Full", (Picture,), {"bits": bits})(RIGHT)
    plan = PyramidPlan(((1, REDUCED_UPDATES), (0, UPDATES)), RIGHT, 0, target, SETTINGS)
    search, lambda_, lambdas = TargetSearch(plan), RIGHT, []
    for update in range(REDUCED_UPDATES):
        progress = 0.3 * update / REDUCED_UPDATES
        lambda_ = search.restrained_lambda(update, REDUCED_UPDATES, progress, lambda_, picture)
        lambdas.append(lambda_)
    return lambdas


def test_coarse_grids_that_fill_a_budget_alone_raise_lambda_before_the_last_stage() -> None:
    lambdas = restrained(budget(LATENT_BITS), 3 * LATENT_BITS)
    assert lambdas[0] == RIGHT  # while they settle
    assert lambdas[-1] > 3 * RIGHT


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_coarse_grids_that_leave_room_leave_lambda_as_it_was_foreseen(share: float) -> None:
    assert set(restrained(budget(LATENT_BITS), share * LATENT_BITS)) == {RIGHT}


@pytest.mark.parametrize("target", [None, Target(Kind.PSNR, 32.0), Target(Kind.SCORE, 60.0)])
def test_coarse_grids_are_restrained_for_a_size_alone(target: Target | None) -> None:
    assert set(restrained(target, 10 * LATENT_BITS)) == {RIGHT}
