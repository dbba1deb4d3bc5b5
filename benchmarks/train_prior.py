"""Photographs -> the networks that the package ships.

Crops of the photographs are fitted side by side, each with a pyramid and a trade-off of its own,
all with the same context networks and the same synthesis network. So those learn what latents and
colours have in common, and a new image starts from there. The results are written as
``sirencodec/priors`` holds them, quantised.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sirencodec.architecture import INPUTS
from sirencodec.entropy.coder import SymbolEncoder
from sirencodec.entropy.context import WEIGHT_BITS
from sirencodec.entropy.matrices import encode_matrices
from sirencodec.entropy.prior import prior_context, prior_shapes
from sirencodec.image import read_image
from sirencodec.prior_file import HIDDEN_WIDTHS
from sirencodec.pyramid_planning import PRIOR
from sirencodec.pyramid_state import KERNEL_SHARE, LAST_LAYER_SHARE, PyramidPlan, PyramidState
from sirencodec.quantize import nearest_step_index, quantize
from sirencodec.query import Samples
from sirencodec.soap import Soap
from sirencodec.starting_network import (
    TRAINED_ARCHITECTURE,
    feature_gain,
    random_network,
    trained_matrices,
)
from sirencodec.tile_gradient import Distortion

# Learning rates of what all crops share, which moves at every step of each.
NETWORK_RATE = 0.006
CONTEXT_RATE = 0.003
STEP = 2.0**-10  # of the shipped weights; a tenth of what a file's own differences are worth


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What to train on and for how long.

    Attributes:
        crops: how many, one a photograph.
        crop_side: pixels.
        trade_offs: smallest and largest; crops get them in equal ratios, shuffled.
        stages: as in ``PyramidPlan``.
        seed: of the choice of crops and of all fits.
        continues: start from the shipped networks rather than random ones.
    """

    crops: int
    crop_side: int
    trade_offs: tuple[float, float]
    stages: tuple[tuple[int, int], ...]
    seed: int
    continues: bool = False


class SharedNetworks:
    """What all crops train together: context networks, synthesis network and kernels."""

    def __init__(self, plan: TrainingPlan) -> None:
        """Start from small random networks, or from the shipped ones."""
        generator = torch.Generator().manual_seed(plan.seed)
        if plan.continues:
            *self.layers, self.kernels = (matrix.clone() for matrix in trained_matrices())
            self.context = [
                torch.from_numpy(matrix * 2.0**-WEIGHT_BITS).float()
                for matrix in prior_context(PRIOR)
            ]
        else:
            black = torch.zeros(TRAINED_ARCHITECTURE.channels)
            layers, self.kernels = random_network(TRAINED_ARCHITECTURE, black, generator)
            self.layers = list(layers)
            self.context = _random_context(generator)
        self._network = [*self.layers, self.kernels]
        self._network_optimizer = Soap(self._network)
        self._network_rates = [NETWORK_RATE] * (len(self.layers) - 1)
        self._network_rates += [NETWORK_RATE * LAST_LAYER_SHARE, NETWORK_RATE * KERNEL_SHARE]
        self._context_optimizer = Soap(self.context)

    def step(
        self, network: Sequence[Tensor], context: Sequence[Tensor], scale: float, rate: float
    ) -> None:
        """Move against one crop's gradients, which are multiplied by ``scale``."""
        rates = [own * rate for own in self._network_rates]
        self._network_optimizer.step([slope * scale for slope in network], rates)
        rates = [CONTEXT_RATE * rate] * len(context)
        self._context_optimizer.step([slope * scale for slope in context], rates)


def _random_context(generator: torch.Generator) -> list[Tensor]:
    """Small random context networks, whose first predictions are near zero."""
    depth = len(HIDDEN_WIDTHS[PRIOR]) + 1
    matrices = []
    for index, (rows, columns) in enumerate(prior_shapes(PRIOR)):
        share = 0.1 if index % depth == depth - 1 else 1.0
        bound = share / math.sqrt(columns)
        matrices.append((torch.rand(rows, columns, generator=generator) * 2 - 1) * bound)
    return matrices


class _Crop(PyramidState):
    """A pyramid whose networks are the shared ones, around its own mean and trade-off."""

    def __init__(self, samples: Samples, plan: PyramidPlan, shared: SharedNetworks) -> None:
        super().__init__(samples, TRAINED_ARCHITECTURE, plan, torch.device("cpu"), None)
        self._trained[len(self._layers) + 1 :] = shared.context
        self._shared, self._gain = shared, feature_gain(plan.trade_off)
        self._mean = torch.from_numpy(samples.mean((0, 1)) / np.iinfo(samples.dtype).max).float()
        self._loss = plan.trade_off

    def round(self, progress: float, step: int) -> float:
        """One step with the shared networks; returns the logarithm of the loss."""
        for own, common in zip(self._layers, self._shared.layers, strict=True):
            own.copy_(common)
        self._layers[0][:, INPUTS:-1] *= self._gain
        self._layers[-1][:, -1] += self._mean
        self._kernels.copy_(self._shared.kernels)
        self.soft_step(progress, step)
        bpp = self._recent_bits / self._num_pixels
        self._loss = 10 ** (-self._recent_psnr_db / 10) + self.trade_off * bpp
        return math.log(self._loss)

    def _move(self, distortion: Distortion, context: Sequence[Tensor], rate: float) -> None:
        """Move the shared networks, the logarithm of the loss being what is to fall."""
        shared = self._shared
        first, kernels = self._whole(distortion)
        first[:, INPUTS:-1] *= self._gain
        layer, kernel = shared.layers[0].clone(), shared.kernels.clone()
        network = [first, *distortion.layers[1:], kernels]
        shared.step(network, context, 1 / self._loss, rate)
        self._keep_hidden(shared.layers[0], layer, shared.kernels, kernel)


def train(
    photographs: Sequence[Path], plan: TrainingPlan, on_step: Callable[[int, float], None]
) -> SharedNetworks:
    """Photographs -> context networks and synthesis network.

    Args:
        photographs: image files to choose from.
        plan: what to do.
        on_step: called after each round over all crops with the steps still to go and the mean
            logarithm of the loss.
    """
    chance = random.Random(plan.seed)  # nothing secret
    shared = SharedNetworks(plan)
    chosen = _colour_photographs(photographs, plan, chance)
    low, high = (math.log(trade_off) for trade_off in plan.trade_offs)
    shares = [(index + 0.5) / plan.crops for index in range(plan.crops)]
    chance.shuffle(shares)
    crops = []
    depth = len(HIDDEN_WIDTHS[PRIOR]) + 1
    for path, share in zip(chosen, shares, strict=True):
        trade_off = math.exp(low + (high - low) * share)
        fit_plan = PyramidPlan(plan.stages, trade_off, plan.seed, adapted_layers=depth)
        crops.append(_Crop(_cut(path, plan.crop_side, chance), fit_plan, shared))
    left = sum(steps for _, steps in plan.stages)
    work = [steps * 4.0**-octaves for octaves, steps in plan.stages]
    for number, (octaves, steps) in enumerate(plan.stages):
        for crop in crops:
            crop.start_stage(octaves)
        for step in range(steps):
            progress = (sum(work[:number]) + step / steps * work[number]) / sum(work)
            losses = [crop.round(progress, step) for crop in crops]
            left -= 1
            on_step(left, sum(losses) / len(losses))
        for crop in crops:
            crop.finish_stage()
    return shared


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
    return encode_matrices(weights, encoder) + encoder.stream()
