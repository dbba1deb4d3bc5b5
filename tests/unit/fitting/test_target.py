"""What is asked for, and when a file is that."""

from __future__ import annotations

import math
import warnings
from typing import Any

import pytest

from sirencodec.config import DEFAULT_QUALITY, EncodeConfig
from sirencodec.errors import ParameterError, TargetWarning
from sirencodec.fitting.target import (
    Kind,
    Target,
    believed_score,
    metadata_bytes,
    warn_of_missed_target,
)

SIZE, PSNR, SCORE = Target(Kind.SIZE, 2_000), Target(Kind.PSNR, 30), Target(Kind.SCORE, 60)


@pytest.mark.parametrize(
    ("options", "target"),
    [
        ({}, Target(Kind.SCORE, DEFAULT_QUALITY)),
        ({"quality": 0}, Target(Kind.SCORE, 0)),
        ({"size_bytes": 10_240}, Target(Kind.SIZE, 10_240)),
        ({"bpp": 0.5}, Target(Kind.SIZE, 62)),  # of 62.5 bytes
        ({"psnr_db": 33.3}, Target(Kind.PSNR, 33.3)),
    ],
    ids=str,
)
def test_options_name_a_target(options: dict[str, Any], target: Target) -> None:
    assert Target.of(EncodeConfig(**options), 50, 20) == target


@pytest.mark.parametrize(("quality", "psnr_db"), [(0, 20), (60, 35), (100, 45)])
def test_too_small_for_a_score_a_quality_is_a_psnr(quality: float, psnr_db: float) -> None:
    config = EncodeConfig(quality=quality)
    assert Target.of(config, 7, 500) == Target.of(config, 500, 7) == Target(Kind.PSNR, psnr_db)
    assert Target.of(config, 8, 8) == Target(Kind.SCORE, quality)


@pytest.mark.parametrize("wrong", [-1, 100.5, float("nan")])
def test_quality_has_a_range(wrong: float) -> None:
    with pytest.raises(ParameterError, match="quality must be 0 to 100"):
        EncodeConfig(quality=wrong)


@pytest.mark.parametrize("wrong", [-1, 10, 2.5])
def test_effort_has_a_range(wrong: Any) -> None:
    with pytest.raises(ParameterError, match="effort must be 0 to 9"):
        EncodeConfig(effort=wrong)


def test_only_a_size_is_a_budget() -> None:
    assert [one.budget_bytes for one in (SIZE, PSNR, SCORE)] == [2_000, None, None]
    assert [one.budget_bits for one in (SIZE, PSNR, SCORE)] == [16_000, None, None]


def test_a_payload_gets_what_the_rest_leaves() -> None:
    assert SIZE.for_payload(34).budget_bits == 8 * 1_966
    assert SIZE.for_payload(5_000).budget_bits == 8  # impossible, yet a number to divide by
    for target in (PSNR, SCORE):
        assert target.for_payload(34) == target


def test_metadata_takes_its_length_and_checksum_too() -> None:
    assert metadata_bytes(None) == 0
    assert metadata_bytes(bytes(100)) == 108


@pytest.mark.parametrize(
    ("num_bytes", "miss", "met", "close"),
    [
        (2_001, 0.0005, False, False),
        (2_000, 0, True, True),
        (1_900, -0.05, True, True),
        (1_899, -0.0505, True, False),
    ],
)
def test_a_size_is_met_from_below(num_bytes: int, miss: float, met: bool, close: bool) -> None:
    assert SIZE.miss(num_bytes, 0) == pytest.approx(miss, abs=1e-12)
    assert (SIZE.is_met(num_bytes, 0), SIZE.is_close(num_bytes, 0)) == (met, close)


@pytest.mark.parametrize(
    ("psnr_db", "met", "close"),
    [(29.99, False, False), (30, True, True), (30.25, True, True), (30.26, True, False)],
)
def test_psnr_is_met_from_above(psnr_db: float, met: bool, close: bool) -> None:
    assert PSNR.miss(1, psnr_db) == 30 - psnr_db
    assert (PSNR.is_met(1, psnr_db), PSNR.is_close(1, psnr_db)) == (met, close)


def test_the_aim_is_on_the_right_side() -> None:
    assert SIZE.aim(0.25) == -0.0125
    assert SIZE.is_close(round(2_000 * (1 + SIZE.aim(0.25))), 0)
    assert PSNR.aim(1) == -0.25
    assert PSNR.miss(1, 30.25) == PSNR.aim(1)


