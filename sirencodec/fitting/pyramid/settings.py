"""The pyramid profile's hyper-parameters: one table, its groups in the order of a fit.

Numbers in brackets are entries of benchmarks/LOG.md that chose a value; what has none was set by
eye, or is a fact that its line names. An update is one move of a fit; a step is a quantiser's.
"Levels" are units of a latent. Where not said otherwise, a share of 0 switches off what it is a
share of, and 1 takes all of it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from sirencodec.bitstream.architecture import Architecture
from sirencodec.bitstream.format import LARGEST_EXPONENT
from sirencodec.fitting.loss.pixel.blend_settings import BlendSettings
from sirencodec.fitting.optimizer import MakeOptimizer
from sirencodec.fitting.pyramid.start import starting_network
from sirencodec.fitting.pyramid.start_settings import StartSettings
from sirencodec.fitting.soap import Soap
from sirencodec.fitting.soft_round import soften
from sirencodec.fitting.target import Kind
from sirencodec.synthesis.network import Layers
from sirencodec.synthesis.threads import Workers

StartingNetwork = Callable[
    [Architecture, Tensor, float, torch.Generator, StartSettings], tuple[Layers, Tensor]
]
Softening = Callable[[Tensor, Tensor, float, float, Workers], tuple[Tensor, Tensor]]


@dataclass(frozen=True, slots=True)
class PlanSettings:
    """Image, target and effort -> network, stages and the lambda to begin with.

    Attributes:
        smallest_bytes: of a file that a pyramid suits. Below, its fixed parts (some 500 bytes)
            leave too little for latents [9, 30].
        hidden_features: width of the network. 8 costs 1 dB; 24, from a random start, gains 0.2 dB
            and takes a tenth longer [28].
        hidden_layers: sine layers after the first; 0 is one sine layer in all and costs 0.8 dB
            [28].
        grids: exponents; an empty grid costs next to nothing, no finest one 0.9 dB [28].
        prior: number of the shipped networks (FORMAT.md).
        stages: octaves that the image is reduced by, and updates at effort 4 for images of up to
            ``usual_pixels``. The last one is at full size. First stages place the coarse grids,
            where an update costs a fraction of a full one [8, 11].
        effort_updates: for each effort, updates relative to those of effort 4.
        reduced_exponent: below effort 4, updates on reduced images shrink by this power of that; 1
            is as the full size's, 0 is not at all.
        fewest_updates: of a stage.
        usual_pixels: a larger image gets fewer updates, by the square root of its size over this.
        small_pixels: a smaller image gets more updates, by the root of this over its size: they
            cost little, and its latents have to come as far [30].
        tried_pixels: of an image that is fitted as by every lower effort, too: the best is kept, as
            fits of so few latents differ by more than an effort brings [30].
        surplus_per_bpp: a fit with a target begins above the lambda that is foreseen, by this share
            for each bit a pixel. Fine grids that are filled too soon never quite empty again, which
            costs up to 0.5 dB at high rates; at low ones too large a lambda is as bad [26, 27].
        largest_surplus: of those shares; nothing was measured above a bit a pixel.
    """

    smallest_bytes: int = 1_000
    hidden_features: int = 16
    hidden_layers: int = 1
    grids: tuple[int, ...] = tuple(range(LARGEST_EXPONENT + 1))
    prior: int = 1
    stages: tuple[tuple[int, int], ...] = ((2, 75), (1, 175), (0, 950))
    effort_updates: tuple[float, ...] = (0.14, 0.24, 0.4, 0.65, 1.0, 1.7, 2.8, 4.5, 7.4, 12.0)
    reduced_exponent: float = 0.3
    fewest_updates: int = 20
    usual_pixels: int = 2**19
    small_pixels: int = 2**16
    tried_pixels: int = 2**14
    surplus_per_bpp: float = 0.6
    largest_surplus: float = 0.6


@dataclass(frozen=True, slots=True)
class ForecastSettings:
    """Spectrum of an image and lambda -> PSNR and bits that a fit will come to [26].

    Attributes:
        psnr_offset_db: PSNR of a fit where water-filling has 0 dB.
        psnr_factor: decibels of a fit for one of water-filling; below 1, as grids are redundant.
        score_lambda: lambda at which a score of 0 would be expected, if scores kept to the law that
            they have from 20 to 80: 100 - score goes with lambda to the power of ``score_power``,
            whatever the image, within some 5 points [30].
        score_power: that exponent.
        matrices_bits: of all matrices where a bit is worth ``usual_bit_error``.
        usual_bit_error: lambda 0.005 for an image of 768 x 512 pixels.
        matrices_bits_per_octave: how many fewer where a bit is worth twice that error.
        largest_matrices_share: of a small budget.
    """

    psnr_offset_db: float = 5.0
    psnr_factor: float = 0.8
    score_lambda: float = 0.024
    score_power: float = 0.28
    matrices_bits: float = 6_500.0
    usual_bit_error: float = 0.005 / 393_216
    matrices_bits_per_octave: float = 650.0
    largest_matrices_share: float = 0.65


@dataclass(frozen=True, slots=True)
class ScheduleSettings:
    """Progress of a fit -> rates, rounding, and the weight of bits.

    Attributes:
        network_rate: learning rate of the network's layers but the last, at its largest [17, 20].
        latent_rate: levels an update for a gradient as large as its grid's root mean square, at
            full size, at its largest; twice as many for each octave that the image is reduced by.
            Half of it costs 0.08 dB, twice 0.5 dB [21, 28].
        far_lambda: below it latents have far to go, in levels, and their rate grows with the root
            of this over lambda. Without that a fit ends at 38 to 42 dB [30].
        reduced_network_share: of ``network_rate`` on reduced images. A network that moves far while
            the finest grids and the refinement are not there loses what it knew of them.
        final_share: of all rates, at the end of their cosine.
        warm_up_updates: until the latents' rate is full, in every stage; 1 is no warm-up [15].
        network_warm_up_updates: until the network's is. Its optimiser knows nothing of a new grid's
            feature and would move it at random, which costs up to a decibel [15].
        longest_warm_up: of the network, as a share of a stage.
        extra_bit_weight: what a bit weighs more at first, relative to lambda. Fine grids then begin
            nearly empty, and coarse ones take what belongs in them; 0 costs 0.34 dB [21, 28].
        bit_weight_power: of what is left of the fit, by which the extra weight falls; 0 keeps it.
        temperatures: of soft rounding, first and last; at 1 values hardly change, at 0.1 they are
            almost whole [8, 16, 17].
        amplitudes: standard deviation of the Gaussian noise in it, first and last, in levels; 0 is
            none and costs 2 dB [8, 28].
    """

    network_rate: float = 0.027
    latent_rate: float = 0.13
    far_lambda: float = 0.0005
    reduced_network_share: float = 0.25
    final_share: float = 0.02
    warm_up_updates: int = 5
    network_warm_up_updates: int = 25
    longest_warm_up: float = 0.3
    extra_bit_weight: float = 3.0
    bit_weight_power: int = 4
    temperatures: tuple[float, float] = (0.6, 0.07)
    amplitudes: tuple[float, float] = (0.22, 0.15)


@dataclass(frozen=True, slots=True)
class LatentSettings:
    """How latents follow their gradient.

    Attributes:
        momentum: decay of the mean gradient an update; 0 is none. 0 costs 0.14 dB, 0.8 costs 0.04
            dB [15, 17, 28].
        second_moment_decay: of the mean square gradient of a grid, an update.
        longest_move: of a latent in an update, in units of the grid's root mean square gradient
            times the rate. Late in a fit few latents have a gradient, so that unit is tiny, and
            without a limit they skip levels; infinity is no limit [24].
    """

    momentum: float = 0.4
    second_moment_decay: float = 0.99
    longest_move: float = 8.0


@dataclass(frozen=True, slots=True)
class MatrixSettings:
    """How matrices follow their gradient, what their bits weigh, and where steps are looked for.

    Attributes:
        last_layer_share: of the network's learning rate.
        kernel_share: of that rate, for upsampling kernels; 0 leaves them as they start, which costs
            0.07 dB [28].
        context_share: of that rate, for the context networks' adapted layers; 0 costs 0.06 dB [28].
        refinement_share: of that rate; 0 costs 0.09 dB [28].
        adapted_layers: how many layers of each context network, from the last, become the image's
            own. The others stay as shipped and cost nothing. Two cost 0.03 dB, three 0.05 [25, 28].
        bit_weight: what a bit of shipped matrices counts for, relative to one of latents, at
            lambda = 1, in fits of up to ``long_fit_updates``; it goes with the root of lambda
            [24, 26].
        long_fit_updates: beyond so many in the last stage, that weight goes with their root: a
            longer fit has more time to stray [24].
        distance_scale: s of the bits of a weight at a distance d from the shipped one,
            log2(1 + (d / s)^2) / 2, which the loss counts; a large one makes no bits [24].
        octaves: of the steps to choose from, coarse to fine: steps are 2^-octave [17].
        usual_octave: where to look first, for a matrix that is coded as it is.
        usual_difference_octave: the same for one that is coded as a difference.
        patience: after how many dearer octaves in a row to look no further; 0 takes the first [17].
    """

    last_layer_share: float = 0.3
    kernel_share: float = 0.2
    context_share: float = 0.5
    refinement_share: float = 0.5
    adapted_layers: int = 1
    bit_weight: float = 52.0
    long_fit_updates: int = 950
    distance_scale: float = 2.0**-6
    octaves: tuple[int, ...] = tuple(range(1, 13))
    usual_octave: int = 9
    usual_difference_octave: int = 6
    patience: int = 2


@dataclass(frozen=True, slots=True)
class MeasureSettings:
    """How a measure of a picture in the making follows lambda, by ``Target.distance``.

    Attributes:
        rise: that it will still rise, times the square of what is left of the stage.
        aim: how far above the target to aim, in its unit.
        to_lambda: logarithm of lambda for a distance of 1.
    """

    rise: float
    aim: float
    to_lambda: float


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """How lambda goes towards a target during the last stage; distances are logarithms of lambda.

    Attributes:
        looks: at the picture, in the stage [15].
        first_look: share of the stage before it; 1 leaves lambda as it was planned.
        gain: lambda at first goes towards the target by the distance in 1 / gain of the stage; it
            slows down along a cosine. 20 swings [11, 15].
        response: share of the stage in which the picture follows all but 1/e of a change [15].
        largest_distance: that is believed.
        furthest: that lambda goes from the first. A short fit follows slowly, and would be driven
            to where it cannot follow at all [30].
        usual_bpp: rate at which the savings hold.
        saving: log of the bits that latents will still lose, times the square of what is left of
            the stage [19, 26].
        saving_per_log_bpp: what is added to it for an e-fold of the rate, below the usual one.
        rdoq_saving: log of the bits that RDOQ will save after the stage [26].
        rdoq_saving_per_log_bpp: what is added to it for an e-fold of the rate.
        weight_to_bits: exponent: bits go with the weight of a bit to the power of minus this [21].
        aim: share of a budget to aim for, as it must not be exceeded.
        least_share: of a budget, for latents.
        bits_to_lambda: exponent: lambda for a ratio of bits.
        psnr: how a PSNR follows lambda [21].
        score: how a score follows lambda [30].
        exact_lambda: below it a fit with bits left is asked whether it needs them.
        exact_levels: root of the mean squared error of a picture that decodes exactly, in levels of
            the samples: of normal errors of this size one in a thousand is over half a level.
        measurements: shares of the stage at which to find out what the matrices would take, rounded
            then, and their bits at the end relative to that. A third of a budget can be theirs, so
            a guess is not enough [19].
    """

    looks: int = 40
    first_look: float = 0.1
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
    psnr: MeasureSettings = MeasureSettings(rise=3.3, aim=0.08, to_lambda=0.2 * math.log(10))
    score: MeasureSettings = MeasureSettings(rise=0.55, aim=0.0, to_lambda=1 / 0.28)
    exact_lambda: float = 1e-4
    exact_levels: float = 0.15
    measurements: tuple[tuple[float, float], ...] = ((0.2, 1.1), (0.45, 1.04), (0.7, 1.0))

    def of(self, kind: Kind) -> MeasureSettings:
        """Kind of measure -> how it follows lambda."""
        return self.score if kind is Kind.SCORE else self.psnr


@dataclass(frozen=True, slots=True)
class RdoqSettings:
    """How often rounded latents are tried a level away.

    Attributes:
        exponents: of the grids that are tried; coarser ones have few latents, and those have
            settled. None costs 0.10 dB [22, 28].
        updates_per_pass: a pass for so many updates of the last stage; it takes as long as ten.
        most_passes: whatever the stage.
    """

    exponents: tuple[int, ...] = (0, 1, 2)
    updates_per_pass: int = 200
    most_passes: int = 6


@dataclass(frozen=True, slots=True)
class FollowingSettings:
    """How a finished fit follows lambda; misses are in the unit of ``Target.miss``.

    Attributes:
        to_lambda: logarithm of the factor on lambda that makes up for a ``Target.distance`` of 1 in
            a correction. Settled latents follow it little.
        nudged_miss: misses up to this are nudged [22, 24].
        miss_to_nudge: logarithm of the factor on lambda of a nudge, for a miss of 1.
        nudge_margin: how far beyond the target a nudge aims.
    """

    to_lambda: float
    nudged_miss: float
    miss_to_nudge: float
    nudge_margin: float


@dataclass(frozen=True, slots=True)
class CorrectionSettings:
    """How a finished fit that misses its target goes on; a nudge is RDOQ at another lambda.

    Attributes:
        most: corrections; 0 keeps the first result.
        updates_share: of the last stage's updates, in a correction.
        fewest_updates: of a correction.
        pace: a correction goes through the rest of the schedule at this share of the stage's pace.
        earliest_start: where in the schedule it sets in at the earliest, 0 to 1. From 0.4 it stirs
            up what long fits have settled [15, 19].
        largest_change: logarithm of the factor on lambda, in one correction.
        aim_share: of the target's tolerance, beyond the target; 0 aims at the target itself.
        size: how a fit follows lambda towards a size.
        psnr: the same towards a PSNR.
        score: the same towards a score [30].
    """

    most: int = 5
    updates_share: float = 0.06
    fewest_updates: int = 30
    pace: float = 0.5
    earliest_start: float = 0.75
    largest_change: float = math.log(5)
    aim_share: float = 0.25
    size: FollowingSettings = FollowingSettings(4.0, 0.02, 12.0, 0.005)
    psnr: FollowingSettings = FollowingSettings(-9 * (0.2 * math.log(10)), 0.1, -3.0, 0.02)
    score: FollowingSettings = FollowingSettings(-7.5, 0.0, 0.0, 0.0)

    def of(self, kind: Kind) -> FollowingSettings:
        """Kind of target -> how a fit follows lambda towards it."""
        return {Kind.SIZE: self.size, Kind.PSNR: self.psnr, Kind.SCORE: self.score}[kind]


@dataclass(frozen=True, slots=True)
class PyramidSettings:
    """How a pyramid is planned and fitted: numbers by group, and ingredients.

    Attributes:
        optimizer: matrices -> what updates them in place; a fresh one in every stage. Adam costs
            0.3 dB at the best of its rates [28].
        starting_network: (architecture, mean, lambda, generator, start) -> layers and kernels.
        soften: (latents, noise, temperature, amplitude, workers) -> latents softly rounded, and
            the derivative of that.
    """

    plan: PlanSettings = field(default_factory=PlanSettings)
    forecast: ForecastSettings = field(default_factory=ForecastSettings)
    start: StartSettings = field(default_factory=StartSettings)
    schedule: ScheduleSettings = field(default_factory=ScheduleSettings)
    latents: LatentSettings = field(default_factory=LatentSettings)
    matrices: MatrixSettings = field(default_factory=MatrixSettings)
    search: SearchSettings = field(default_factory=SearchSettings)
    rdoq: RdoqSettings = field(default_factory=RdoqSettings)
    correction: CorrectionSettings = field(default_factory=CorrectionSettings)
    blend: BlendSettings = field(default_factory=BlendSettings)
    optimizer: MakeOptimizer = Soap
    starting_network: StartingNetwork = starting_network
    soften: Softening = soften
