"""The pure profile's hyper-parameters: one table, its groups in the order of an encode.

Numbers in brackets are entries of benchmarks/LOG.md that chose a value; what has none was set by
eye, or is a fact that its line names. An update is one move of a fit; a step is a quantiser's.
Shares are 0 to 1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from sirencodec.bitstream.architecture import Architecture
from sirencodec.fitting.loss.pixel.blend_settings import BlendSettings
from sirencodec.fitting.optimizer import MakeOptimizer
from sirencodec.fitting.pure.bit_allocation import sensitivities
from sirencodec.fitting.pure.pixel_batches import Batches, StratifiedBatches
from sirencodec.fitting.soap import Soap
from sirencodec.fitting.start import initial_layers
from sirencodec.fitting.target import Kind
from sirencodec.synthesis.network import Layers


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """Target -> bits of payload -> depth, width and omega_0.

    Attributes:
        smallest_payload_bits: a network of a dozen weights.
        largest_payload_bits: 1.9 million weights, 500 wide; fitting them takes hours.
        bits_per_weight: of payload. From 6 to 7 files are equally good, and fewer weights are
            faster; 5 costs 0.2 dB [3].
        depth_limits: numbers of weights below which a network has 0, 1, 2, ... hidden layers; a
            guess. None is one depth for all.
        deepest: hidden layers from the last limit on. 4 cost 0.8 dB, 12 cost 0.2 dB [4].
        photo_omega_0: frequency factor of the first layer from ``photo_parameters`` weights on, a
            flat optimum for photographs at 0.05 to 0.4 bits a pixel. 20 and 45 cost up to 0.2 dB,
            60 costs 0.4 dB [2, 4].
        photo_parameters: number of weights from which on it holds.
        omega_0_power: below that, omega_0 goes with the number of weights to this power; 0 is one
            omega_0 for all, which costs up to 1.2 dB on thumbnails [10].
    """

    smallest_payload_bits: float = 200.0
    largest_payload_bits: float = 1.2e7
    bits_per_weight: float = 6.4
    depth_limits: tuple[int, ...] = (30, 150, 400, 900, 2_000)
    deepest: int = 7
    photo_omega_0: int = 30
    photo_parameters: int = 12_000
    omega_0_power: float = 0.2


@dataclass(frozen=True, slots=True)
class WorkSettings:
    """Network, image size and effort -> pixels and number of updates.

    Attributes:
        batch_pixels: that an update looks at. Fewer are noise, more are fewer updates; 24,576 cost
            0.3 dB at equal time [2].
        effort_multiply_adds: of one fit, for each effort. Two cores of a small machine do 0.06e12 a
            second, so effort 4 takes about two minutes there and 9 half an hour [7].
        most_updates: of a fit, however small its network.
        fewest_updates: of a fit, however large.
        settled_updates: after which an image without pixels would be settled; each pixel adds one,
            and each effort as many again.
        small_pixels: of an image that is fitted as by every lower effort, too, and the best is kept
            [30].
        sine_multiply_adds: what a sine and its derivative cost next to the matrix products.
        update_multiply_adds: what an update costs besides its pixels: two milliseconds.
        measure_multiply_adds: what all measures of a blend cost a pixel.
        renewal_share: work on renewing the targets of a blend, relative to that of the updates.
    """

    batch_pixels: int = 6_144
    effort_multiply_adds: tuple[float, ...] = tuple(
        1e12 * work for work in (0.2, 0.5, 1.2, 3.0, 7.0, 12.0, 20.0, 35.0, 60.0, 100.0)
    )
    most_updates: int = 60_000
    fewest_updates: int = 20
    settled_updates: int = 200
    small_pixels: int = 2**14
    sine_multiply_adds: int = 40
    update_multiply_adds: int = 120_000_000
    measure_multiply_adds: int = 2_500
    renewal_share: float = 0.2


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """Measure of quality to reach -> budgets to try.

    Attributes:
        most_scouts: fits at one budget after another, at the least effort.
        most_attempts: fits after that, at the effort that is wanted.
        psnr_gain: decibels that twice the bits bring, before two attempts tell.
        score_gain: the same of a score, by ``Target.distance`` [30].
        longest_octaves: that a budget is changed by at once.
        aim_share: of the target's tolerance, beyond the target; 0 aims at the target itself.
        noise_octaves: what is added to a budget where a smaller one did better by chance.
        most_times_raw: bytes of a payload at most, as a multiple of those of the samples.
        least_most_bytes: what is added to that, for a handful of pixels.
        ended_octaves: distance from a budget that a network was fitted for, up to which its fit is
            but ended anew, a fifth of the work: its weights then have 5.4 to 7.6 bits [38].
        fall_while_exact: factor by which a budget falls as long as files are exact.
    """

    most_scouts: int = 6
    most_attempts: int = 3
    psnr_gain: float = 2.0
    score_gain: float = 0.3
    longest_octaves: float = 2.0
    aim_share: float = 0.5
    noise_octaves: float = 0.1
    most_times_raw: float = 2.0
    least_most_bytes: int = 200
    ended_octaves: float = 0.25
    fall_while_exact: float = 4.0

    def most_bits(self, raw_bytes: int) -> float:
        """Bytes of an image's samples -> bits of the largest payload that is tried for it."""
        return 8 * (self.most_times_raw * raw_bytes + self.least_most_bytes)

    def gain_per_octave(self, kind: Kind) -> float:
        """Kind of measure -> distance that twice the bits bring."""
        return self.score_gain if kind is Kind.SCORE else self.psnr_gain


