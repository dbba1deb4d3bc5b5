"""Plans keep to the time there is: their arithmetic, and fits under a clock that is made up."""

from __future__ import annotations

import warnings

import pytest

from sirencodec.config import EncodeConfig
from sirencodec.encoder import encode_image
from sirencodec.errors import ParameterError, SirenCodecWarning
from sirencodec.fitting.progress import FitProgress
from sirencodec.fitting.pyramid.pacing import (
    Pacer,
    Place,
    planned_work,
    stages_work,
    timed_plan,
    work_left,
)
from sirencodec.fitting.pyramid.plan import PyramidPlan, plan_stages
from sirencodec.fitting.pyramid.plan_settings import PlanSettings
from sirencodec.fitting.target import Kind, Target
from sirencodec.fitting.time_budget import TimeBudget
from sirencodec.image.image import Image
from tests.pictures import make_clouds

PIXELS = 1 << 20


class Watch:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.time_s = 0.0

    def __call__(self) -> float:
        return self.time_s


def plan(target: Target | None = None, effort: int = 4, num_pixels: int = PIXELS) -> PyramidPlan:
    stages = plan_stages(num_pixels, effort, PlanSettings())
    return PyramidPlan(stages, 0.002, 0, target, num_pixels=num_pixels)


TARGETS = [None, Target(Kind.SIZE, 9000), Target(Kind.SCORE, 60), Target(Kind.PSNR, 33)]


def test_work_is_that_of_updates_at_full_size() -> None:
    assert stages_work(((2, 16), (1, 8), (0, 5))) == 1 + 2 + 5


@pytest.mark.parametrize("target", TARGETS)
def test_work_shrinks_as_a_fit_goes_on(target: Target | None) -> None:
    whole = plan(target)
    places = [Place(0, 0), Place(0, 9), Place(1, 0), Place(2, 0), Place(2, 100)]
    left = [work_left(whole, place) for place in places]
    assert left[0] == pytest.approx(planned_work(whole))
    assert left == sorted(left, reverse=True)
    assert left[-1] > 0


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("seconds", [60.0, 300.0, 900.0])
@pytest.mark.parametrize("place", [Place(0, 3), Place(2, 3)])
def test_a_timed_plan_takes_the_time(seconds: float, place: Place, target: Target | None) -> None:
    budget, unit_s = TimeBudget(seconds, Watch()), 0.4
    found = timed_plan(plan(target), place, unit_s, budget)
    assert unit_s * work_left(found, place) == pytest.approx(seconds, rel=0.05)
    assert found.stages[: place.stage] == plan(target).stages[: place.stage]


def test_no_plan_is_longer_than_the_longest_effort() -> None:
    found = timed_plan(plan(), Place(0, 3), 0.001, TimeBudget(1e6, Watch()))
    assert found.stages == plan(effort=9).stages


def test_what_does_not_do_is_said() -> None:
    with pytest.warns(SirenCodecWarning, match="shortest fit"):
        found = timed_plan(plan(), Place(2, 3), 1.0, TimeBudget(5, Watch()))
    assert found.last_updates == PlanSettings().fewest_updates


def test_what_is_done_stays() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SirenCodecWarning)
        found = timed_plan(plan(), Place(2, 90), 1.0, TimeBudget(5, Watch()))
    assert found.last_updates == 90


def test_the_first_update_of_a_stage_is_not_timed() -> None:
    watch = Watch()
    pacer = Pacer(TimeBudget(500, watch))
    found = []
    for done, took_s in enumerate([50.0, 0.5, 1.5, 1.0, 1.0]):
        found.append(pacer.paced(plan(), Place(2, done)))
        watch.time_s += took_s
    assert [number for number, each in enumerate(found) if each is not None] == [3]
    assert found[3] is not None
    assert work_left(found[3], Place(2, 3)) == pytest.approx(500 - 52, rel=0.05)
    assert pacer.allows(400)
    assert not pacer.allows(600)


def test_looks_that_take_time_are_noticed_on_the_way() -> None:
    watch, whole = Watch(), plan(TARGETS[2])
    pacer = Pacer(TimeBudget(500, watch))
    place, last = Place(2, 0), []
    while place.done < whole.last_updates:
        found = pacer.paced(whole, place)
        if found is not None:
            whole = found
            last.append(found.last_updates)
        watch.time_s += 1.0 if place.done < 5 else 1.5
        place = Place(2, place.done + 1)
    assert last[-1] < last[0]
    assert 400 < watch.time_s < 500  # rounding and the file are still to come


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sirencodec.errors.TargetWarning")  # in so few updates
@pytest.mark.parametrize("target", [{"bpp": 0.5}, {"quality": 50}, {"psnr_db": 27}])
def test_an_encode_takes_about_the_time_that_is_asked_for(target: dict[str, float]) -> None:
    """Updates take half a second and the rest none: so it is over early, but not late."""
    watch, image = Watch(), Image(make_clouds(160, 144))

    def on_step(_: FitProgress) -> None:
        watch.time_s += 0.5

    config = EncodeConfig(max_seconds=100, profile="pyramid", device="cpu", **target)
    result = encode_image(image, config, on_step, now=watch)
    assert result.seconds == pytest.approx(watch.time_s)
    assert 30 < result.seconds < 115


def test_a_time_must_be_positive() -> None:
    for seconds in (0, -1, float("inf"), float("nan")):
        with pytest.raises(ParameterError):
            EncodeConfig(max_seconds=seconds)
