"""How long a batch will take."""

from dataclasses import replace
from typing import Any

import pytest

from sirencodec.batch.clock import Clock, expected_seconds, on_cores, readable_time
from sirencodec.batch.tasks import Task
from sirencodec.config import EncodeConfig

A, B, C = (Task(f"{name}.png", f"{name}.siren") for name in "abc")


@pytest.mark.parametrize("num_pixels", [100, 4096, 20_000, 393_216, 12_000_000])
def test_more_effort_takes_longer(num_pixels: int) -> None:
    times = [expected_seconds(num_pixels, EncodeConfig(effort=effort)) for effort in range(10)]
    assert times == sorted(times)
    assert times[0] > 0


def test_a_photograph_takes_what_was_measured() -> None:
    """benchmarks/LOG.md, entry 40: 768 x 512 on one core."""
    for effort, tune, seconds in (
        (0, "psnr", 20),
        (1, "psnr", 28),
        (0, "visual", 26),
        (1, "visual", 37),
        (4, "visual", 120),
    ):
        expected = expected_seconds(768 * 512, EncodeConfig(effort=effort, tune=tune))
        assert expected == pytest.approx(seconds, rel=0.15)


def test_the_smallest_pictures_are_fitted_at_every_lower_effort_too() -> None:
    """Up to 128 x 128: of pyramids each effort adds what a larger picture takes for it alone."""
    config = [EncodeConfig(effort=effort, profile="pyramid") for effort in range(4)]
    just_larger = [expected_seconds(128 * 128 + 1, one) for one in config]
    assert expected_seconds(128 * 128, config[3]) == pytest.approx(sum(just_larger), rel=0.01)


@pytest.mark.parametrize(
    ("options", "is_network"),
    [
        ({"size_bytes": 999}, True),
        ({"size_bytes": 1_000}, False),
        ({"bpp": 1.9}, True),
        ({"bpp": 2.0}, False),
        ({"quality": 60}, True),
        ({"quality": 60, "profile": "pyramid"}, False),
    ],
)
def test_below_a_kilobyte_it_is_a_network_that_is_told_of(
    options: dict[str, Any], is_network: bool
) -> None:
    """Of 64 x 64 pixels."""
    config = EncodeConfig(effort=1, **options)
    as_network = expected_seconds(64 * 64, replace(config, profile="pure"))
    assert (expected_seconds(64 * 64, config) == as_network) == is_network


def test_larger_pictures_take_less_a_pixel() -> None:
    """They get fewer updates."""
    small, large = (expected_seconds(size, EncodeConfig()) for size in (500_000, 12_000_000))
    assert 4 * small < large < 12 * small


def test_cores_help_and_images_side_by_side_help_more() -> None:
    assert on_cores(10, 1, 1) == 10
    assert 10 / 4 < on_cores(10, 4, 1) < 10
    assert on_cores(10, 4, 4) == on_cores(10, 4, 9) == 10 / 4


def test_the_clock_learns_from_what_is_done() -> None:
    now = 100.0
    clock = Clock({A: 10.0, B: 10.0, C: 20.0}, lambda: now)
    assert clock.left_s == 40
    now = 130.0  # three times as slow as expected
    clock.finish(A, was_work=True)
    assert clock.left_s == 90
    clock.finish(B, was_work=False)  # skipped, or failed at once: that teaches nothing
    assert clock.left_s == 60
    clock.finish(C, was_work=True)
    assert clock.left_s == 0


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "1 s"),
        (54, "54 s"),
        (55, "1 min"),
        (750, "12 min"),
        (3600, "1 h"),
        (12_100, "3 h 20 min"),
        (100_000, "27 h 45 min"),
    ],
)
def test_readable_times(seconds: float, expected: str) -> None:
    assert readable_time(seconds) == expected
