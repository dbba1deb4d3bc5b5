"""All matrices of a pyramid that a fit moves, their rounding, and their steps.

In the order of the file: the network's layers, the upsampling kernels, and then what has been
shipped and may become the image's own: the last layers of the context networks and the refinement.
Those are coded as differences from the shipped ones.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import torch
from torch import Tensor

from sirencodec.bitstream.architecture import PHASES, Architecture
from sirencodec.bitstream.format import LARGEST_LEVEL
from sirencodec.bitstream.quantize import STEP_SIZES, QuantizedWeights, nearest_step_index, quantize
from sirencodec.entropy.context_network import WEIGHT_BITS
from sirencodec.entropy.matrices import best_model
from sirencodec.entropy.payload import LARGEST_KERNEL_WEIGHT, matrix_shapes
from sirencodec.entropy.prior import LARGEST_REFINEMENT_WEIGHT, prior_context, prior_refinement
from sirencodec.fitting.soap import Soap
from sirencodec.fitting.start import starting_network
from sirencodec.synthesis.network import Layers

# Learning rates, relative to the network's own.
LAST_LAYER_SHARE = 0.3
KERNEL_SHARE = 0.2
CONTEXT_SHARE = 0.5
REFINEMENT_SHARE = 0.5

# Bits of shipped matrices are part of the loss, as if a weight at a distance d from where it began
# took log2(1 + (d / DISTANCE_SCALE)^2) / 2 of them: a whole matrix that stays is cheap, and at low
# rates most can (benchmarks/LOG.md, entry 24).
DISTANCE_SCALE = 2.0**-6

# Octaves of steps for a matrix, coarse to fine, 1/2 to 2^-12; where to look first, for a matrix
# coded as it is and for one coded as a difference; after how many dearer ones to look no further
# (benchmarks/LOG.md, entry 17).
STEP_OCTAVES = range(1, 13)
USUAL_OCTAVE = 9
USUAL_DIFFERENCE_OCTAVE = 6
PATIENCE = 2


@dataclass(frozen=True, slots=True)
class Parts:
    """The matrices, or their gradient, by what they are for.

    Attributes:
        layers: of the network.
        kernels: (octaves, 4).
        networks: layers of each phase's context network; of a gradient, only those trained.
        refinement: its two matrices.
    """

    layers: Layers
    kernels: Tensor
    networks: list[list[Tensor]]
    refinement: Sequence[Tensor]

    def flat(self) -> list[Tensor]:
        """One after the other."""
        context = [layer for network in self.networks for layer in network]
        return [*self.layers, self.kernels, *context, *self.refinement]


class TrainedMatrices:
    """The matrices of one pyramid while it is fitted."""

    def __init__(
        self,
        architecture: Architecture,
        mean: Tensor,
        lambda_: float,
        adapted_layers: int,
        generator: torch.Generator,
        device: torch.device,
    ) -> None:
        """Start from what is shipped.

        Args:
            architecture: with grids.
            mean: (channels,) colour to start around.
            lambda_: error that a bit a pixel is worth.
            adapted_layers: how many layers of the context networks, from the last, are moved.
            generator: source of randomness, on the CPU.
            device: where to keep them.
        """
        self._architecture, self._adapted_layers = architecture, adapted_layers
        layers, kernels = starting_network(architecture, mean, lambda_, generator)
        context = [
            torch.from_numpy(matrix * 2.0**-WEIGHT_BITS).float().to(device)
            for matrix in prior_context(architecture.prior)
        ]
        self._depth = len(context) // len(PHASES)
        starts = range(0, len(context), self._depth)
        first_adapted = self._depth - adapted_layers
        self._fixed = [context[start : start + first_adapted] for start in starts]
        adapted = [
            layer
            for start in starts
            for layer in context[start + first_adapted : start + self._depth]
        ]
        refinement = [
            torch.tensor(matrix, dtype=torch.float32, device=device)
            for matrix in prior_refinement(architecture.prior)
        ]
        own = [layer.to(device) for layer in layers] + [kernels.to(device)]
        shipped = [*adapted, *refinement]
        self.values = own + [matrix.clone() for matrix in shipped]
        self._num_layers, self._num_adapted = len(layers), len(adapted)
        # What a matrix is coded as a difference from; None if it is coded as it is.
        self._bases: list[Tensor | None] = [*(None for _ in own), *shipped]
        self._rate_shares = [1.0] * (len(layers) - 1) + [LAST_LAYER_SHARE, KERNEL_SHARE]
        self._rate_shares += [CONTEXT_SHARE] * len(adapted)
        self._rate_shares += [REFINEMENT_SHARE] * len(refinement)
        self.start_stage()
        self.step_indices: tuple[int, ...] = ()

    def start_stage(self) -> None:
        """Forget the gradients of the stage before (benchmarks/LOG.md, entry 17)."""
        self._optimizer = Soap(self.values)

    @property
    def parts(self) -> Parts:
        """The matrices as they are."""
        return self._parts(self.values)

    def round(self) -> None:
        """Make the matrices what a decoder will rebuild, by the steps that were chosen last."""
        triples = zip(self.values, self.step_indices, self._bases, strict=True)
        for matrix, index, base in triples:
            matrix.copy_(_round(matrix, index, base))

    def _parts(self, values: Sequence[Tensor]) -> Parts:
        """Matrices in order -> what they are for."""
        context_start = self._num_layers + 1
        context_end = context_start + self._num_adapted
        starts = range(context_start, context_end, self._adapted_layers)
        networks = [
            [*fixed, *values[start : start + self._adapted_layers]]
            for fixed, start in zip(self._fixed, starts, strict=True)
        ]
        layers, kernels = list(values[: self._num_layers]), values[self._num_layers]
        return Parts(layers, kernels, networks, values[context_end:])

    def move(self, gradient: Parts, rate: float, weight: float) -> None:
        """One update.

        Args:
            gradient: of the loss but for the matrices' own bits.
            rate: learning rate of the network; the others' are relative to it.
            weight: error that a bit of theirs counts for.
        """
        slopes = [
            slope if base is None else slope + weight * _bits_slope(matrix - base)
            for slope, matrix, base in zip(gradient.flat(), self.values, self._bases, strict=True)
        ]
        self._optimizer.step(slopes, [share * rate for share in self._rate_shares])
        limit = LARGEST_KERNEL_WEIGHT / 2
        self.values[self._num_layers].clamp_(-limit, limit)
        limit = LARGEST_REFINEMENT_WEIGHT / 2
        for matrix in self.parts.refinement:
            matrix.clamp_(-limit, limit)

    def choose_steps(
        self,
        error: Callable[[Parts], float],
        latent_bits: Callable[[Parts], float],
        weight: float,
    ) -> None:
        """Find the step of each matrix in turn at which it costs least.

        Args:
            error: mean squared error with such matrices.
            latent_bits: bits of the latents, likewise.
            weight: error that a bit is worth.
        """
        current, chosen = list(self.values), []
        context = range(self._num_layers + 1, self._num_layers + 1 + self._num_adapted)

        def bits_as_error(parts: Parts) -> float:
            return weight * latent_bits(parts)

        for number, (matrix, base) in enumerate(zip(self.values, self._bases, strict=True)):
            loss = bits_as_error if number in context else error
            cost = partial(self._cost, number, current, loss, weight)
            chosen.append(nearest_step_index(2.0 ** -_lowest(cost, self._first_octave(number))))
            current[number] = _round(matrix, chosen[-1], base)
        self.step_indices = tuple(chosen)

    def _first_octave(self, number: int) -> int:
        """Matrix -> octave of its last step, or the usual one."""
        if self.step_indices:
            return -round(math.log2(STEP_SIZES[self.step_indices[number]]))
        return USUAL_OCTAVE if self._bases[number] is None else USUAL_DIFFERENCE_OCTAVE

    def _cost(
        self,
        number: int,
        others: Sequence[Tensor],
        loss: Callable[[Parts], float],
        weight: float,
        octave: int,
    ) -> float:
        """Matrix ``number`` at a step, among others -> loss and what its bits are worth."""
        matrix, base = self.values[number], self._bases[number]
        index = nearest_step_index(2.0**-octave)
        trial = [*others[:number], _round(matrix, index, base), *others[number + 1 :]]
        levels = quantize([_difference(matrix, base)], [index]).levels[0]
        cost = loss(self._parts(trial)) + weight * best_model(levels)[1]
        return cost if math.isfinite(cost) else math.inf

    def quantized(self) -> QuantizedWeights:
        """All matrices of the file by the steps chosen last; nothing for the untrained ones."""
        differences = [
            _difference(matrix, base) for matrix, base in zip(self.values, self._bases, strict=True)
        ]
        trained = quantize(differences, self.step_indices)
        pairs = iter(zip(trained.levels, trained.step_indices, strict=True))
        levels, steps = [], []
        context_start = self._num_layers + 1
        context_end = context_start + self._depth * len(PHASES)
        for index, shape in enumerate(matrix_shapes(self._architecture)):
            layer = (index - context_start) % self._depth
            in_context = context_start <= index < context_end
            is_fixed = in_context and layer < self._depth - self._adapted_layers
            level, step = (np.zeros(shape, np.int32), 0) if is_fixed else next(pairs)
            levels.append(level)
            steps.append(step)
        return QuantizedWeights(tuple(levels), tuple(steps))


def _lowest(cost: Callable[[int], float], first: int) -> int:
    """Cost of each octave -> the lowest that a walk from ``first`` finds, or the coarsest.

    Costs have small bumps, so a walk ends after ``PATIENCE`` octaves that are dearer than the best
    so far. At the coarsest step nothing may be left of a difference from what is shipped, which is
    cheap though the next octaves are not.
    """
    cost = cache(cost)
    best = first
    for direction in (-1, 1):
        octave, dearer = best, 0
        while dearer < PATIENCE and (octave := octave + direction) in STEP_OCTAVES:
            if cost(octave) < cost(best):
                best, dearer = octave, 0
            else:
                dearer += 1
    return min(best, STEP_OCTAVES[0], key=cost)


def _difference(matrix: Tensor, base: Tensor | None) -> np.ndarray:
    """Matrix and what it is coded as a difference from -> what is coded."""
    return (matrix if base is None else matrix - base).double().cpu().numpy()


def _bits_slope(difference: Tensor) -> Tensor:
    """Difference from what costs nothing -> derivative of the bits that each weight takes."""
    return difference / (difference.square() + DISTANCE_SCALE**2) / math.log(2)


def _round(matrix: Tensor, index: int, base: Tensor | None) -> Tensor:
    """Matrix -> the nearest that levels of a step make, as a difference from ``base`` if given."""
    step = float(STEP_SIZES[index])
    difference = matrix if base is None else matrix - base
    rounded = torch.round(difference / step).clamp_(-LARGEST_LEVEL, LARGEST_LEVEL).mul_(step)
    return rounded if base is None else rounded.add_(base)