@dataclass(frozen=True, slots=True)
class RateSettings:
    """Width and progress -> learning rate of folded weights: the smallest of three bounds.

    Attributes:
        largest: at any width. Narrow networks bear large rates, and gain by them [4].
        narrow: divided by the root of the width [4].
        wide: divided by the square of the width. Without it networks beyond 40 wide drift into
            chaos on busy pictures: 58 wide, twice the rate costs 1.7 dB [5].
        last_layer_share: of the last layer, relative, for targets of unit deviation; 1 costs 0.1 dB
            [2].
        warm_up_updates: until the rate is full; 1 is no warm-up.
        error_smoothing: share of a new batch in the running error, which progress is told by.
        settling_updates: before which a fit may be worse than a flat image.
        diverged: a fit whose error is so many times that of a flat image does not recover.
        most_restarts: from a fresh network, each at half the learning rate of the one before.
    """

    largest: float = 0.04
    narrow: float = 0.16
    wide: float = 41.0
    last_layer_share: float = 0.3
    warm_up_updates: int = 100
    error_smoothing: float = 0.05
    settling_updates: int = 500
    diverged: float = 1.5
    most_restarts: int = 3


@dataclass(frozen=True, slots=True)
class RoundingSettings:
    """Progress -> when steps are chosen, and for which part of the budget.

    Attributes:
        allocate_at: shares of the fit at which steps are chosen, the first of them the one from
            which on updates see the rounded network. Near 1 is rounding a finished fit, which costs
            decibels; 0.4 costs 0.05 dB [3].
        probe_pixels: by which sensitivities are estimated.
        budget_share: to allocate. The updates after the last allocation add less than the rest [4].
        most_tightenings: further allocations should that not be enough, each for the rest less.
        tightening_rate: share of the learning rate in the updates through them. There is little
            left to fit: a tightening costs a small file 0.2 dB [27].
        tightening_share: of a fit's updates, after each.
    """

    allocate_at: tuple[float, ...] = (0.8, 0.9)
    probe_pixels: int = 24_576
    budget_share: float = 0.998
    most_tightenings: int = 5
    tightening_rate: float = 0.01
    tightening_share: float = 0.02


@dataclass(frozen=True, slots=True)
class PureSettings:
    """How a network alone is planned and fitted: numbers, and ingredients with their own.

    Attributes:
        network: its size.
        work: how long it is fitted.
        search: for a target that is no size.
        rates: of learning.
        blend: of measures, followed as often as ``work.renewal_share`` allows.
        rounding: to what a file holds.
        start: (architecture, axis_scale, generator) -> first layers.
        optimizer: layers -> what updates them in place. SOAP is 2 dB ahead of Adam at equal time
            [2].
        batches: (width, height, batch_pixels, generator) -> indices of pixels.
        sensitivities: (layers, points) -> harm that an error in each layer does; all equal is one
            step for all layers.
    """

    network: NetworkSettings = field(default_factory=NetworkSettings)
    work: WorkSettings = field(default_factory=WorkSettings)
    search: SearchSettings = field(default_factory=SearchSettings)
    rates: RateSettings = field(default_factory=RateSettings)
    blend: BlendSettings = field(default_factory=BlendSettings)
    rounding: RoundingSettings = field(default_factory=RoundingSettings)
    start: Callable[[Architecture, tuple[float, float], torch.Generator], Layers] = initial_layers
    optimizer: MakeOptimizer = Soap
    batches: Callable[[int, int, int, np.random.Generator], Batches] = StratifiedBatches
    sensitivities: Callable[[Sequence[Tensor], Tensor], list[float]] = sensitivities
