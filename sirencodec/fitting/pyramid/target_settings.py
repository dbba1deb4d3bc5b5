"""The hyper-parameters of how a fit meets its target: on the way, and afterwards.

Numbers in brackets are entries of benchmarks/LOG.md, as in ``settings``; without PyTorch.
"""

import math
from dataclasses import dataclass

from sirencodec.fitting.target import Kind


@dataclass(frozen=True, slots=True)
class MeasureSettings:
    """How a measure of a picture in the making follows lambda, by ``Target.distance``.

    Attributes:
        rise: that it will still rise, times the square of what is left of the stage.
        far_rise: the same at the lowest lambdas, where latents have far to go.
        aim: how far above the target to aim, in its unit.
        to_lambda: logarithm of lambda for a distance of 1.
        furthest: that lambda goes from the first, which is foreseen well where it decides nearly
            alone. A short fit follows slowly, and would be driven to where it cannot follow [30].
    """

    rise: float
    far_rise: float
    aim: float
    to_lambda: float
    furthest: float


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """How lambda goes towards a target during the last stage; distances are logarithms of lambda.

    Attributes:
        looks: at the picture, in the stage [15].
        first_look: share of the stage before it; 1 leaves lambda as it was planned.
        settling_updates: of the stage before a look, however few there are: new grids hold more at
            first than they will keep [43].
        latest_first_look: share of the stage before it, at most, in the shortest.
        first_restraint: share of a stage on a reduced image from which on a fit that is to keep to
            a size is looked at as well [43].
        coarse_share: of a budget, that the grids of a reduced image may take [43].
        gain: lambda at first goes towards the target by the distance in 1 / gain of the stage; it
            slows down along a cosine. 20 swings [11, 15].
        response: share of the stage in which the picture follows all but 1/e of a change [15].
        largest_distance: that is believed.
        furthest: that lambda goes from the first, towards a size.
        usual_bpp: rate at which the savings hold.
        saving: log of the bits that latents will still lose, times the square of what is left of
            the stage [19, 26].
        saving_per_log_bpp: what is added to it for an e-fold of the rate, below the usual one.
        rdoq_saving: log of the bits that RDOQ will save after the stage [26]; where it takes the
            loss to be more curved than squared error, so much less [30].
        rdoq_saving_per_log_bpp: what is added to it for an e-fold of the rate.
        weight_to_bits: exponent: bits go with the weight of a bit to the power of minus this [21].
        aim: share of a budget to aim for, as it must not be exceeded.
        least_share: of a budget, for latents.
        bits_to_lambda: exponent: lambda for a ratio of bits.
        psnr: how a PSNR follows lambda [21].
        score: how a score follows lambda [30, 35].
        rise_lambdas: from the first down to the second, ``rise`` becomes ``far_rise`` along the
            logarithm of lambda. With one rise for all a search took what was still to come for
            missing, and lambda ran away: 6.8 bits a pixel for a score of 84 [35].
        exact_lambda: below it a fit with bits left is asked whether it needs them.
        exact_levels: root of the mean squared error of a picture that decodes exactly, in levels of
            the samples: of normal errors of this size one in a thousand is over half a level.
        measurements: shares of the stage at which to find out what the matrices would take, rounded
            then, and their bits at the end relative to that. A third of a budget can be theirs, so
            a guess is not enough [19].
    """

    looks: int = 40
    first_look: float = 0.1
    settling_updates: int = 8
    latest_first_look: float = 0.3
    first_restraint: float = 0.5
    coarse_share: float = 1.2
    gain: float = 12.0
    response: float = 0.1
    largest_distance: float = 2.0
    furthest: float = 5.0
    usual_bpp: float = 0.4
    saving: float = 0.05
    saving_per_log_bpp: float = -0.24
    rdoq_saving: float = 0.015
    rdoq_saving_per_log_bpp: float = -0.02
    weight_to_bits: float = 0.42
    aim: float = 0.97
    least_share: float = 0.02
    bits_to_lambda: float = 1.8
    psnr: MeasureSettings = MeasureSettings(3.3, 3.3, 0.08, 0.2 * math.log(10), furthest=5.0)
    score: MeasureSettings = MeasureSettings(0.55, 1.3, 0.0, 1 / 0.28, furthest=1.5)
    rise_lambdas: tuple[float, float] = (1e-3, 1e-4)
    exact_lambda: float = 1e-4
    exact_levels: float = 0.15
    measurements: tuple[tuple[float, float], ...] = ((0.2, 1.1), (0.45, 1.04), (0.7, 1.0))

    def updates_before(self, updates: int) -> float:
        """Updates of the last stage -> those of them before the first look."""
        settling = min(self.settling_updates, self.latest_first_look * updates)
        return max(self.first_look * updates, settling)

    def of(self, kind: Kind) -> MeasureSettings:
        """Kind of measure -> how it follows lambda."""
        return self.score if kind is Kind.SCORE else self.psnr

    def rise(self, kind: Kind, lambda_: float) -> float:
        """Kind of measure and lambda -> its rise, times the square of what is left."""
        (near, far), settings = self.rise_lambdas, self.of(kind)
        share = min(max(math.log(near / lambda_) / math.log(near / far), 0.0), 1.0)
        return settings.rise + share * (settings.far_rise - settings.rise)


