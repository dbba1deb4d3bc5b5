"""Settings under which a pyramid is fitted in a second."""

from dataclasses import replace

from sirencodec.fitting.pyramid.settings import PyramidSettings
from sirencodec.fitting.settings import Settings

STAGES = ((1, 20), (0, 40))


def quick_settings(stages: tuple[tuple[int, int], ...] = STAGES, **plan: object) -> Settings:
    """Few updates at every effort, and what else of the plan is to be another.

    A correction has most of them, for so few say little of where it leads.
    """
    pyramid = PyramidSettings()
    changed = replace(
        pyramid.plan, stages=stages, effort_updates=(1.0,) * 10, fewest_updates=1, **plan
    )
    correction = replace(pyramid.correction, largest_share=0.75)
    return Settings(pyramid=replace(pyramid, plan=changed, correction=correction))
