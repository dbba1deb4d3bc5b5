"""A pyramid and its network while they are fitted: steps, rounding, and the way to a target."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from sirencodec.bitstream.architecture import Architecture, grid_shape
from sirencodec.entropy.latents import LARGEST_LATENT
from sirencodec.entropy.matrices import matrices_bits
from sirencodec.entropy.payload import QuantizedPicture
from sirencodec.errors import FitError
from sirencodec.fitting.forecast import LAMBDA_RANGE
from sirencodec.fitting.loss.distortion_torch import Distortion
from sirencodec.fitting.loss.rate_torch import Rate
from sirencodec.fitting.loss.terms import distortion_of, rate_of
from sirencodec.fitting.progress import FitProgress, OnStep
from sirencodec.fitting.pyramid.matrices import Parts, TrainedMatrices
from sirencodec.fitting.pyramid.plan import PyramidPlan
from sirencodec.fitting.pyramid.stage import StageView
from sirencodec.fitting.rdoq import improve
from sirencodec.fitting.schedule import cosine
from sirencodec.fitting.soft_round import soften
from sirencodec.image.samples import Samples
from sirencodec.synthesis.threads import Workers

NETWORK_RATE = 0.027  # learning rate of the network's layers but the last
# In stages on reduced images, relative to that: a network that moves far while the finest grids and
# the refinement are not there loses what it knew of them.
REDUCED_NETWORK_SHARE = 0.25

LATENT_RATE = 0.13  # levels a step at full size; twice as many for each octave less
MOMENTUM = 0.4  # decay of the mean gradient
SECOND_MOMENT_DECAY = 0.99
# In root mean square gradients. Near the end few latents have a slope at all, so for them that unit
# is small: without a limit they would jump whole levels (benchmarks/LOG.md, entry 24).
LONGEST_STEP = 8.0
EPSILON = 1e-12

FINAL_SHARE = 0.02  # of all rates, at the end of the cosine
# Steps until the rates are full, in every stage. The network waits until a new grid's latents make
# sense: its optimiser knows nothing of their feature yet and would move it at random, at the cost
# of up to a decibel (benchmarks/LOG.md, entry 15).
WARM_UP_STEPS = 5
NETWORK_WARM_UP_STEPS = 25
LONGEST_WARM_UP = 0.3  # of a stage

# Bits weigh more at first: by this much, falling off by this power of what is left of the fit. Fine
# grids then begin nearly empty, and coarse ones take what belongs in them (LOG.md, entry 21).
EXTRA_BIT_WEIGHT = 3.0
BIT_WEIGHT_POWER = 4

# Soft rounding, from the first step to the last: its temperature, and noise (in levels).
TEMPERATURES = (0.6, 0.07)
NOISES = (0.22, 0.15)


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
            architecture, mean, plan.lambda_, plan.adapted_layers, generator, device
        )
        height, width = targets.shape[1:]
        self._latents = {
            exponent: targets.new_zeros(grid_shape(width, height, exponent))
            for exponent in architecture.grids
        }
        self._noise = torch.Generator(device=device).manual_seed(plan.seed)
        self.lambda_ = plan.lambda_
        self._taken = 0
        self._steps = sum(steps for _, steps in plan.stages) + 1

    def start_stage(self, octaves: int, steps: int) -> None:
        """Turn to the image reduced by ``octaves``, for so many steps."""
        self._network_warm_up = max(1.0, min(NETWORK_WARM_UP_STEPS, LONGEST_WARM_UP * steps))
        image = self._images[octaves]
        self._octaves = octaves
        self._matrices.start_stage()
        self._view = StageView(self._architecture, octaves, self._matrices.parts)
        self._exponents = self._view.exponents
        local = [exponent - octaves for exponent in self._exponents]
        height, width = self._images[0].shape[1:]
        shapes = [grid_shape(width, height, exponent) for exponent in self._exponents]
        layers = self._view.layers(self._matrices.parts.layers)
        self._distortion = distortion_of(image, local, layers, self._workers)
        self._rate = rate_of(self._exponents, shapes, image, self._workers)
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

    def soft_step(self, progress: float, step: int, latent_share: float = 1.0) -> None:
        """Move latents and network, the latents softly rounded.

        Args:
            progress: of the whole fit, 0 to 1.
            step: of the stage.
            latent_share: of the latents' usual rate.
        """
        share = FINAL_SHARE + (1 - FINAL_SHARE) * cosine(progress)
        temperature = _between(TEMPERATURES, progress)
        noise = torch.empty_like(self._flat).normal_(generator=self._noise)
        amplitude = _between(NOISES, progress)
        soft, slope = soften(self._flat, noise, temperature, amplitude, self._workers)
        network_share = share * min(1, (step + 1) / self._network_warm_up)
        latent_rate = latent_share * LATENT_RATE * 2.0**self._octaves * share
        latent_rate *= min(1, (step + 1) / WARM_UP_STEPS)
        if self._octaves:
            network_share *= REDUCED_NETWORK_SHARE
        gradient = self._network_step(soft, network_share, bit_weight(progress))
        self._latent_step(gradient.mul_(slope), latent_rate)

    def correct(self, factor: float) -> None:
        """Change lambda and settle again, the matrices' steps chosen anew."""
        self.change_lambda(factor)
        steps, start = self._plan.correction_steps, self._plan.correction_start
        for step in range(steps):
            progress = start + (1 - start) * step / steps
            self.soft_step(progress, self._plan.stages[-1][1], self._plan.correction_latent_share)
        self.round_matrices()
        self.try_neighbours(1)

    def try_neighbours(self, passes: int) -> None:
        """Move rounded latents a level where that lowers the loss; so many times over.

        All together are told of as one step of the fit.
        """
        parts, weight = self._matrices.parts, self.lambda_ / self.num_pixels

        def losses(grids: Sequence[Tensor]) -> list[Tensor]:
            errors = self._distortion.errors(*self._view.shown(parts, grids))
            lengths = self._rate.code_lengths(grids, parts.networks)
            return [errors / self.num_pixels, *(weight * of_grid for of_grid in lengths)]

        def slopes(grids: Sequence[Tensor]) -> list[Tensor]:
            distortion = self._distortion(*self._view.shown(parts, grids))
            return self._along_latents(distortion, self._rate(grids, parts.networks, weight))

        rounded = self._rounded_latents()
        grids = improve(rounded, self._exponents, losses, slopes, passes)
        moved = torch.cat([grid.flatten() for grid in grids])
        self._flat = torch.where(moved == torch.round(self._flat), self._flat, moved)
        self._tell(self.rounded_psnr_db())

    def change_lambda(self, factor: float) -> None:
        """Multiply lambda, within reason."""
        lowest, highest = LAMBDA_RANGE
        self.lambda_ = min(max(self.lambda_ * factor, lowest), highest)

    def matrices_bits(self) -> float:
        """What the matrices would take if they were rounded now."""
        self._choose_steps()
        return matrices_bits(self._matrices.quantized())

    def rounded_bits(self) -> float:
        """What the latents would take, rounded, by the context model as it is."""
        return self._bits(self._matrices.parts, self._rounded_latents())

    def rounded_psnr_db(self) -> float:
        """Quality of the image with rounded latents and the matrices as they are."""
        return _psnr_db(self._error(self._matrices.parts, self._rounded_latents()))

    def _rounded_latents(self) -> list[Tensor]:
        """Those of the stage as a file would hold them."""
        return self._split(torch.round(self._flat))

    def _bits(self, parts: Parts, grids: list[Tensor]) -> float:
        """What latents cost under the matrices' context model."""
        lengths = self._rate.code_lengths(grids, parts.networks)
        return sum(float(of_grid.sum(dtype=torch.float64)) for of_grid in lengths)

    def _error(self, parts: Parts, grids: list[Tensor]) -> float:
        """Mean squared error of matrices and latents."""
        errors = self._distortion.errors(*self._view.shown(parts, grids))
        return float(errors.mean(dtype=torch.float64))

    def _network_step(self, latents: Tensor, rate: float, times_bits: float) -> Tensor:
        """Move the network; returns the gradient with respect to the latents.

        Bits count for ``times_bits`` as much as lambda says.
        """
        grids = self._split(latents)
        weight = times_bits * self.lambda_ / self.num_pixels
        parts = self._matrices.parts
        distortion = self._distortion(*self._view.shown(parts, grids))
        cost = self._rate(grids, parts.networks, weight, self._plan.adapted_layers)
        bits = sum(cost.bits)
        if not math.isfinite(distortion.error + bits):
            raise FitError("the fit diverged")
        self._move(self._view.gradient(distortion, cost.networks, parts), rate)
        self._recent_bits, self._recent_psnr_db = bits, _psnr_db(distortion.error)
        self._tell(self._recent_psnr_db)
        slopes = self._along_latents(distortion, cost)
        return torch.cat([slope.flatten() for slope in slopes])

    @staticmethod
    def _along_latents(distortion: Distortion, cost: Rate) -> list[Tensor]:
        """Gradients of both terms of the loss -> that along each grid."""
        pairs = zip(distortion.grids, cost.latents, strict=True)
        return [slope + bit_slope for slope, bit_slope in pairs]

    def _tell(self, psnr_db: float) -> None:
        """Say that one more step is done."""
        self._taken += 1
        if self._on_step is not None:
            self._on_step(FitProgress(self._taken, self._steps, psnr_db))

    def _move(self, gradient: Parts, rate: float) -> None:
        """One update, ``rate`` times the learning rates; what the stage does not show stays."""
        copies = self._view.copies(self._matrices.parts)
        weight = self._plan.matrices_bit_weight(self.lambda_) * self.lambda_ / self.num_pixels
        self._matrices.move(gradient, rate * NETWORK_RATE, weight)
        self._view.restore(self._matrices.parts, copies)

    def _latent_step(self, gradient: Tensor, rate: float) -> None:
        """Momentum, in units of the root mean square gradient of a whole grid.

        A unit for every latent, as Adam has it, moves all of them alike: those that matter too
        little and those that do not matter at random (benchmarks/LOG.md, entry 11).
        """
        self._stage_steps += 1
        self._first_moment.lerp_(gradient, 1 - MOMENTUM)
        first_share = 1 - MOMENTUM**self._stage_steps
        second_share = 1 - SECOND_MOMENT_DECAY**self._stage_steps
        squares = torch.stack([slope.square().mean() for slope in self._split(gradient)])
        parts = zip(
            self._split(self._flat), self._split(self._first_moment), squares.tolist(), strict=True
        )
        for index, (latents, first, new) in enumerate(parts):
            second = self._second_moments[index]
            second += (1 - SECOND_MOMENT_DECAY) * (new - second)
            self._second_moments[index] = second
            deviation = math.sqrt(second / second_share) + EPSILON
            steps = first / (first_share * deviation)
            latents.sub_(steps.clamp_(-LONGEST_STEP, LONGEST_STEP), alpha=rate)
        self._flat.clamp_(-LARGEST_LATENT, LARGEST_LATENT)

    def round_matrices(self) -> None:
        """Make them what a decoder will rebuild, each by the step at which it costs least."""
        self._choose_steps()
        self._matrices.round()

    def _choose_steps(self) -> None:
        """Find those steps, and leave the matrices as they are."""
        latents = self._rounded_latents()
        self._matrices.choose_steps(
            lambda parts: self._error(parts, latents),
            lambda parts: self._bits(parts, latents),
            self.lambda_ / self.num_pixels,
        )

    def quantized(self) -> QuantizedPicture:
        """All as integers."""
        latents = tuple(grid.cpu().numpy().astype(np.int32) for grid in self._rounded_latents())
        return QuantizedPicture(self._matrices.quantized(), latents)


def bit_weight(progress: float) -> float:
    """Progress of a fit -> what a bit weighs, relative to the end."""
    return 1 + EXTRA_BIT_WEIGHT * (1 - progress) ** BIT_WEIGHT_POWER


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
