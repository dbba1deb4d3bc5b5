"""Picture in the making and target -> the lambda of its next update.

Lambda is moved early in the last stage, while latents still follow it, and hardly at all later: a
late change takes quality without giving bits. So what the fit will come to must be foreseen early.
It is foreseen from the picture with rounded latents: soft ones carry noise, which at a low rate
makes up most of their bits. With ``left`` the part of the stage that is left,

    log(bits at the end) = log(bits) - saving * left^2 - rdoq_saving
                           + weight_to_bits * log(weight of a bit),
    PSNR at the end = PSNR + rise * left^2,
    log(100 - score at the end) = log(100 - score) - rise * left^2,

both savings growing as the rate falls below the usual one, and the rise as lambda falls.
"""

import math
from collections.abc import Sequence
from typing import Protocol

from sirencodec.fitting.pyramid.forecast import changed_lambda, likely_matrices_bits
from sirencodec.fitting.pyramid.plan import PyramidPlan
from sirencodec.fitting.pyramid.schedule import Schedule
from sirencodec.fitting.schedule import cosine
from sirencodec.fitting.target import Kind, Target


class Rounded(Protocol):
    """What a search asks of a picture in the making, seen with rounded latents."""

    num_pixels: int

    def bits(self) -> float:
        """Bits of the latents."""

    def matrix_steps(self, lambda_: float, last: Sequence[int]) -> tuple[int, ...]:
        """Index of the step of each matrix at which it costs least, looked for near the last."""

    def matrices_bits(self, step_indices: Sequence[int]) -> float:
        """Bits that the matrices would take if they were rounded to these steps now."""

    def measured(self, kind: Kind) -> float:
        """PSNR in dB or score in points."""


