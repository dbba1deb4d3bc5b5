"""All matrices of a pyramid that a fit moves, and what a file will hold of them.

They are in the order of the file: the network's layers; the upsampling kernels; the last layers of
the context networks; the refinement. The last two are shipped, and coded as differences from that.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sirencodec.bitstream.architecture import Architecture
from sirencodec.bitstream.quantize import QuantizedWeights, quantize
from sirencodec.entropy.context_model import PHASES, WEIGHT_BITS
from sirencodec.entropy.payload import LARGEST_KERNEL_WEIGHT, matrix_shapes
from sirencodec.entropy.prior import LARGEST_REFINEMENT_WEIGHT, prior_context, prior_refinement
from sirencodec.fitting.pyramid.matrix_steps import cheapest_steps
from sirencodec.fitting.pyramid.settings import PyramidSettings
from sirencodec.fitting.rounding import difference, round_matrix
from sirencodec.synthesis.network import Layers


@dataclass(frozen=True, slots=True)
class Parts:
    """All matrices, or the gradient with respect to them, by what they are for.

    Attributes:
        layers: of the network, augmented by a column of biases.
        kernels: (octaves, 4), finest first.
        networks: layers of each phase's context network, in units of 1; of a gradient, only those
            that are trained.
        refinement: its two matrices.
    """

    layers: Layers
    kernels: Tensor
    networks: list[list[Tensor]]
    refinement: Sequence[Tensor]

    def flat(self) -> list[Tensor]:
        """All of them in the order of the file."""
        context = [layer for network in self.networks for layer in network]
        return [*self.layers, self.kernels, *context, *self.refinement]


class TrainedMatrices:
    """The matrices of one pyramid while it is fitted, float32.

    Attributes:
        values: those that are trained, in the order of the file; moved in place.
    """

    def __init__(
        self,
        architecture: Architecture,
        mean: Tensor,
        lambda_: float,
        settings: PyramidSettings,
        generator: torch.Generator,
        device: torch.device,
    ) -> None:
        """Start from the shipped matrices.

        Args:
            architecture: with grids.
            mean: (channels,) colour to start around.
            lambda_: error that a bit a pixel is worth.
            settings: of matrices, their start and their optimiser.
            generator: source of randomness, on the CPU.
            device: where to keep them.
        """
        self._architecture, self._settings = architecture, settings.matrices
        self._make_optimizer = settings.optimizer
        self._adapted_layers = adapted_layers = settings.matrices.adapted_layers
        layers, kernels = settings.starting_network(
            architecture, mean, lambda_, generator, settings.start
        )
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
        shares = self._settings
        self._rate_shares = [1.0] * (len(layers) - 1)
        self._rate_shares += [shares.last_layer_share, shares.kernel_share]
        self._rate_shares += [shares.context_share] * len(adapted)
        self._rate_shares += [shares.refinement_share] * len(refinement)
        self.forget_gradients()

    def forget_gradients(self) -> None:
        """Begin the optimiser anew: gradients of another stage are of another picture."""
        self._optimizer = self._make_optimizer(self.values)

    @property
    def parts(self) -> Parts:
        """All matrices as they are; those that are trained share their memory."""
        return self._parts(self.values)

    def round(self, step_indices: Sequence[int]) -> None:
        """Round each to its step, as a decoder will rebuild it."""
        triples = zip(self.values, step_indices, self._bases, strict=True)
        for matrix, index, base in triples:
            matrix.copy_(round_matrix(matrix, index, base))

    def _parts(self, values: Sequence[Tensor]) -> Parts:
        """Trained matrices in order -> all matrices by what they are for."""
        context_start = self._num_layers + 1
        context_end = context_start + self._num_adapted
        starts = range(context_start, context_end, self._adapted_layers)
        networks = [
            [*fixed, *values[start : start + self._adapted_layers]]
            for fixed, start in zip(self._fixed, starts, strict=True)
        ]
        layers, kernels = list(values[: self._num_layers]), values[self._num_layers]
        return Parts(layers, kernels, networks, values[context_end:])

    def move(self, gradient: Parts, rate: float, bit_error: float) -> None:
        """One update, against the gradient and that of the bits of shipped matrices.

        A weight at a distance d from the shipped one counts for log2(1 + (d / scale)^2) / 2 bits.
        A whole matrix that stays is thus cheap, and at low rates most can.

        Args:
            gradient: of the loss, the matrices' own bits not counted.
            rate: learning rate of the network; those of the others are shares of it.
            bit_error: error that a bit of shipped matrices is worth.
        """
        scale = self._settings.distance_scale
        gradients = [
            own if base is None else own + bit_error * _bits_gradient(matrix - base, scale)
            for own, matrix, base in zip(gradient.flat(), self.values, self._bases, strict=True)
        ]
        self._optimizer.update(gradients, [share * rate for share in self._rate_shares])
        limit = LARGEST_KERNEL_WEIGHT / 2
        self.values[self._num_layers].clamp_(-limit, limit)
        limit = LARGEST_REFINEMENT_WEIGHT / 2
        for matrix in self.parts.refinement:
            matrix.clamp_(-limit, limit)

    def cheapest_steps(
        self,
        error: Callable[[Parts], float],
        latent_bits: Callable[[Parts], float],
        bit_error: float,
        last: Sequence[int],
    ) -> tuple[int, ...]:
        """Index of the step of each matrix at which it costs least, found in turn.

        Args:
            error: all matrices -> error of the picture.
            latent_bits: all matrices -> bits of the latents.
            bit_error: error that a bit is worth.
            last: indices found before, where to look first; empty if none were.
        """
        context = range(self._num_layers + 1, self._num_layers + 1 + self._num_adapted)

        def loss(number: int, values: Sequence[Tensor]) -> float:
            """The term of the loss that the matrix changes: the latents' bits, or the error."""
            parts = self._parts(values)
            return bit_error * latent_bits(parts) if number in context else error(parts)

        return cheapest_steps(self.values, self._bases, last, loss, bit_error, self._settings)

    def quantized(self, step_indices: Sequence[int]) -> QuantizedWeights:
        """All matrices as integers, by the step of each; zeros for those not trained."""
        differences = [
            difference(matrix, base) for matrix, base in zip(self.values, self._bases, strict=True)
        ]
        trained = quantize(differences, step_indices)
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


def _bits_gradient(difference: Tensor, scale: float) -> Tensor:
    """Difference d from what is shipped -> derivative of log2(1 + (d / scale)^2) / 2."""
    return difference / (difference.square() + scale**2) / math.log(2)
