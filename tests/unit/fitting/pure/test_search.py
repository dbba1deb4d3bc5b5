"""Targets -> budgets, with attempts that only pretend to fit."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from sirencodec.config import DEFAULT_QUALITY, EncodeConfig
from sirencodec.errors import TargetWarning
from sirencodec.fitting.pure.search import BudgetSearch
from sirencodec.fitting.pure.settings import PureSettings
from sirencodec.fitting.target import (
    TOLERANCES,
    Kind,
    Target,
    warn_of_missed_target,
)

NUM_PIXELS = 512 * 768
RAW_BYTES = 3 * NUM_PIXELS
FORESEEN_BYTES = NUM_PIXELS // 40
FIRST_BITS = 8 * FORESEEN_BYTES
SEARCH = PureSettings().search
MOST_FITS = SEARCH.most_scouts + SEARCH.most_attempts
TOLERANCE_DB = TOLERANCES[Kind.PSNR]
SETTINGS = PureSettings()
SMALLEST_BITS = SETTINGS.network.smallest_payload_bits
LARGEST_BITS = SETTINGS.network.largest_payload_bits


@dataclass
class FakeResult:
    data: bytes
    quality: float


@dataclass
class FakeCodec:
    """Fills its budget; its quality is a function of the bits."""

    quality: Callable[[float], float] = lambda bits: 2 * math.log2(bits)
    overhead_bytes: int = 18
    used: float = 1.0  # share of the budget
    budgets: list[float] = field(default_factory=list)

    def __call__(self, budget_bits: float) -> FakeResult:
        if budget_bits not in self.budgets:
            self.budgets.append(budget_bits)
        size = self.overhead_bytes + math.floor(self.used * budget_bits / 8)
        return FakeResult(bytes(size), self.quality(budget_bits))


def reach(
    codec: FakeCodec,
    metadata: bytes | None = None,
    settings: PureSettings = SETTINGS,
    scout: FakeCodec | None = None,
    **target: float,
) -> FakeResult:
    """What is found, with the warning that an encode would give."""
    config = EncodeConfig(**target)  # type: ignore[arg-type]
    wanted = Target.of(config, 512, 768)
    search = BudgetSearch.of(wanted, RAW_BYTES, FORESEEN_BYTES, metadata, settings)
    result = search.best(codec, scout or codec)
    warn_of_missed_target(wanted, len(result.data), result.quality, metadata)
    return result


# Rates -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size_bytes", [2_000, 10_240, 123_457])
def test_a_size_is_met_from_below(size_bytes: int) -> None:
    codec = FakeCodec(used=0.99)
    result = reach(codec, size_bytes=size_bytes)
    assert 0.95 * size_bytes <= len(result.data) <= size_bytes
    assert len(codec.budgets) == 1


def test_bits_a_pixel_are_a_size() -> None:
    by_rate, by_size = FakeCodec(), FakeCodec()
    reach(by_rate, bpp=0.2)
    reach(by_size, size_bytes=math.floor(0.2 * NUM_PIXELS / 8))
    assert by_rate.budgets == by_size.budgets


def test_metadata_is_part_of_the_size() -> None:
    section = bytes(3_000)
    codec = FakeCodec(overhead_bytes=18 + len(section) + 6)
    result = reach(codec, size_bytes=10_000, metadata=section)
    assert 9_500 <= len(result.data) <= 10_000


@pytest.mark.parametrize("target", [{"size_bytes": 30}, {"bpp": 1e-4}], ids=str)
def test_a_size_too_small_is_said(target: dict[str, float]) -> None:
    codec = FakeCodec()
    with pytest.warns(TargetWarning, match="out of reach; the file has"):
        result = reach(codec, **target)
    assert codec.budgets == [SMALLEST_BITS]
    assert len(result.data) > 30


def test_a_size_too_large_is_said() -> None:
    codec = FakeCodec()
    with pytest.warns(TargetWarning, match="not filled; the file has"):
        reach(codec, size_bytes=10**8)
    assert codec.budgets == [LARGEST_BITS]


def test_metadata_that_fills_the_size_is_said() -> None:
    section = bytes(2_000)
    with pytest.warns(TargetWarning, match="the file has .*, 2008 of them metadata"):
        reach(FakeCodec(overhead_bytes=18 + 2_008), size_bytes=1_000, metadata=section)


# PSNR ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slope", [1.2, 2.0, 3.5])
@pytest.mark.parametrize("target_db", [24.0, 30.0, 33.3])
def test_psnr_is_met_from_above(target_db: float, slope: float) -> None:
    """Whatever an octave of bits brings, at 30 dB for 0.2 bits a pixel."""
    middle = math.log2(0.2 * NUM_PIXELS)
    codec = FakeCodec(lambda bits: 30 + slope * (math.log2(bits) - middle))
    result = reach(codec, psnr_db=target_db)
    assert 0 <= result.quality - target_db <= TOLERANCE_DB
    assert len(codec.budgets) <= MOST_FITS


def test_psnr_with_a_curve_that_flattens() -> None:
    codec = FakeCodec(lambda bits: 40 - 4e5 / bits)
    result = reach(codec, psnr_db=36)
    assert 0 <= result.quality - 36 <= TOLERANCE_DB


def test_psnr_with_noise_returns_the_smallest_file_above() -> None:
    """More bits may by chance be worse; what comes back still keeps the promise."""
    noise = iter([0.0, -0.8, 0.9, -0.7, 0.6, -0.5])
    codec = FakeCodec(lambda bits: 2 * math.log2(bits) + next(noise))
    scout = FakeCodec(lambda bits: 2 * math.log2(bits))
    result = reach(codec, scout=scout, psnr_db=33.5)
    assert result.quality >= 33.5
    assert len(codec.budgets) <= MOST_FITS


def test_psnr_out_of_reach_returns_the_best() -> None:
    codec = FakeCodec(lambda bits: min(35.0, 2 * math.log2(bits)))
    with pytest.warns(TargetWarning, match=r"60 dB are out of reach; the file has 35\.00 dB"):
        result = reach(codec, psnr_db=60)
    assert result.quality == 35
    assert len(codec.budgets) <= MOST_FITS


def test_psnr_that_the_smallest_file_passes() -> None:
    codec = FakeCodec(lambda bits: 50.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = reach(codec, psnr_db=20)
    assert len(result.data) == min(18 + math.floor(bits / 8) for bits in codec.budgets)


def test_budgets_stay_within_bounds() -> None:
    for target_db in (1.0, 99.0):
        codec = FakeCodec(lambda bits: 30.0)
        with warnings.catch_warnings(action="ignore"):
            reach(codec, psnr_db=target_db)
        bounds = (SMALLEST_BITS, LARGEST_BITS)
        assert all(0.999 * bounds[0] <= bits <= 1.001 * bounds[1] for bits in codec.budgets)


def test_the_search_gives_up_after_so_many_attempts() -> None:
    codec = FakeCodec(lambda bits: 30 + 0.02 * math.log2(bits))  # hardly any gain
    one = replace(SETTINGS, search=replace(SEARCH, most_scouts=1, most_attempts=1))
    with pytest.warns(TargetWarning, match="out of reach"):
        reach(codec, settings=one, psnr_db=33)
    assert codec.budgets == [pytest.approx(FIRST_BITS)]


def test_between_two_attempts_the_budget_is_interpolated() -> None:
    """With a curve that is straight in the logarithm of the bits, the third attempt is there."""
    codec = FakeCodec(lambda bits: 40 + 5 * (math.log2(bits) - math.log2(FIRST_BITS)))
    result = reach(codec, psnr_db=33)
    assert len(codec.budgets) == 3
    assert result.quality == pytest.approx(33 + SETTINGS.search.aim_share * TOLERANCE_DB)


def test_scouts_find_the_budget() -> None:
    """What is dear is tried where they end, and once more, as it is better there."""
    scout = FakeCodec(lambda bits: 30 + 2 * math.log2(bits / NUM_PIXELS))
    codec = FakeCodec(lambda bits: 31 + 2 * math.log2(bits / NUM_PIXELS))
    result = reach(codec, scout=scout, psnr_db=33)
    assert 0 <= result.quality - 33 <= TOLERANCE_DB
    assert len(codec.budgets) == 2
    assert codec.budgets[0] == scout.budgets[-1]


# Scores ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("gain", [0.15, 0.3, 0.6])
@pytest.mark.parametrize("score", [20.0, 50.0, 75.0])
def test_a_score_is_come_near(score: float, gain: float) -> None:
    """Whatever part of what is missing from 100 twice the bits take away."""
    codec = FakeCodec(lambda bits: 100 - 40 * (bits / FIRST_BITS) ** (-gain / math.log(2)))
    assert abs(reach(codec, quality=score).quality - score) <= TOLERANCES[Kind.SCORE]


def test_without_a_target_the_default_quality() -> None:
    assert codec_budgets() == codec_budgets(quality=DEFAULT_QUALITY)


def codec_budgets(**target: float) -> list[float]:
    codec = FakeCodec(lambda bits: 100 - 40 * FIRST_BITS / bits)
    reach(codec, **target)
    return codec.budgets


# Exact files -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target", [{"size_bytes": 50_000}, {"quality": 50}, {"psnr_db": 40}], ids=str
)
def test_bytes_are_not_spent_on_nothing(target: dict[str, float]) -> None:
    """From 2,000 bits on more change nothing, and nobody is told that they are missing."""
    codec = FakeCodec(lambda bits: math.inf if bits > 2_000 else 10.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = reach(codec, **target)
    assert math.isinf(result.quality)
    assert 8 * len(result.data) < 2_000 * SEARCH.fall_while_exact + 8 * codec.overhead_bytes
