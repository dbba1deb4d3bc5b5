"""A fit and its target -> lambda that meets it, found on the way.

The lambda is moved early in the last stage, while latents still follow it, and hardly at all
later: a late change takes quality without giving bits (benchmarks/LOG.md, entry 15). So where the
fit is heading for must be told early. What the picture would be were its latents rounded now tells
it: soft ones carry noise, which at a low rate makes up most of their bits.
"""

import math
from typing import Final, Protocol

from sirencodec.fitting.forecast import changed_lambda, likely_matrices_bits
from sirencodec.fitting.pyramid.plan import PyramidPlan
from sirencodec.fitting.pyramid.schedule import bit_weight
from sirencodec.fitting.schedule import cosine

# Where the target is thought to be met, lambda would at first go by 1 / GAIN of the stage.
GAIN: Final = 12.0
LOOKS: Final = 40  # in the stage
FIRST_LOOK: Final = 0.1  # of the stage
RESPONSE: Final = 0.1  # part of the stage in which the picture follows all but 1 / e of a change
LARGEST_DISTANCE: Final = 2.0  # in logarithms of lambda, like all distances here

# A rounded picture's bits still fall, in logarithms by so much times the square of what is left of
# the stage, and by trials after it, both the more the lower the rate; they rise as they weigh less,
# by this power of the weight. Its decibels rise, by so much times the square (benchmarks/LOG.md,
# entries 19, 21 and 26).
USUAL_SAVING: Final = 0.05
TRIALS_SAVING: Final = 0.015
USUAL_BPP: Final = 0.4
SAVING_PER_LOG_BPP: Final = -0.24  # below the usual rate
TRIALS_SAVING_PER_LOG_BPP: Final = -0.02
WEIGHT_TO_BITS: Final = 0.42
EXPECTED_RISE_DB: Final = 3.3

AIM: Final = 0.97  # of a budget, which must not be exceeded
LEAST_SHARE: Final = 0.02  # of a budget, for latents
PSNR_AIM_DB: Final = 0.08  # above the target
BITS_TO_LAMBDA: Final = 1.8  # exponent: lambda for a ratio of bits
DB_TO_LAMBDA: Final = 0.2 * math.log(10)  # logarithm of lambda for a decibel

# When to try what the matrices would take if they were rounded, and the bits at the end relative to
# that. A third of a budget can be theirs, so a guess is not enough (benchmarks/LOG.md, entry 19).
MEASUREMENTS: Final = ((0.2, 1.1), (0.45, 1.04), (0.7, 1.0))


class Rounded(Protocol):
    """What a search asks of a picture, its latents being rounded."""

    num_pixels: int

    def bits(self) -> float:
        """Bits of the latents."""

    def matrices_bits(self, lambda_: float) -> float:
        """Bits that the matrices would take if they were rounded now."""

    def quality(self) -> float:
        """Quality, in the unit of targets."""


class TargetSearch:
    """Says which lambda a fit should go on with, so that it meets its target."""

    def __init__(self, plan: PyramidPlan) -> None:
        """Search for what the plan asks for; for nothing if it fixes lambda."""
        self._plan = plan
        self._updates = plan.stages[-1][1]
        self._period = max(1, self._updates // LOOKS)
        self._followed = math.log(plan.lambda_)  # lambda that the picture is one of
        self._measurements = list(MEASUREMENTS)
        self._matrices_bits: float | None = None  # expected at the end

    def next_lambda(self, update: int, progress: float, lambda_: float, rounded: Rounded) -> float:
        """State of a fit -> lambda of its next update: the same, unless it is time to look.

        Args:
            update: of the last stage, from 0.
            progress: of the whole fit, 0 to 1.
            lambda_: of the update before.
            rounded: the picture as it is.
        """
        share = update / self._updates
        if share < FIRST_LOOK or update % self._period:
            return lambda_
        if self._plan.psnr_db is not None:
            distance = _distance_to_quality(rounded.quality(), self._plan.psnr_db, 1 - share)
            return self._moved(lambda_, share, distance)
        if self._plan.budget_bits is not None:
            distance = self._distance_to_budget(self._plan.budget_bits, lambda_, share, rounded)
            will_weigh_less = WEIGHT_TO_BITS * math.log(bit_weight(progress))
            return self._moved(lambda_, share, distance + BITS_TO_LAMBDA * will_weigh_less)
        return lambda_

    def _moved(self, lambda_: float, share: float, distance: float) -> float:
        """Lambda, gone towards the target by what is missing beyond changes yet to be seen."""
        current, part = math.log(lambda_), self._period / self._updates
        self._followed += (current - self._followed) * min(1.0, part / RESPONSE)
        missing = distance - (current - self._followed)
        missing = min(max(missing, -LARGEST_DISTANCE), LARGEST_DISTANCE)
        return changed_lambda(lambda_, math.exp(GAIN * part * cosine(share) * missing))

    def _distance_to_budget(
        self, budget_bits: float, lambda_: float, share: float, rounded: Rounded
    ) -> float:
        """Bits there are and part of the stage that is done -> missing in lambda."""
        least = LEAST_SHARE * budget_bits
        matrices_bits = self._expected_matrices_bits(budget_bits, lambda_, share, rounded)
        wanted = max(AIM * budget_bits - matrices_bits, least)
        excess = math.log(max(rounded.bits(), least) / wanted)
        log_bpp = min(0.0, math.log(budget_bits / rounded.num_pixels / USUAL_BPP))
        saving = (USUAL_SAVING + SAVING_PER_LOG_BPP * log_bpp) * (1 - share) ** 2
        saving += TRIALS_SAVING + TRIALS_SAVING_PER_LOG_BPP * log_bpp
        return BITS_TO_LAMBDA * (excess - saving)

    def _expected_matrices_bits(
        self, budget_bits: float, lambda_: float, share: float, rounded: Rounded
    ) -> float:
        """Bits of the matrices at the end: as last measured, which is done now if it is time to."""
        if self._measurements and share >= self._measurements[0][0]:
            growth = self._measurements.pop(0)[1]
            self._matrices_bits = growth * rounded.matrices_bits(lambda_)
        if self._matrices_bits is None:
            return likely_matrices_bits(lambda_, rounded.num_pixels, budget_bits)
        return self._matrices_bits


def _distance_to_quality(quality_db: float, wanted_db: float, left: float) -> float:
    """Quality now and at the end, and part of the stage that is left -> missing in lambda."""
    expected_db = quality_db + EXPECTED_RISE_DB * left**2
    return DB_TO_LAMBDA * (expected_db - PSNR_AIM_DB - wanted_db)