@pytest.mark.parametrize(
    ("target", "rising"),
    [
        (SIZE, [(3_000, 50), (2_100, 20), (1_000, 29), (2_000, 29.5), (1_999, 30)]),
        (PSNR, [(10, 20), (1_000, 29.9), (90, 40), (80, 30), (70, 50)]),
        (SCORE, [(10, 20), (70, 80), (80, 56), (90, 65), (1_000, 58.9), (90, 61), (80, 59)]),
        (SIZE, [(1_500, 45), (1_900, math.inf), (40, math.inf)]),
    ],
    ids=["size", "psnr", "score", "exact"],
)
def test_of_two_files_the_better_one(target: Target, rising: list[tuple[int, float]]) -> None:
    """What keeps to a size is better the better it looks, what reaches a PSNR the smaller."""
    assert sorted(rising, key=lambda one: target.merit(*one)) == rising


@pytest.mark.parametrize(
    ("score", "met", "close"),
    [(58.9, False, False), (59, True, True), (60, True, True), (61, True, True), (62, True, False)],
)
def test_a_score_is_met_about(score: float, met: bool, close: bool) -> None:
    assert SCORE.miss(1, score) == pytest.approx(60 - score)
    assert (SCORE.is_met(1, score), SCORE.is_close(1, score)) == (met, close)


def test_an_exact_file_need_not_fill_its_size() -> None:
    assert SIZE.is_close(40, math.inf)
    assert not SIZE.is_close(2_001, math.inf)
    assert SCORE.miss(40, math.inf) == SCORE.miss(40, 100.0)


def test_distances_grow_with_the_logarithm_of_lambda() -> None:
    """A size as its logarithm, a score as that of what is missing from 100, a PSNR as it is."""
    assert SIZE.distance(SIZE.miss(4_000, 0)) == pytest.approx(math.log(2))
    assert SCORE.distance(SCORE.miss(1, 20.0)) == pytest.approx(math.log(2))
    assert SCORE.distance(SCORE.miss(1, 80.0)) == pytest.approx(-math.log(2))
    assert PSNR.distance(PSNR.miss(1, 28.0)) == 2
    for score in (100.0, math.inf):
        assert SCORE.distance(SCORE.miss(1, score)) < -1
        assert math.isfinite(SCORE.distance(SCORE.miss(1, score)))


@pytest.mark.parametrize(("psnr_db", "most"), [(14, 0), (19.75, 38.3), (21.5, 50), (29, 100)])
def test_a_score_is_believed_as_far_as_the_psnr_allows(psnr_db: float, most: float) -> None:
    assert believed_score(99.9, psnr_db) == pytest.approx(min(most, 99.9), abs=0.1)
    assert believed_score(-5, psnr_db) == -5


def test_bits_that_are_less_than_a_byte_are_out_of_reach() -> None:
    nothing = Target.of(EncodeConfig(bpp=1e-9), 50, 20)
    assert not nothing.is_met(30, 0)


@pytest.mark.parametrize(
    ("target", "num_bytes", "psnr_db", "text"),
    [
        (SIZE, 2_001, 0, "2000 bytes are out of reach; the file has 2001, 108 of them metadata"),
        (SIZE, 1_899, 0, "2000 bytes are not filled; the file has 1899"),
        (PSNR, 1, 29.987, "30 dB are out of reach; the file has 29.99 dB"),
        (SCORE, 1, 57.9, "60 points are out of reach; the file has 57.90 points"),
    ],
)
def test_a_miss_is_said(target: Target, num_bytes: int, psnr_db: float, text: str) -> None:
    with pytest.warns(TargetWarning) as caught:
        warn_of_missed_target(target, num_bytes, psnr_db, bytes(100))
    assert [str(one.message) for one in caught] == [text]


@pytest.mark.parametrize(
    ("target", "num_bytes", "psnr_db"),
    [
        *((SIZE, 1_900, 0), (SIZE, 2_000, 0), (SIZE, 40, math.inf)),
        *((PSNR, 1, 30), (PSNR, 1, 50), (SCORE, 1, 58), (SCORE, 1, 62), (SCORE, 1, math.inf)),
    ],
)
def test_a_better_picture_than_asked_for_is_no_miss(
    target: Target, num_bytes: int, psnr_db: float
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_missed_target(target, num_bytes, psnr_db, None)