@dataclass(frozen=True, slots=True)
class FollowingSettings:
    """How a finished fit follows lambda; misses are in the unit of ``Target.miss``.

    Attributes:
        to_lambda: logarithm of the factor on lambda that makes up for a ``Target.distance`` of 1 in
            a correction. Settled latents follow it little.
        nudged_miss: misses up to this are nudged [22, 24].
        miss_to_nudge: logarithm of the factor on lambda of a nudge, for a miss of 1.
        nudge_margin: how far beyond the target a nudge aims.
        least_answer: share of what was expected of a correction that must have come for another to
            follow, where bits were added; its picture is not kept either.
    """

    to_lambda: float
    nudged_miss: float
    miss_to_nudge: float
    nudge_margin: float
    least_answer: float = -math.inf


@dataclass(frozen=True, slots=True)
class CorrectionSettings:
    """How a finished fit that misses its target goes on; a nudge is RDOQ at another lambda.

    Attributes:
        most: corrections; 0 keeps the first result.
        updates_share: of the last stage's updates, in a correction.
        fewest_updates: of a correction, but for ``largest_share`` of the last stage's.
        largest_share: of the last stage's updates. Latents alone follow lambda as far in 6 updates
            as in 12 or 30 [38].
        largest_kept_change: logarithm of lambda's change since matrices were rounded, up to which a
            correction keeps them: latents follow lambda as far with as without them [38].
        pace: a correction goes through the rest of the schedule at this share of the stage's pace.
        earliest_start: where in the schedule it sets in at the earliest, 0 to 1. From 0.4 it stirs
            up what long fits have settled [15, 19].
        earlier_if_short: how much earlier, if it has next to no updates: what a short fit of a
            large picture has filled in vain does not empty late in the schedule [43].
        largest_change: logarithm of the factor on lambda, in one correction.
        least_gap: to the other end of a bracket, as a share of what is missing, from which on that
            end is believed [38].
        aim_share: of the target's tolerance, beyond the target; 0 aims at the target itself.
        size: how a fit follows lambda towards a size.
        psnr: the same towards a PSNR.
        score: the same towards a score [30]. What no lambda reaches is not paid for: from some 86
            points on, a short fit gains half a point by half as many bits again [35].
    """

    most: int = 5
    updates_share: float = 0.06
    fewest_updates: int = 30
    largest_share: float = 0.225
    largest_kept_change: float = 0.7
    pace: float = 0.5
    earliest_start: float = 0.75
    earlier_if_short: float = 0.25
    largest_change: float = math.log(5)
    least_gap: float = 0.1
    aim_share: float = 0.25
    size: FollowingSettings = FollowingSettings(6.0, 0.02, 12.0, 0.005)
    psnr: FollowingSettings = FollowingSettings(-9 * (0.2 * math.log(10)), 0.1, -3.0, 0.02)
    score: FollowingSettings = FollowingSettings(-7.5, 0.0, 0.0, 0.0, least_answer=0.3)

    def of(self, kind: Kind) -> FollowingSettings:
        """Kind of target -> how a fit follows lambda towards it."""
        return {Kind.SIZE: self.size, Kind.PSNR: self.psnr, Kind.SCORE: self.score}[kind]
