"""The pace of a fit's updates, at the ends of the fit and of a stage."""

from __future__ import annotations

import pytest

from sirencodec.fitting.pyramid.schedule import Schedule
from sirencodec.fitting.pyramid.settings import ScheduleSettings

SETTINGS = ScheduleSettings()
SCHEDULE = Schedule(SETTINGS)
FULL = (0, 950)


def test_a_fit_begins_soft_and_fast() -> None:
    pace = SCHEDULE.pace(0.0, 100, FULL)
    assert pace.network_rate == SETTINGS.network_rate
    assert pace.latent_rate == SETTINGS.latent_rate
    assert (pace.temperature, pace.amplitude) == (SETTINGS.temperatures[0], SETTINGS.amplitudes[0])
    assert pace.bit_weight == 1 + SETTINGS.extra_bit_weight


def test_a_fit_ends_hard_and_slow() -> None:
    """Bits then weigh what lambda says."""
    pace = SCHEDULE.pace(1.0, 949, FULL)
    assert pace.network_rate == pytest.approx(SETTINGS.final_share * SETTINGS.network_rate)
    assert pace.latent_rate == pytest.approx(SETTINGS.final_share * SETTINGS.latent_rate)
    assert pace.temperature == pytest.approx(SETTINGS.temperatures[1])
    assert pace.amplitude == pytest.approx(SETTINGS.amplitudes[1])
    assert pace.bit_weight == 1


def test_everything_falls_on_the_way() -> None:
    paces = [SCHEDULE.pace(progress / 20, 100, FULL) for progress in range(21)]
    for name in ("network_rate", "latent_rate", "temperature", "amplitude", "bit_weight"):
        values = [getattr(pace, name) for pace in paces]
        assert values == sorted(set(values), reverse=True), name


def test_a_stage_warms_up() -> None:
    """The network five times as long as the latents."""
    full = SCHEDULE.pace(0.3, 24, FULL)
    for update in (0, 1, 3):
        pace = SCHEDULE.pace(0.3, update, FULL)
        assert pace.latent_rate == pytest.approx(full.latent_rate * (update + 1) / 5)
        assert pace.network_rate == pytest.approx(full.network_rate * (update + 1) / 25)
    assert SCHEDULE.pace(0.3, 4, FULL).latent_rate == full.latent_rate
    assert SCHEDULE.pace(0.3, 23, FULL).network_rate < full.network_rate
    assert SCHEDULE.pace(0.3, 25, FULL).network_rate == full.network_rate


def test_a_short_stage_is_not_all_warm_up() -> None:
    short = (0, 20)
    assert SCHEDULE.pace(0.0, 5, short).network_rate == SETTINGS.network_rate
    assert SCHEDULE.pace(0.0, 4, short).network_rate == pytest.approx(5 / 6 * SETTINGS.network_rate)


@pytest.mark.parametrize("octaves", [1, 2])
def test_on_a_reduced_image_latents_go_further_and_the_network_less_far(octaves: int) -> None:
    full, reduced = (SCHEDULE.pace(0.2, 50, (k, 175)) for k in (0, octaves))
    assert reduced.latent_rate == full.latent_rate * 2**octaves
    share = SETTINGS.reduced_network_share
    assert reduced.network_rate == pytest.approx(share * full.network_rate)


def test_a_share_of_the_latents_rate_is_of_theirs_alone() -> None:
    whole, half = (SCHEDULE.pace(0.8, 50, FULL, share) for share in (1.0, 0.5))
    assert half.latent_rate == whole.latent_rate / 2
    assert half.network_rate == whole.network_rate
