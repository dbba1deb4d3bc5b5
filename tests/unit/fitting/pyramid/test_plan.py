"""Options and sizes -> profile, grids, steps and lambda."""

from __future__ import annotations

import numpy as np
import pytest

from sirencodec.bitstream.format import (
    HIDDEN_FEATURES_RANGE,
    HIDDEN_LAYERS_RANGE,
    OMEGA_0_RANGE,
    PRIOR_RANGE,
)
from sirencodec.config import DEFAULT_QUALITY, EncodeConfig
from sirencodec.errors import ParameterError
from sirencodec.fitting.profile import choose_profile
from sirencodec.fitting.pyramid.forecast import Spectrum, lambda_where
from sirencodec.fitting.pyramid.plan import (
    PyramidPlan,
    plan_pyramid,
    plan_pyramid_architecture,
    plan_stages,
)
from sirencodec.fitting.pyramid.settings import PyramidSettings
from sirencodec.fitting.settings import Settings
from sirencodec.fitting.target import Kind, Target
from tests.pictures import make_clouds

PICTURE = make_clouds(768, 512)
PIXELS = 768 * 512
SETTINGS = PyramidSettings()


def plan(num_pixels: int = PIXELS, overhead_bytes: int = 30, **options: float) -> PyramidPlan:
    samples = np.broadcast_to(PICTURE[:1, :1], (num_pixels // 512, 512, 3))
    if num_pixels == PIXELS:
        samples = PICTURE
    config = EncodeConfig(**options)  # type: ignore[arg-type]
    target = Target.of(config, 512, num_pixels // 512).for_payload(overhead_bytes)
    return plan_pyramid(target, samples, config.effort, config.seed, SETTINGS)


def test_profile_by_the_size_of_the_file() -> None:
    least = SETTINGS.plan.smallest_bytes
    assert choose_profile("auto", least - 1, SETTINGS.plan) == "pure"
    assert choose_profile("auto", least, SETTINGS.plan) == "pyramid"
    for asked in ("pure", "pyramid"):
        assert choose_profile(asked, 1, SETTINGS.plan) == asked
        assert choose_profile(asked, 10**7, SETTINGS.plan) == asked
    with pytest.raises(ParameterError, match="profile"):
        EncodeConfig(profile="cubic")


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_the_architecture_can_be_written(channels: int) -> None:
    architecture = plan_pyramid_architecture(channels, SETTINGS.plan)
    assert architecture.channels == channels
    assert architecture.grids == tuple(range(7))
    for value, bounds in (
        (architecture.hidden_features, HIDDEN_FEATURES_RANGE),
        (architecture.hidden_layers, HIDDEN_LAYERS_RANGE),
        (architecture.omega_0, OMEGA_0_RANGE),
        (architecture.prior, PRIOR_RANGE),
    ):
        assert bounds[0] <= value <= bounds[1]


def test_stages_go_from_coarse_to_fine() -> None:
    for effort in range(10):
        octaves = [octaves for octaves, _ in plan(effort=effort).stages]
        assert octaves == sorted(set(octaves), reverse=True)
        assert octaves[-1] == 0


def test_more_effort_is_more_steps() -> None:
    steps = [sum(steps for _, steps in plan(effort=effort).stages) for effort in range(10)]
    assert steps == sorted(set(steps))


@pytest.mark.parametrize("effort", [0, 4, 9])
def test_large_images_get_fewer_steps_yet_more_work(effort: int) -> None:
    sizes = [PIXELS, 4 * PIXELS, 64 * PIXELS]
    steps = [plan(size, effort=effort).stages[-1][1] for size in sizes]
    assert steps == sorted(steps, reverse=True)
    assert steps[-1] >= SETTINGS.plan.fewest_updates
    work = [count * size for count, size in zip(steps, sizes, strict=True)]
    assert work == sorted(work)


def test_small_images_get_more_steps_up_to_an_end() -> None:
    """In proportion to the root of their size: from 256 x 256 pixels down, 2.5 times as many."""
    sides = (512, 256, 192, 128, 64, 16)
    steps = [plan_stages(side**2, 4, SETTINGS.plan)[-1][1] for side in sides]
    assert steps == [950, 950, round(950 * 256 / 192), 1_900, 2_375, 2_375]


def test_a_quality_is_a_score() -> None:
    assert plan().target == plan(quality=DEFAULT_QUALITY).target
    assert plan(quality=3).target == Target(Kind.SCORE, 3)
    assert plan().lambda_ == plan(quality=DEFAULT_QUALITY).lambda_
    for wrong in (-1, 101, float("nan")):
        with pytest.raises(ParameterError, match="quality"):
            plan(quality=wrong)


def test_samples_say_when_a_picture_is_exact() -> None:
    """At an error of a seventh of their level."""
    wide = plan_pyramid(Target(Kind.SCORE, 50), PICTURE.astype(np.uint16) * 257, 0, 0, SETTINGS)
    assert plan().exact_psnr_db == pytest.approx(64.6, abs=0.1)
    assert wide.exact_psnr_db == pytest.approx(plan().exact_psnr_db + 48.2, abs=0.1)


def test_a_size_is_a_budget_for_the_payload() -> None:
    for options, expected in (
        ({"size_bytes": 10_000}, 10_000 - 34),
        ({"bpp": 0.2}, int(PIXELS * 0.2 / 8) - 34),
        ({"size_bytes": 10}, 1),
    ):
        assert plan(overhead_bytes=34, **options).target == Target(Kind.SIZE, expected)


def test_a_search_starts_from_what_is_likely() -> None:
    """Fewer bits or a lower quality: a bit has to be worth more. Always within bounds."""
    rates = [plan(bpp=bpp).lambda_ for bpp in (1e-3, 0.05, 0.1, 0.25, 0.5, 1.0, 50.0)]
    qualities = [plan(psnr_db=quality).lambda_ for quality in (1, 25, 30, 35, 40, 99)]
    scores = [plan(quality=quality).lambda_ for quality in (0, 20, 50, 70, 90, 98)]
    for lambdas in (rates, qualities, scores):
        assert lambdas == sorted(lambdas, reverse=True)
        assert 0 < lambdas[-1] <= lambdas[0] <= 1
    assert plan(psnr_db=33.3).target == Target(Kind.PSNR, 33.3)


def test_tuned_for_eyes_a_size_is_met_at_a_lower_lambda() -> None:
    """A score or a PSNR says by itself what a bit is worth."""
    tuned = Settings().tuned(True).pyramid
    for target, is_lower in (
        (Target(Kind.SIZE, 10_000), True),
        (Target(Kind.SCORE, 50), False),
        (Target(Kind.PSNR, 33), False),
    ):
        eyes, psnr = (plan_pyramid(target, PICTURE, 4, 0, one).lambda_ for one in (tuned, SETTINGS))
        assert (eyes < 0.7 * psnr) if is_lower else (eyes == psnr)


def test_a_search_does_not_start_where_latents_are_filled_in_vain() -> None:
    """Flat pictures are exact at a large lambda; others begin where 45 dB are foreseen."""
    flat = {"num_pixels": 512 * 512}  # plan() repeats a pixel
    assert plan(bpp=8.0, **flat).lambda_ == plan(quality=100.0, **flat).lambda_
    assert plan(bpp=8.0, **flat).lambda_ > 1_000 * plan(bpp=8.0).lambda_
    assert plan(bpp=8.0).lambda_ == plan(psnr_db=60).lambda_ == plan(psnr_db=45).lambda_


@pytest.mark.parametrize(
    ("psnr_db", "least", "most"), [(25.0, 1.0, 1.05), (33.0, 1.2, 1.5), (45.0, 1.5, 1.7)]
)
def test_fine_grids_are_filled_late_where_they_matter(
    psnr_db: float, least: float, most: float
) -> None:
    """At a low rate a fit begins at what is foreseen, at a high one well above."""
    foreseen = lambda_where(Spectrum(PICTURE, SETTINGS.forecast).psnr_db, psnr_db)
    assert least <= plan(psnr_db=psnr_db).lambda_ / foreseen <= most


def test_the_seed_is_handed_on() -> None:
    for target in ({}, {"bpp": 0.2}, {"psnr_db": 30.0}):
        assert plan(seed=7, **target).seed == 7
