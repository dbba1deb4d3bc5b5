"""Photographs -> the context networks that the package ships.

Crops of the photographs are fitted side by side, each with a pyramid and a synthesis network of its
own and a trade-off of its own, all with the same context networks, which therefore learn what
latents have in common. The result is written as ``sirencodec/priors`` holds it, quantised.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from sirencodec.entropy.coder import SymbolEncoder
from sirencodec.entropy.matrices import encode_matrices
from sirencodec.entropy.prior import prior_shapes
from sirencodec.image import read_image
from sirencodec.prior_file import HIDDEN_WIDTHS
from sirencodec.pyramid_planning import PRIOR, plan_pyramid_architecture
from sirencodec.pyramid_state import CONTEXT_SHARE, NETWORK_RATE, PyramidPlan, PyramidState
from sirencodec.quantize import nearest_step_index, quantize
from sirencodec.query import Samples
from sirencodec.soap import Soap
from sirencodec.tile_gradient import Distortion

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
    """

    crops: int
    crop_side: int
    trade_offs: tuple[float, float]
    stages: tuple[tuple[int, int], ...]
    seed: int


class SharedContext:
    """The context networks that all crops train together."""

    def __init__(self, generator: torch.Generator) -> None:
        """Start from small random networks."""
        self.matrices = []
        depth = len(HIDDEN_WIDTHS[PRIOR]) + 1
        for index, (rows, columns) in enumerate(prior_shapes(PRIOR)):
            share = 0.1 if index % depth == depth - 1 else 1.0
            bound = share / math.sqrt(columns)
            matrix = (torch.rand(rows, columns, generator=generator) * 2 - 1) * bound
            self.matrices.append(matrix)
        self._optimizer = Soap(self.matrices)

    def step(self, gradients: Sequence[Tensor], rate: float) -> None:
        """Move against one crop's gradient."""
        rates = [NETWORK_RATE * CONTEXT_SHARE * rate] * len(gradients)
        self._optimizer.step(gradients, rates)


class _Crop(PyramidState):
    """A pyramid whose context networks are the shared ones."""

    def __init__(self, samples: Samples, plan: PyramidPlan, shared: SharedContext) -> None:
        architecture = plan_pyramid_architecture(samples.shape[2])
        super().__init__(samples, architecture, plan, torch.device("cpu"), None)
        own = len(self._trained) - len(shared.matrices)
        self._trained[own:] = shared.matrices
        self._optimizer = Soap(self._trained[:own])
        self._shared = shared

    def _move(self, distortion: Distortion, context: Sequence[Tensor], rate: float) -> None:
        super()._move(distortion, context, rate)
        self._shared.step(context, rate)

    def cost(self) -> float:
        """Logarithm of the latest loss: comparable between trade-offs."""
        bpp = self._recent_bits / self._num_pixels
        error: float = 10 ** (-self._recent_psnr_db / 10)
        return math.log(error + self.trade_off * bpp)


def train(
    photographs: Sequence[Path], plan: TrainingPlan, on_step: Callable[[int, float], None]
) -> list[Tensor]:
    """Photographs -> context networks.

    Args:
        photographs: image files to choose from.
        plan: what to do.
        on_step: called after each round over all crops with the steps still to go and the mean
            logarithm of the loss.
    """
    chance = random.Random(plan.seed)  # nothing secret
    shared = SharedContext(torch.Generator().manual_seed(plan.seed))
    chosen = chance.sample(list(photographs), plan.crops)
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
            for crop in crops:
                crop.soft_step(progress, step)
            left -= 1
            on_step(left, sum(crop.cost() for crop in crops) / len(crops))
        for crop in crops:
            crop.finish_stage()
    return shared.matrices


def _cut(path: Path, side: int, chance: random.Random) -> Samples:
    """Photograph -> a square of it, at a random place."""
    samples = read_image(path).samples
    top, left = (chance.randrange(max(1, length - side + 1)) for length in samples.shape[:2])
    return samples[top : top + side, left : left + side].copy()


def to_bytes(matrices: Sequence[Tensor]) -> bytes:
    """Context networks -> the file that the package ships."""
    indices = [nearest_step_index(STEP)] * len(matrices)
    weights = quantize([matrix.double().numpy() for matrix in matrices], indices)
    encoder = SymbolEncoder()
    return encode_matrices(weights, encoder) + encoder.stream()
