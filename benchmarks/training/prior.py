"""Photographs -> the networks that the package ships.

Crops of the photographs are fitted side by side, each with a pyramid and a lambda of its own,
all with the same context networks, refinement and synthesis network. So those learn what latents
and colours have in common, and a new image starts from there. The results are written as
``sirencodec/priors`` holds them, quantised.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sirencodec.bitstream.architecture import INPUTS
from sirencodec.bitstream.prior_file import PRIORS
from sirencodec.bitstream.quantize import nearest_step_index, quantize
from sirencodec.entropy.context_model import WEIGHT_BITS
from sirencodec.entropy.matrices import encode_matrices
from sirencodec.entropy.prior import (
    context_shapes,
    prior_context,
    prior_refinement,
    refinement_shapes,
)
from sirencodec.entropy.range_coder import SymbolEncoder
from sirencodec.fitting.pyramid.matrices import Parts
from sirencodec.fitting.pyramid.plan import PyramidPlan
from sirencodec.fitting.pyramid.schedule import Pace, Schedule
from sirencodec.fitting.pyramid.settings import PyramidSettings
from sirencodec.fitting.pyramid.start import (
    TRAINED_ARCHITECTURE,
    feature_gain,
    random_network,
    trained_matrices,
)
from sirencodec.fitting.pyramid.state import PyramidState
from sirencodec.fitting.soap import Soap
from sirencodec.image.files import read_image
from sirencodec.image.samples import Samples
from sirencodec.synthesis.threads import Workers

SETTINGS = PyramidSettings()
PRIOR = SETTINGS.plan.prior
# Learning rates of what all crops share, which moves at every step of each.
NETWORK_RATE = 0.006
CONTEXT_RATE = 0.003
REFINEMENT_RATE = 0.003
STEP = 2.0**-10  # of the shipped weights; a tenth of what a file's own differences are worth


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What to train on and for how long.

    Attributes:
        crops: how many, one a photograph.
        crop_side: pixels.
        lambdas: smallest and largest; crops get them in equal ratios, shuffled.
        stages: as in ``PyramidPlan``.
        seed: of the choice of crops and of all fits.
        continues: start from the shipped networks rather than random ones.
    """

    crops: int
    crop_side: int
    lambdas: tuple[float, float]
    stages: tuple[tuple[int, int], ...]
    seed: int
    continues: bool = False


class SharedNetworks:
    """What all crops train together: synthesis network, kernels, context networks, refinement."""

    def __init__(self, plan: TrainingPlan) -> None:
        """Start from small random networks, or from the shipped ones."""
        self.parts = _shipped() if plan.continues else _random(plan.seed)
        self._values = self.parts.flat()
        self._optimizer = Soap(self._values)
        layers, refinement = len(self.parts.layers), len(self.parts.refinement)
        rates = [NETWORK_RATE] * (layers - 1)
        shares = SETTINGS.matrices
        rates += [NETWORK_RATE * shares.last_layer_share, NETWORK_RATE * shares.kernel_share]
        rates += [CONTEXT_RATE] * (len(self._values) - len(rates) - refinement)
        self._rates = rates + [REFINEMENT_RATE] * refinement

    def step(self, gradient: Parts, scale: float, rate: float) -> None:
        """Move against one crop's gradient, which is multiplied by ``scale``."""
        gradients = [part * scale for part in gradient.flat()]
        self._optimizer.update(gradients, [own * rate for own in self._rates])

    def prior(self) -> list[Tensor]:
        """What files name by number: context networks and refinement."""
        context = [layer for network in self.parts.networks for layer in network]
        return [*context, *self.parts.refinement]

    def network(self) -> list[Tensor]:
        """What fits start from besides."""
        return [*self.parts.layers, self.parts.kernels]


def _shipped() -> Parts:
    """The networks that the package has."""
    *layers, kernels = (matrix.clone() for matrix in trained_matrices())
    context = [torch.tensor(m * 2.0**-WEIGHT_BITS).float() for m in prior_context(PRIOR)]
    refinement = [torch.tensor(matrix).float() for matrix in prior_refinement(PRIOR)]
    return Parts(layers, kernels, _by_phase(context), refinement)


def _random(seed: int) -> Parts:
    """Small random networks: first predictions near zero, and no corrections."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(shape: tuple[int, int], bound: float) -> Tensor:
        return (torch.rand(shape, generator=generator) * 2 - 1) * bound

    black = torch.zeros(TRAINED_ARCHITECTURE.channels)
    layers, kernels = random_network(TRAINED_ARCHITECTURE, black, generator, SETTINGS.start)
    context = []
    outputs = context_shapes(PRIOR)[-1][0]
    for rows, columns in context_shapes(PRIOR):
        share = 0.1 if rows == outputs else 1.0
        context.append(uniform((rows, columns), share / math.sqrt(columns)))
    first, second = refinement_shapes(PRIOR)
    refinement = [uniform(first, math.sqrt(3 / (first[1] - 1))), torch.zeros(second)]
    return Parts(list(layers), kernels, _by_phase(context), refinement)


def _by_phase(context: list[Tensor]) -> list[list[Tensor]]:
    """All layers of a context model -> those of each phase's network."""
    depth = len(PRIORS[PRIOR].hidden_widths) + 1
    return [context[start : start + depth] for start in range(0, len(context), depth)]


