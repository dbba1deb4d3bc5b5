"""All matrices of a pyramid that a fit moves, and what a file will hold of them.

They are in the order of the file: the network's layers; the upsampling kernels; the last layers of
the context networks; the refinement. The last two are shipped, and coded as differences from that.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from sirencodec.bitstream.architecture import Architecture
from sirencodec.bitstream.quantize import QuantizedWeights, quantize
from sirencodec.entropy.context_model import PHASES, WEIGHT_BITS
from sirencodec.entropy.payload import LARGEST_KERNEL_WEIGHT
from sirencodec.entropy.prior import LARGEST_REFINEMENT_WEIGHT, prior_context, prior_refinement
from sirencodec.fitting.pyramid.matrix_steps import cheapest_steps
from sirencodec.fitting.pyramid.settings import PyramidSettings
from sirencodec.fitting.rounding import difference, round_matrix
from sirencodec.synthesis.network import Layers

T = TypeVar("T")


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
        self._settings, self._make_optimizer = settings.matrices, settings.optimizer
        layers, kernels = settings.starting_network(
            architecture, mean, lambda_, generator, settings.start
        )
        context = [
            torch.from_numpy(matrix * 2.0**-WEIGHT_BITS).float().to(device)
            for matrix in prior_context(architecture.prior)
        ]
        depth, self._num_adapted = len(context) // len(PHASES), self._settings.adapted_layers
        networks = [context[start : start + depth] for start in range(0, len(context), depth)]
        self._fixed = [network[: depth - self._num_adapted] for network in networks]
        adapted = [layer for network in networks for layer in network[depth - self._num_adapted :]]
        refinement = [
            torch.tensor(matrix, dtype=torch.float32, device=device)
            for matrix in prior_refinement(architecture.prior)
        ]
        own = [layer.to(device) for layer in layers] + [kernels.to(device)]
        shipped = [*adapted, *refinement]
        self.values = own + [matrix.clone() for matrix in shipped]
        self._context = range(len(own), len(own) + len(adapted))
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
        (*layers, kernels), networks, refinement = self._split(values, self._fixed)
        return Parts(layers, kernels, networks, refinement)

    def _split(
        self, trained: Sequence[T], fixed: Sequence[Sequence[T]]
    ) -> tuple[Sequence[T], list[list[T]], Sequence[T]]:
        """Something of each matrix -> that of own ones, context networks and the refinement.

        Args:
            trained: of those that are trained, in the order of the file.
            fixed: of the others, the first layers of each context network.
        """
        starts = self._context[:: self._num_adapted]
        networks = [
            [*first, *trained[start : start + self._num_adapted]]
            for first, start in zip(fixed, starts, strict=True)
        ]
        return trained[: self._context.start], networks, trained[self._context.stop :]

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
        parts = self.parts
        parts.kernels.clamp_(-limit, limit)
        limit = LARGEST_REFINEMENT_WEIGHT / 2
        for matrix in parts.refinement:
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

        def loss(number: int, values: Sequence[Tensor]) -> float:
            """The term of the loss that the matrix changes: the latents' bits, or the error."""
            parts = self._parts(values)
            return bit_error * latent_bits(parts) if number in self._context else error(parts)

        return cheapest_steps(self.values, self._bases, last, loss, bit_error, self._settings)

    def quantized(self, step_indices: Sequence[int]) -> QuantizedWeights:
        """All matrices as integers, by the step of each; zeros for those not trained."""
        differences = [
            difference(matrix, base) for matrix, base in zip(self.values, self._bases, strict=True)
        ]
        trained = quantize(differences, step_indices)
        zeros = [[np.zeros(layer.shape, np.int32) for layer in first] for first in self._fixed]
        levels = self._in_order(trained.levels, zeros)
        steps = self._in_order(trained.step_indices, [[0] * len(first) for first in self._fixed])
        return QuantizedWeights(levels, steps)

    def _in_order(self, trained: Sequence[T], fixed: Sequence[Sequence[T]]) -> tuple[T, ...]:
        """Something of each matrix, as for ``_split`` -> the same in the order of the file."""
        own, networks, refinement = self._split(trained, fixed)
        return (*own, *chain.from_iterable(networks), *refinement)


def _bits_gradient(difference: Tensor, scale: float) -> Tensor:
    """Difference d from what is shipped -> derivative of log2(1 + (d / scale)^2) / 2."""
    return difference / (difference.square() + scale**2) / math.log(2)
