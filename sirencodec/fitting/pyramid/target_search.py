"""A fit and its target -> lambda that meets it, found on the way.

The lambda is moved early in the last stage, while latents still follow it, and hardly at all
later: a late change takes quality without giving bits (benchmarks/LOG.md, entry 15). So where the
fit is heading for must be told early. What the picture would be were its latents rounded now tells
it: soft ones carry noise, which at a low rate makes up most of their bits.
"""

import math
from typing import Final

from sirencodec.fitting.pyramid.plan import PyramidPlan
from sirencodec.fitting.pyramid.state import PyramidState, bit_weight
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

# The guess until then: what all matrices come to where a bit is worth so much error, how many fewer
# where it is worth twice as much (benchmarks/LOG.md, entry 26), and of a small budget.
USUAL_MATRICES_BITS: Final = 6_500.0
USUAL_BIT_WEIGHT: Final = 0.005 / 393_216
MATRICES_BITS_PER_OCTAVE: Final = 650.0
LARGEST_MATRICES_SHARE: Final = 0.65


class TargetSearch:
    """Moves a fit's lambda to where its target is met."""

    def __init__(self, state: PyramidState, plan: PyramidPlan) -> None:
        """Search for what the plan asks for; for nothing if it fixes lambda."""
        self._state, self._plan = state, plan
        self._steps = plan.stages[-1][1]
        self._period = max(1, self._steps // LOOKS)
        self._followed = math.log(plan.lambda_)  # lambda that the picture is one of
        self._measurements = list(MEASUREMENTS)
        self._matrices_bits: float | None = None  # expected at the end

    def follow(self, step: int, progress: float) -> None:
        """Before ``step`` of the last stage, move lambda if it is time to look again.

        Args:
            step: of the stage.
            progress: of the whole fit, 0 to 1.
        """
        share = step / self._steps
        if share < FIRST_LOOK or step % self._period:
            return
        if self._plan.psnr_db is not None:
            self._move(share, self._distance_to_quality(self._plan.psnr_db, 1 - share))
        elif self._plan.budget_bits is not None:
            self._measure_matrices(share)
            distance = self._distance_to_budget(self._plan.budget_bits, 1 - share)
            will_weigh_less = WEIGHT_TO_BITS * math.log(bit_weight(progress))
            self._move(share, distance + BITS_TO_LAMBDA * will_weigh_less)

    def _move(self, share: float, distance: float) -> None:
        """Go towards the target, less what has been gone and is not yet to be seen."""
        current = math.log(self._state.lambda_)
        part = self._period / self._steps
        self._followed += (current - self._followed) * min(1.0, part / RESPONSE)
        missing = distance - (current - self._followed)
        missing = min(max(missing, -LARGEST_DISTANCE), LARGEST_DISTANCE)
        self._state.change_lambda(math.exp(GAIN * part * cosine(share) * missing))

    def _measure_matrices(self, share: float) -> None:
        """Find out what the matrices will take, if it is time to."""
        if self._measurements and share >= self._measurements[0][0]:
            growth = self._measurements.pop(0)[1]
            self._matrices_bits = growth * self._state.matrices_bits()

    def _distance_to_quality(self, psnr_db: float, left: float) -> float:
        """Wanted decibels and part of the stage that is left -> missing in lambda."""
        expected_db = self._state.rounded_psnr_db() + EXPECTED_RISE_DB * left**2
        return DB_TO_LAMBDA * (expected_db - PSNR_AIM_DB - psnr_db)

    def _distance_to_budget(self, budget_bits: float, left: float) -> float:
        """Bits there are and part of the stage that is left -> missing in lambda."""
        state, least = self._state, LEAST_SHARE * budget_bits
        matrices_bits = self._matrices_bits
        if matrices_bits is None:
            matrices_bits = likely_matrices_bits(state.lambda_, state.num_pixels, budget_bits)
        wanted = max(AIM * budget_bits - matrices_bits, least)
        excess = math.log(max(state.rounded_bits(), least) / wanted)
        log_bpp = min(0.0, math.log(budget_bits / state.num_pixels / USUAL_BPP))
        saving = (USUAL_SAVING + SAVING_PER_LOG_BPP * log_bpp) * left**2
        saving += TRIALS_SAVING + TRIALS_SAVING_PER_LOG_BPP * log_bpp
        return BITS_TO_LAMBDA * (excess - saving)


def likely_matrices_bits(lambda_: float, num_pixels: int, budget_bits: float) -> float:
    """What all matrices of a picture are likely to take.

    Args:
        lambda_: error that a bit a pixel is worth.
        num_pixels: of the image.
        budget_bits: for matrices and latents.
    """
    octaves = math.log2(lambda_ / num_pixels / USUAL_BIT_WEIGHT)
    usual = max(0.0, USUAL_MATRICES_BITS - MATRICES_BITS_PER_OCTAVE * octaves)
    return min(usual, LARGEST_MATRICES_SHARE * budget_bits)