class _Crop:
    """A pyramid whose networks are the shared ones, around its own mean and lambda."""

    def __init__(self, samples: Samples, plan: PyramidPlan, shared: SharedNetworks) -> None:
        self.state = PyramidState(
            samples, TRAINED_ARCHITECTURE, plan, torch.device("cpu"), Workers()
        )
        self._shared, self._gain = shared, feature_gain(plan.lambda_)
        self._mean = torch.from_numpy(samples.mean((0, 1)) / np.iinfo(samples.dtype).max).float()
        self._last_loss = plan.lambda_

    def update(self, pace: Pace) -> float:
        """One update of latents and shared networks; returns the logarithm of the loss."""
        state = self.state
        own = state.matrices.parts
        for matrix, common in zip(own.flat(), self._shared.parts.flat(), strict=True):
            matrix.copy_(common)
        own.layers[0][:, INPUTS:-1] *= self._gain
        own.layers[-1][:, -1] += self._mean
        latents = state.soften(pace.temperature, pace.amplitude)
        loss = state.loss(latents, pace.bit_weight)
        self._move_shared(loss.matrices, pace.network_rate)
        state.move_latents(loss, latents, pace.latent_rate)
        self._last_loss = loss.squared_error + state.lambda_ * loss.bits / state.num_pixels
        return math.log(self._last_loss)

    def _move_shared(self, gradient: Parts, rate: float) -> None:
        """Move the shared networks, the logarithm of the loss being what is to fall."""
        gradient.layers[0][:, INPUTS:-1] *= self._gain
        copies = self.state.view.copies(self._shared.parts)
        self._shared.step(gradient, 1 / self._last_loss, rate)
        self.state.view.restore(self._shared.parts, copies)


def train(
    photographs: Sequence[Path], plan: TrainingPlan
) -> Iterator[tuple[int, float, SharedNetworks]]:
    """Photographs -> the networks to ship, better and better.

    Args:
        photographs: image files to choose from.
        plan: what to do.

    Yields:
        After each round over all crops, the rounds still to go, the mean logarithm of the loss, and
        the networks, which the next round changes.
    """
    chance = random.Random(plan.seed)  # nothing secret
    shared = SharedNetworks(plan)
    chosen = _colour_photographs(photographs, plan, chance)
    low, high = (math.log(lambda_) for lambda_ in plan.lambdas)
    shares = [(index + 0.5) / plan.crops for index in range(plan.crops)]
    chance.shuffle(shares)
    crops = []
    depth = len(PRIORS[PRIOR].hidden_widths) + 1
    # All layers of the context networks are trained; rates are those above, not the network's own.
    settings = replace(
        SETTINGS,
        matrices=replace(SETTINGS.matrices, adapted_layers=depth),
        schedule=replace(SETTINGS.schedule, network_rate=1.0),
    )
    schedule = Schedule(settings.schedule)
    for path, share in zip(chosen, shares, strict=True):
        lambda_ = math.exp(low + (high - low) * share)
        fit_plan = PyramidPlan(plan.stages, lambda_, plan.seed, settings=settings)
        crops.append(_Crop(_cut(path, plan.crop_side, chance), fit_plan, shared))
    left = sum(steps for _, steps in plan.stages)
    work = [steps * 4.0**-octaves for octaves, steps in plan.stages]
    for number, (octaves, steps) in enumerate(plan.stages):
        for crop in crops:
            crop.state.start_stage(octaves)
        for step in range(steps):
            progress = (sum(work[:number]) + step / steps * work[number]) / sum(work)
            pace = schedule.pace(progress, step, (octaves, steps))
            losses = [crop.update(pace) for crop in crops]
            left -= 1
            yield left, sum(losses) / len(losses), shared


def _colour_photographs(
    photographs: Sequence[Path], plan: TrainingPlan, chance: random.Random
) -> list[Path]:
    """Some of the photographs, in random order: only those in colour and large enough."""
    chosen: list[Path] = []
    for path in chance.sample(list(photographs), len(photographs)):
        height, width, channels = read_image(path).samples.shape
        if channels == TRAINED_ARCHITECTURE.channels and min(height, width) >= plan.crop_side:
            chosen.append(path)
        if len(chosen) == plan.crops:
            return chosen
    raise ValueError(f"only {len(chosen)} photographs in colour of {plan.crop_side} pixels or more")


def _cut(path: Path, side: int, chance: random.Random) -> Samples:
    """Photograph -> a square of it, at a random place."""
    samples = read_image(path).samples
    top, left = (chance.randrange(max(1, length - side + 1)) for length in samples.shape[:2])
    return samples[top : top + side, left : left + side].copy()


def to_bytes(matrices: Sequence[Tensor]) -> bytes:
    """Matrices -> a file as the package ships them."""
    indices = [nearest_step_index(STEP)] * len(matrices)
    weights = quantize([matrix.double().numpy() for matrix in matrices], indices)
    encoder = SymbolEncoder()
    return encode_matrices(weights, encoder) + encoder.words()
