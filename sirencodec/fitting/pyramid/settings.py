"""The pyramid profile's hyper-parameters: one table, its groups in the order of a fit.

Numbers in brackets are entries of benchmarks/LOG.md that chose a value; what has none was set by
eye, or is a fact that its line names. An update is one move of a fit; a step is a quantiser's.
"Levels" are units of a latent. Where not said otherwise, a share of 0 switches off what it is a
share of, and 1 takes all of it.

The groups of what needs no PyTorch to be planned or foreseen lie in modules beside this one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from sirencodec.bitstream.architecture import Architecture
from sirencodec.fitting.loss.pixel.blend_settings import BlendSettings
from sirencodec.fitting.optimizer import MakeOptimizer
from sirencodec.fitting.pyramid.plan_settings import CostSettings, ForecastSettings, PlanSettings
from sirencodec.fitting.pyramid.start import starting_network
from sirencodec.fitting.pyramid.start_settings import StartSettings
from sirencodec.fitting.pyramid.target_settings import CorrectionSettings, SearchSettings
from sirencodec.fitting.soap import Soap
from sirencodec.fitting.soft_round import soften
from sirencodec.synthesis.network import Layers
from sirencodec.synthesis.threads import Workers

StartingNetwork = Callable[
    [Architecture, Tensor, float, torch.Generator, StartSettings], tuple[Layers, Tensor]
]
Softening = Callable[[Tensor, Tensor, float, float, Workers], tuple[Tensor, Tensor]]


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
        known_patience: the same from a step that was found before [38].
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
    known_patience: int = 1


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
    costs: CostSettings = field(default_factory=CostSettings)
    correction: CorrectionSettings = field(default_factory=CorrectionSettings)
    blend: BlendSettings = field(default_factory=BlendSettings)
    optimizer: MakeOptimizer = Soap
    starting_network: StartingNetwork = starting_network
    soften: Softening = soften
