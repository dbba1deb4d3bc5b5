"""Plan of a pyramid's fit -> how much work that is; and the plan that some seconds are enough for.

Work is counted in updates at full size: an update of an image that is reduced by some octaves is
4^-octaves of one, and what else a fit does is about as many as ``CostSettings`` says. So a few
updates that were timed say what all the rest will take.
"""

import math
import warnings
from dataclasses import dataclass, replace
from typing import Final

from sirencodec.errors import SirenCodecWarning
from sirencodec.fitting.pyramid.plan import PyramidPlan, stages_of
from sirencodec.fitting.target import Kind
from sirencodec.fitting.time_budget import TimeBudget

BISECTIONS: Final = 30
FIRST_TIMED, TIMED = 1, 2  # updates of a stage
CHECKS: Final = 0.3, 0.6, 0.85  # of the last stage, where the plan is fitted anew


def stages_work(stages: tuple[tuple[int, int], ...]) -> float:
    """Octaves and updates of stages -> their work."""
    return sum(updates * 4.0**-octaves for octaves, updates in stages)


def _timed_work(plan: PyramidPlan, stages: tuple[tuple[int, int], ...]) -> float:
    """Stages -> the same as they take time: updates that follow no measures are cheaper."""
    blend = plan.settings.blend
    return sum(
        stages_work((stage,))
        * (plan.settings.costs.plain if blend.shares and stage[0] > blend.most_octaves else 1.0)
        for stage in stages
    )


def matrices_work(plan: PyramidPlan) -> float:
    """Plan -> work of choosing the matrices' steps: some rows are asked, however many there are."""
    costs = plan.settings.costs
    return costs.matrices * min(1.0, math.sqrt(costs.sampled_pixels / plan.num_pixels))


def finishing_work(plan: PyramidPlan) -> float:
    """Plan -> work after the last update, if nothing is to be corrected."""
    costs = plan.settings.costs
    return matrices_work(plan) + plan.rdoq_passes * costs.rdoq_pass + costs.finish


def looking_work(plan: PyramidPlan) -> float:
    """Plan -> work of looking where the fit is, on its way to a target."""
    search, costs, target = plan.settings.search, plan.settings.costs, plan.target
    if target is None:
        return 0.0
    each = costs.bits_look if target.kind is Kind.SIZE else costs.look
    seen = 1 - search.updates_before(plan.last_updates) / plan.last_updates
    looks = min(plan.last_updates, search.looks) * seen
    measured = matrices_work(plan) * len(search.measurements) if target.kind is Kind.SIZE else 0.0
    return looks * each + measured


def correction_work(plan: PyramidPlan) -> float:
    """Plan -> work of one correction that keeps the matrices."""
    return plan.correction_updates + plan.settings.costs.rdoq_pass


def _ending_work(plan: PyramidPlan) -> float:
    """Plan -> work after the last update; of a target the corrections that there are as a rule."""
    usual = plan.settings.costs.corrections if plan.target else 0.0
    return finishing_work(plan) + usual * correction_work(plan)


def planned_work(plan: PyramidPlan) -> float:
    """Plan -> all of its work."""
    return _timed_work(plan, plan.stages) + looking_work(plan) + _ending_work(plan)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fit is: so many updates of stage number ``stage`` are done."""

    stage: int
    done: int


def work_left(plan: PyramidPlan, place: Place) -> float:
    """Plan and place in it -> work to go."""
    octaves, _ = plan.stages[place.stage]
    done = _timed_work(plan, (*plan.stages[: place.stage], (octaves, place.done)))
    return planned_work(plan) - done


def timed_plan(plan: PyramidPlan, place: Place, unit_s: float, budget: TimeBudget) -> PyramidPlan:
    """Plan, and the time that an update takes -> the same with as many updates as time allows.

    Args:
        plan: of the fit.
        place: where the fit is; what is done stays.
        unit_s: seconds for the work of an update at full size.
        budget: time there is.

    Warns:
        SirenCodecWarning: in the last stage, if the shortest fit would take longer.
    """

    def with_share(share: float) -> PyramidPlan:
        """The plan of a fit with so many updates, relative to effort 4."""
        planned = stages_of(plan.num_pixels, share, plan.settings.plan)
        octaves, updates = planned[place.stage]
        current = octaves, max(updates, place.done)
        return replace(
            plan,
            stages=(*plan.stages[: place.stage], current, *planned[place.stage + 1 :]),
        )

    def seconds(share: float) -> float:
        return unit_s * work_left(with_share(share), place)

    low, high = 0.0, plan.settings.plan.effort_updates[-1]
    if seconds(low) > budget.left_s:
        _warn_if_too_short(plan, place, seconds(low), budget)
        return with_share(low)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if seconds(middle) > budget.left_s:
            high = middle
        else:
            low = middle
    return with_share(low)


def _warn_if_too_short(plan: PyramidPlan, place: Place, seconds: float, budget: TimeBudget) -> None:
    if place.stage < len(plan.stages) - 1 or budget.allows(seconds):
        return
    needed = budget.seconds - budget.left_s + seconds
    warnings.warn(
        f"the shortest fit of this picture takes about {needed:.0f} s here, "
        f"and {budget.seconds:.0f} were asked for",
        SirenCodecWarning,
        stacklevel=2,
    )


class Pacer:
    """Times the first updates of every stage, and fits the plan to the time that is left.

    The first update of a stage is not timed: it makes room. The next two are one that renews the
    targets of a blend, and one that does not. In the last stage looks at the target take time as
    well, so the plan is fitted anew on the way.
    """

    def __init__(self, budget: TimeBudget) -> None:
        """Keep to ``budget``."""
        self._budget = budget
        self._begun, self._unit_s, self._checks = 0.0, 0.0, list(CHECKS)

    def paced(self, plan: PyramidPlan, place: Place) -> PyramidPlan | None:
        """Plan and place, asked before every update -> another plan, if it is time for one."""
        octaves, updates = plan.stages[place.stage]
        if place.done == FIRST_TIMED:
            self._begun = self._budget.now()
        elif place.done == FIRST_TIMED + TIMED:
            work = _timed_work(plan, ((octaves, TIMED),))
            self._unit_s = (self._budget.now() - self._begun) / work
            return timed_plan(plan, place, self._unit_s, self._budget)
        elif place.stage == len(plan.stages) - 1 and place.done >= self._checks[0] * updates:
            self._checks = self._checks[1:] or [math.inf]
            return self._checked(plan, place)
        return None

    def _checked(self, plan: PyramidPlan, place: Place) -> PyramidPlan:
        """Plan -> with as many more updates, looks between them included, as time allows."""
        each_s = (self._budget.now() - self._begun) / (place.done - FIRST_TIMED)
        end_s = self._unit_s * _ending_work(plan)
        left = max(0, round((self._budget.left_s - end_s) / each_s))
        shortest, longest = (
            stages_of(plan.num_pixels, share, plan.settings.plan)[-1][1]
            for share in (0.0, plan.settings.plan.effort_updates[-1])
        )
        updates = max(place.done + 1, min(max(place.done + left, shortest), longest))
        return replace(plan, stages=(*plan.stages[:-1], (plan.stages[-1][0], updates)))

    def allows(self, work: float) -> bool:
        """Whether there is time for so much more work."""
        return self._budget.allows(work * self._unit_s)
