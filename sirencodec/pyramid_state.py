"""A pyramid and its network while they are fitted: steps, rounding, and the way to a target."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from sirencodec.annealing import cosine
from sirencodec.architecture import INPUTS, Architecture, grid_shape
from sirencodec.context_rate import ContextRate
from sirencodec.entropy.context import LARGEST_LATENT
from sirencodec.entropy.matrices import matrices_bits
from sirencodec.entropy.payload import QuantizedPicture
from sirencodec.errors import FitError
from sirencodec.progress import FitProgress, OnStep
from sirencodec.query import Samples
from sirencodec.refinement import num_refined
from sirencodec.siren import Layers
from sirencodec.soft_round import soft_round
from sirencodec.starting_network import feature_gain
from sirencodec.tile_gradient import Distortion, TileGradient
from sirencodec.trained_matrices import Parts, TrainedMatrices
from sirencodec.water_filling import TRADE_OFF_RANGE
from sirencodec.workers import Workers

FINAL_SHARE = 0.02  # of the learning rates, at the end of the cosine
# Steps until the rates are full, in every stage. The network waits until a new grid's latents make
# sense: its optimiser knows nothing of their feature yet and would move it at random, at the cost
# of up to a decibel (benchmarks/LOG.md, entry 15).
WARM_UP_STEPS = 5
NETWORK_WARM_UP_STEPS = 25
LONGEST_WARM_UP = 0.3  # of a stage

# Soft rounding: noise from the first step to the last (in levels).
NOISES = (0.22, 0.15)

HARD_SHARE = 0.06  # steps with rounded latents, relative to the last stage's

CORRECTION_SHARE = 0.06  # of the last stage's steps, in each correction
FEWEST_CORRECTION_STEPS = 30
CORRECTION_HARD_SHARE = 0.2  # more, with rounded latents
CORRECTION_START = 0.75  # where on the cosine, and in noise and temperature, a correction sets in

# Of the tiles, for a second thread beside all of the context model, which takes two thirds of the
# time of the tiles (benchmarks/LOG.md, entry 13).
OTHER_THREADS_TILES = 0.15

SECOND_MOMENT_DECAY = 0.99
EPSILON = 1e-12


@dataclass(frozen=True, slots=True)
class _Pace:
    """How latents and network move.

    Attributes:
        latent_rate: levels a step at full size; twice as many for each octave the image is reduced
            by.
        follows_features: whether they are more at small trade-offs, at which the starting network
            wants larger latents.
        momentum: decay of the mean gradient.
        temperatures: of soft rounding, from the first step to the last.
        network_gain: on the network's learning rates.
    """

    latent_rate: float
    follows_features: bool
    momentum: float
    temperatures: tuple[float, float]
    network_gain: float


# A softer start lets latents leave zero sooner, but a long fit in it comes to rely on what rounding
# will take away (benchmarks/LOG.md, entry 16).
SHORT_PACE = _Pace(0.06, False, 0.5, (0.5, 0.07), 0.02 / 0.018)
LONG_PACE = _Pace(0.04, True, 0.4, (0.35, 0.08), 1.0)
SHORT_STEPS = 300  # of a last stage that is no longer


@dataclass(frozen=True, slots=True)
class PyramidPlan:
    """How much work to put into a fit, and what for.

    Attributes:
        stages: (octaves the image is reduced by, steps), in order; the last one at full size.
        trade_off: error that a bit a pixel is worth; where to start if there is a target.
        seed: of initialisation and noise.
        budget_bits: what the payload may take, the trade-off following; None if that is fixed.
        psnr_db: quality to reach, likewise.
        adapted_layers: how many layers of the context networks, from the last, become the image's
            own; the others stay as shipped and cost nothing.
    """

    stages: tuple[tuple[int, int], ...]
    trade_off: float
    seed: int
    budget_bits: float | None = None
    psnr_db: float | None = None
    adapted_layers: int = 1

    @property
    def hard_steps(self) -> int:
        """Steps after the last stage, with rounded latents."""
        return max(10, round(HARD_SHARE * self.stages[-1][1]))

    @property
    def correction_steps(self) -> tuple[int, int]:
        """Steps of a correction with soft and with rounded latents."""
        soft = max(FEWEST_CORRECTION_STEPS, round(CORRECTION_SHARE * self.stages[-1][1]))
        return soft, round(CORRECTION_HARD_SHARE * soft)


class PyramidState:
    """A pyramid and its network, and all that fitting them needs."""

    def __init__(
        self,
        samples: Samples,
        architecture: Architecture,
        plan: PyramidPlan,
        device: torch.device,
        on_step: OnStep | None,
        workers: Workers,
    ) -> None:
        """Start from zero latents and the shipped context model."""
        self._plan, self._architecture, self._on_step = plan, architecture, on_step
        self._workers = workers
        targets = _targets(samples).to(device)
        deepest = max(octaves for octaves, _ in plan.stages)
        self._images = [targets]
        for _ in range(deepest):
            self._images.append(_halved(self._images[-1]))
        self.num_pixels = samples.shape[0] * samples.shape[1]
        generator = torch.Generator().manual_seed(plan.seed)
        mean = targets.mean((1, 2)).cpu()
        self._matrices = TrainedMatrices(
            architecture, mean, plan.trade_off, plan.adapted_layers, generator, device
        )
        height, width = targets.shape[1:]
        self._latents = {
            exponent: targets.new_zeros(grid_shape(width, height, exponent))
            for exponent in architecture.grids
        }
        self._noise = torch.Generator(device=device).manual_seed(plan.seed)
        self.trade_off = plan.trade_off
        self._pace = SHORT_PACE if plan.stages[-1][1] <= SHORT_STEPS else LONG_PACE
        self._latent_rate = self._pace.latent_rate
        if self._pace.follows_features:
            self._latent_rate /= min(1.0, feature_gain(plan.trade_off))
        self._taken = 0
        self._steps = sum(steps for _, steps in plan.stages) + plan.hard_steps

    def start_stage(self, octaves: int, steps: int) -> None:
        """Turn to the image reduced by ``octaves``, for so many steps."""
        self._network_warm_up = max(1.0, min(NETWORK_WARM_UP_STEPS, LONGEST_WARM_UP * steps))
        image = self._images[octaves]
        self._octaves = octaves
        self._exponents = [k for k in self._architecture.grids if k >= octaves]
        local = [exponent - octaves for exponent in self._exponents]
        columns = [0, 1]
        columns += [INPUTS + self._architecture.grids.index(k) for k in self._exponents]
        layers = self._matrices.parts.layers
        self._columns = torch.tensor([*columns, layers[0].shape[1] - 1], device=image.device)
        # The refinement is about pixels as they are stored.
        self._refines = not octaves and num_refined(self._exponents) > 0
        height, width = self._images[0].shape[1:]
        shapes = [grid_shape(width, height, exponent) for exponent in self._exponents]
        shown = self._shown_layers(layers)
        tiles = TileGradient(image, local, shown)
        self._tiles = (
            tiles.split(OTHER_THREADS_TILES, shown) if self._workers.count > 1 else [tiles]
        )
        self._rate = ContextRate(self._exponents, shapes, image)
        self._flat = torch.cat([self._latents[k].flatten() for k in self._exponents])
        self._first_moment = torch.zeros_like(self._flat)
        self._second_moments = [0.0] * len(self._exponents)
        self._stage_steps = 0

    def finish_stage(self) -> None:
        """Keep the stage's latents for the next one."""
        for exponent, grid in zip(self._exponents, self._split(self._flat), strict=True):
            self._latents[exponent] = grid.clone()

    def _split(self, flat: Tensor) -> list[Tensor]:
        """All latents of the stage -> one grid each."""
        shapes = [self._latents[exponent].shape for exponent in self._exponents]
        parts = torch.split(flat, [math.prod(shape) for shape in shapes])
        return [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]

    def _shown_layers(self, layers: Sequence[Tensor]) -> Layers:
        """Layers -> those of the stage, whose network lacks the features of finer grids."""
        return [layers[0][:, self._columns].contiguous(), *layers[1:]]

    def soft_step(self, progress: float, step: int) -> None:
        """Move latents and network, the latents softly rounded."""
        share = FINAL_SHARE + (1 - FINAL_SHARE) * cosine(progress)
        temperature = _between(self._pace.temperatures, progress)
        noise = torch.empty_like(self._flat).normal_(generator=self._noise)
        once, slope = soft_round(self._flat, temperature)
        twice, again = soft_round(once.add_(noise, alpha=_between(NOISES, progress)), temperature)
        gradient = self._network_step(twice, share * min(1, (step + 1) / self._network_warm_up))
        latent_rate = self._latent_rate * 2.0**self._octaves
        latent_rate *= share * min(1, (step + 1) / WARM_UP_STEPS)
        self._latent_step(gradient.mul_(slope).mul_(again), latent_rate)

    def hard_step(self, share: float) -> None:
        """Move the network alone, the latents rounded."""
        self._network_step(torch.round(self._flat), FINAL_SHARE * share)

    def correct(self, factor: float) -> None:
        """Change the trade-off and settle again, the network's steps chosen anew."""
        self.change_trade_off(factor)
        self._matrices.are_rounded = False
        soft, hard = self._plan.correction_steps
        for step in range(soft):
            if step == soft // 2:
                self.choose_steps()
            share = step / soft
            self.soft_step(CORRECTION_START + (1 - CORRECTION_START) * share, NETWORK_WARM_UP_STEPS)
        for step in range(hard):
            self.hard_step(1 - step / hard)

    def change_trade_off(self, factor: float) -> None:
        """Multiply the trade-off, within reason."""
        lowest, highest = TRADE_OFF_RANGE
        self.trade_off = min(max(self.trade_off * factor, lowest), highest)

    @property
    def are_rounded(self) -> bool:
        """Whether the matrices are being rounded."""
        return self._matrices.are_rounded

    def matrices_bits(self) -> float | None:
        """What the matrices take; None while they are not being rounded."""
        return matrices_bits(self._matrices.quantized()) if self.are_rounded else None

    def rounded_bits(self) -> float:
        """What the latents would take, rounded, by the context model as it is."""
        return self._bits(self._matrices.rounded(), self._rounded_latents())

    def rounded_psnr_db(self) -> float:
        """Quality of the image as a decoder would make it."""
        return _psnr_db(self._error(self._matrices.rounded(), self._rounded_latents()))

    def _rounded_latents(self) -> list[Tensor]:
        """Those of the stage as a file would hold them."""
        return self._split(torch.round(self._flat))

    def _bits(self, parts: Parts, grids: list[Tensor]) -> float:
        """What latents cost under the matrices' context model."""
        return math.fsum(self._rate(grids, parts.networks, 0.0).bits)

    def _error(self, parts: Parts, grids: list[Tensor]) -> float:
        """Mean squared error of matrices and latents."""
        shown = self._shown(parts, grids)
        return math.fsum(self._workers.map(lambda tiles: tiles.error(*shown), self._tiles))

    def _shown(
        self, parts: Parts, grids: list[Tensor]
    ) -> tuple[Layers, Tensor, list[Tensor], Sequence[Tensor]]:
        """Matrices and latents -> what the stage makes its image of."""
        layers, kernels = self._shown_layers(parts.layers), parts.kernels[self._octaves :]
        return layers, kernels, grids, parts.refinement if self._refines else ()

    def _network_step(self, latents: Tensor, rate: float) -> Tensor:
        """Move the network; returns the gradient with respect to the latents."""
        grids = self._split(latents)
        weight = self.trade_off / self.num_pixels
        parts = self._matrices.rounded()
        own, (cost, others) = self._workers.both(
            lambda: self._tiles[0](*self._shown(parts, grids)),
            lambda: (
                self._rate(grids, parts.networks, weight, self._plan.adapted_layers),
                [tiles(*self._shown(parts, grids)) for tiles in self._tiles[1:]],
            ),
        )
        distortion = sum(others, own)
        bits = sum(cost.bits)
        if not math.isfinite(distortion.error + bits):
            raise FitError("the fit diverged")
        self._move(self._whole(distortion, cost.networks), rate * self._pace.network_gain)
        self._taken += 1
        self._recent_bits, self._recent_psnr_db = bits, _psnr_db(distortion.error)
        if self._on_step is not None:
            self._on_step(FitProgress(self._taken, self._steps, self._recent_psnr_db))
        slopes = [
            slope + bit_slope
            for slope, bit_slope in zip(distortion.grids, cost.latents, strict=True)
        ]
        return torch.cat([slope.flatten() for slope in slopes])

    def _move(self, gradient: Parts, rate: float) -> None:
        """One update of everything but the latents; what the stage does not show stays."""
        hidden = self._hidden(self._matrices.parts)
        self._matrices.move(gradient, rate)
        self._restore(self._matrices.parts, hidden)

    def _whole(self, distortion: Distortion, networks: list[list[Tensor]]) -> Parts:
        """The stage's gradient -> that of all matrices: zero for what is not shown."""
        parts = self._matrices.parts
        first = torch.zeros_like(parts.layers[0])
        first[:, self._columns] = distortion.layers[0]
        kernels = torch.zeros_like(parts.kernels)
        kernels[self._octaves :] = distortion.kernels
        refinement = distortion.refinement or [torch.zeros_like(m) for m in parts.refinement]
        return Parts([first, *distortion.layers[1:]], kernels, networks, refinement)

    def _hidden(self, parts: Parts) -> list[Tensor]:
        """Matrices -> copies of those that the stage shows only parts of, or nothing."""
        return [part.clone() for part in (parts.layers[0], parts.kernels, *parts.refinement)]

    def _restore(self, parts: Parts, old: Sequence[Tensor]) -> None:
        """Undo what an update has done to parts that the stage does not show."""
        layer, kernels, *refinement = old
        layer[:, self._columns] = parts.layers[0][:, self._columns]
        parts.layers[0].copy_(layer)
        parts.kernels[: self._octaves] = kernels[: self._octaves]
        if not self._refines:
            for matrix, before in zip(parts.refinement, refinement, strict=True):
                matrix.copy_(before)

    def _latent_step(self, gradient: Tensor, rate: float) -> None:
        """Momentum, in units of the root mean square gradient of a whole grid.

        A unit for every latent, as Adam has it, moves all of them alike: those that matter too
        little and those that do not matter at random (benchmarks/LOG.md, entry 11).
        """
        self._stage_steps += 1
        self._first_moment.lerp_(gradient, 1 - self._pace.momentum)
        first_share = 1 - self._pace.momentum**self._stage_steps
        second_share = 1 - SECOND_MOMENT_DECAY**self._stage_steps
        parts = zip(
            self._split(self._flat),
            self._split(self._first_moment),
            self._split(gradient),
            strict=True,
        )
        for index, (latents, first, slope) in enumerate(parts):
            new = float(slope.square().mean())
            second = self._second_moments[index]
            second += (1 - SECOND_MOMENT_DECAY) * (new - second)
            self._second_moments[index] = second
            deviation = math.sqrt(second / second_share) + EPSILON
            latents.sub_(first, alpha=rate / (first_share * deviation))
        self._flat.clamp_(-LARGEST_LATENT, LARGEST_LATENT)

    def choose_steps(self) -> None:
        """Give each trained matrix the step at which it costs least."""
        latents = self._rounded_latents()
        self._matrices.choose_steps(
            lambda parts: self._error(parts, latents),
            lambda parts: self._bits(parts, latents),
            self.trade_off / self.num_pixels,
        )

    def quantized(self) -> QuantizedPicture:
        """All as integers."""
        latents = tuple(grid.cpu().numpy().astype(np.int32) for grid in self._rounded_latents())
        return QuantizedPicture(self._matrices.quantized(), latents)


def _targets(samples: Samples) -> Tensor:
    """Samples -> (channels, height, width) float32 in [0, 1]."""
    peak = np.iinfo(samples.dtype).max
    return torch.from_numpy(np.moveaxis(samples, 2, 0).astype(np.float32) / peak)


def _psnr_db(error: float) -> float:
    return -10 * math.log10(max(error, 1e-12))


def _halved(image: Tensor) -> Tensor:
    """Image -> means of its 2 x 2 blocks, the last row and column doubled if they are odd."""
    _, height, width = image.shape
    even = pad(image[None], (0, width % 2, 0, height % 2), mode="replicate")
    return avg_pool2d(even, 2)[0]


def _between(ends: tuple[float, float], progress: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * progress