class TargetSearch:
    """Says at which lambda a fit should go on to meet its target.

    Attributes:
        matrix_steps: index of the step of each matrix, as last measured; empty before that.
    """

    def __init__(self, plan: PyramidPlan) -> None:
        """Search for the plan's target; without one, lambda stays."""
        self._target = plan.target
        self._exact = Target(Kind.PSNR, plan.exact_psnr_db)
        self._settings, self._forecast = plan.settings.search, plan.settings.forecast
        self._schedule = Schedule(plan.settings.schedule)
        self.follow(plan)
        self._followed = math.log(plan.lambda_)  # lambda that the picture is one of
        blend = plan.settings.blend
        self._rdoq_share = 1 / blend.latents_curvature if blend.shares else 1.0
        furthest = math.exp(self._furthest(plan.target))
        self._first = plan.lambda_
        self._least, self._most = plan.lambda_ / furthest, plan.lambda_ * furthest
        self._measurements = list(self._settings.measurements)
        self._matrices_bits: float | None = None  # expected at the end
        self.matrix_steps: tuple[int, ...] = ()

    def follow(self, plan: PyramidPlan) -> None:
        """Go on with another number of updates."""
        self._updates = plan.last_updates
        self._period = max(1, self._updates // self._settings.looks)
        self._first_look = self._settings.updates_before(self._updates)

    def next_lambda(self, update: int, progress: float, lambda_: float, rounded: Rounded) -> float:
        """Picture as it is -> lambda of the next update: the same unless it is time to look.

        Args:
            update: of the last stage, from 0.
            progress: of the whole fit, 0 to 1.
            lambda_: of the update before.
            rounded: the picture as it is.
        """
        share, target = update / self._updates, self._target
        if target is None or update < self._first_look or update % self._period:
            return lambda_
        if target.budget_bits is None:
            distance = self._distance_to_quality(target, lambda_, share, rounded)
        else:
            distance = self._distance_to_budget(target.budget_bits, lambda_, share, rounded)
            weight = self._schedule.bit_weight(progress)
            will_weigh_less = self._settings.weight_to_bits * math.log(weight)
            distance += self._settings.bits_to_lambda * will_weigh_less
            if lambda_ < self._settings.exact_lambda:  # no bits for what a decode cannot show
                distance = max(
                    distance, self._distance_to_quality(self._exact, lambda_, share, rounded)
                )
        return self._moved(lambda_, share, self._period / self._updates, distance)

    def restrained_lambda(
        self, update: int, updates: int, progress: float, lambda_: float, rounded: Rounded
    ) -> float:
        """Picture of a reduced image -> lambda of its next update: larger, if too much is filled.

        What is foreseen of a picture may be far off, and latents that were filled in vain hardly
        empty again. So the coarse grids alone are kept to a share of a budget, from where in the
        stage what was new to it has settled. Lambda does not go below the first.

        Args:
            update: of the stage, from 0.
            updates: that the stage has.
            progress: of the whole fit, 0 to 1.
            lambda_: of the update before.
            rounded: the picture as it is.
        """
        target, settings, share = self._target, self._settings, update / updates
        period = max(1, 2 * updates // settings.looks)
        if target is None or target.budget_bits is None:
            return lambda_
        if share < settings.first_restraint or update % period:
            return lambda_
        excess = math.log(max(rounded.bits(), 1.0) / (settings.coarse_share * target.budget_bits))
        weight = self._schedule.bit_weight(progress)
        distance = excess + settings.weight_to_bits * math.log(weight)
        distance *= settings.bits_to_lambda
        return max(self._first, self._moved(lambda_, share, period / updates, distance))

    def _furthest(self, target: Target | None) -> float:
        """Target -> how far log(lambda) may go from the first."""
        if target is None or target.kind is Kind.SIZE:
            return self._settings.furthest
        return self._settings.of(target.kind).furthest

    def will_measure(self, update: int) -> bool:
        """Whether an update of the last stage finds out what the matrices would take."""
        share, target = update / self._updates, self._target
        if target is None or target.budget_bits is None or update % self._period:
            return False
        is_seen = update >= self._first_look
        return is_seen and bool(self._measurements) and share >= self._measurements[0][0]

    def _moved(self, lambda_: float, share: float, part: float, distance: float) -> float:
        """Lambda and distance to the target -> lambda, gone some of the way.

        log(lambda) += gain * part * cosine(share) * (distance - (log(lambda) - f)),

        part being that of the stage between looks, and f the logarithm of the lambda that the
        picture shows by now, a running mean: what has been changed and is not seen yet is not asked
        for twice.
        """
        current = math.log(lambda_)
        self._followed += (current - self._followed) * min(1.0, part / self._settings.response)
        missing, largest = distance - (current - self._followed), self._settings.largest_distance
        missing = min(max(missing, -largest), largest)
        factor = math.exp(self._settings.gain * part * cosine(share) * missing)
        return min(max(changed_lambda(lambda_, factor), self._least), self._most)

    def _distance_to_quality(
        self, target: Target, lambda_: float, share: float, rounded: Rounded
    ) -> float:
        """Measure wanted and part of the stage that is done -> missing in log(lambda)."""
        settings = self._settings.of(target.kind)
        miss = target.miss(0, rounded.measured(target.kind)) + settings.aim
        rise = self._settings.rise(target.kind, lambda_) * (1 - share) ** 2
        return settings.to_lambda * (rise - target.distance(miss))

    def _distance_to_budget(
        self, budget_bits: float, lambda_: float, share: float, rounded: Rounded
    ) -> float:
        """Bits there are and part of the stage that is done -> missing in log(lambda).

        bits_to_lambda * (log(bits of latents / bits for them) - log of what they will still save).
        """
        settings = self._settings
        least = settings.least_share * budget_bits
        matrices_bits = self._expected_matrices_bits(budget_bits, lambda_, share, rounded)
        wanted = max(settings.aim * budget_bits - matrices_bits, least)
        excess = math.log(max(rounded.bits(), least) / wanted)
        log_bpp = min(0.0, math.log(budget_bits / rounded.num_pixels / settings.usual_bpp))
        saving = (settings.saving + settings.saving_per_log_bpp * log_bpp) * (1 - share) ** 2
        rdoq_saving = settings.rdoq_saving + settings.rdoq_saving_per_log_bpp * log_bpp
        saving += self._rdoq_share * rdoq_saving
        return settings.bits_to_lambda * (excess - saving)

    def _expected_matrices_bits(
        self, budget_bits: float, lambda_: float, share: float, rounded: Rounded
    ) -> float:
        """Bits of the matrices at the end: as last measured, which is done now if it is time to."""
        if self._measurements and share >= self._measurements[0][0]:
            growth = self._measurements.pop(0)[1]
            self.matrix_steps = rounded.matrix_steps(lambda_, self.matrix_steps)
            self._matrices_bits = growth * rounded.matrices_bits(self.matrix_steps)
        if self._matrices_bits is None:
            return likely_matrices_bits(lambda_, rounded.num_pixels, budget_bits, self._forecast)
        return self._matrices_bits
