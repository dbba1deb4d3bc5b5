"""Latents -> bits that the context model needs for them, and the gradient of those, in PyTorch.

While a pyramid is fitted its latents are not whole numbers yet, and their bits must have a
gradient. Here floating point computes what ``entropy.latents`` computes in integers: the same
sources, the same networks, the same Laplace distribution. What both round differently (centres to
eighths, scales to a sixth of an octave) costs about a thousandth of the rate.

Samples are handled in groups of some ten thousand, so that the handful of buffers stays in the
cache. What networks say of a group, and the way back, is in ``context_passes``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import fold

from sirencodec.bitstream.format import LARGEST_EXPONENT
from sirencodec.entropy.context_model import COARSER_SOURCES, NEIGHBOURS, PHASES
from sirencodec.fitting.loss.buffers import Buffers
from sirencodec.fitting.loss.context_passes import Predicted, backward, forward
from sirencodec.fitting.loss.context_sources import (
    INPUT_SCALE,
    ContextSources,
    num_source_inputs,
)
from sirencodec.fitting.loss.costs import ContextNetwork, Rate
from sirencodec.fitting.loss.cuda_graph import Recording
from sirencodec.fitting.loss.laplace_bits import laplace_bits
from sirencodec.fitting.loss.rate_whole import WholeRate
from sirencodec.fitting.loss.strips import Strip, group_strips, split_group

GROUP_SAMPLES = 1 << 15
GPU_GROUP_SAMPLES = 1 << 20  # a GPU's cores want more, and fewer operations


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """What groups add up to.

    Attributes:
        bits: (grids,).
        stacks: gradient with respect to each grid's sources.
        trained: gradient with respect to the trained layers of one phase.
    """

    bits: Tensor
    stacks: list[Tensor]
    trained: ContextNetwork


class TorchRate(WholeRate):
    """The bits of pyramids of given shape: a ``RateTerm``."""

    def __init__(
        self,
        exponents: Sequence[int],
        shapes: Sequence[tuple[int, int]],
        like: Tensor,
        group_samples: int | None = None,
    ) -> None:
        """Plan the work for grids of these exponents and shapes.

        Args:
            exponents: consecutive, rising; they choose the networks' biases.
            shapes: (rows, columns) of each grid.
            like: dtype and device to compute with.
            group_samples: that are taken together; None for what suits the device.
        """
        self._exponents, self._shapes, self._like = exponents, shapes, like
        self._sources = ContextSources(shapes, like)
        at_once = group_samples or (GPU_GROUP_SAMPLES if like.is_cuda else GROUP_SAMPLES)
        self._groups = group_strips(self._sources.lattices, at_once)
        self._present = [
            [self._presence(group, phase) for group in self._groups] for phase in range(len(PHASES))
        ]
        self._buffers = Buffers(like)
        self._recordings: dict[int, Recording] = {}  # by the number of trained layers

    def _presence(self, group: Sequence[Strip], phase: int) -> Tensor | None:
        """1 for samples that a phase has, 0 for lattice points beyond odd edges; None if all."""
        top, left = PHASES[phase]
        parts = []
        for strip in group:
            rows, columns = self._shapes[strip.grid]
            down = 2 * torch.arange(strip.top, strip.bottom) + top < rows
            across = 2 * torch.arange(strip.columns) + left < columns
            parts.append((down[:, None] & across).flatten())
        present = torch.cat(parts)
        return None if present.all() else present.to(self._like)

    def __call__(
        self,
        grids: Sequence[Tensor],
        context_networks: Sequence[ContextNetwork],
        bit_error: float,
        trained_layers: int = 1,
    ) -> Rate:
        """Bits and gradient. See ``RateTerm``."""
        if trained_layers not in self._recordings:
            self._recordings[trained_layers] = Recording(partial(self._rate, trained_layers))
        bit_errors = [self._like.new_full((), bit_error)]
        recording = self._recordings[trained_layers]
        (bits,), of_grids, *trained = recording(bit_errors, grids, *context_networks)
        return Rate(bits.tolist(), of_grids, trained)

    def _rate(
        self,
        trained_layers: int,
        bit_errors: Sequence[Tensor],
        grids: Sequence[Tensor],
        *context_networks: ContextNetwork,
    ) -> list[list[Tensor]]:
        """One bit_error, as a list, and latents -> what ``Rate`` has; its bits in a list of one."""
        stacks = self._filled(grids)
        gradients = [torch.zeros_like(stack) for stack in stacks]
        bits = self._like.new_zeros(len(grids))
        trained = []
        for phase, network in enumerate(context_networks):
            own = [torch.zeros_like(m) for m in network[len(network) - trained_layers :]]
            sums = _Sums(bits, gradients, own)
            for group, present in zip(self._groups, self._present[phase], strict=True):
                predicted = self._predict(group, phase, stacks, network)
                self._add_group(group, predicted, present, network, bit_errors[0], sums)
            trained.append(own)
        return [[bits], self._sources.gradient(gradients), *trained]

    def code_lengths(
        self, grids: Sequence[Tensor], context_networks: Sequence[ContextNetwork]
    ) -> list[Tensor]:
        """Bits of each latent. See ``RateTerm``."""
        stacks, lengths = self._filled(grids), self._sources.new_length_stacks()
        for phase, network in enumerate(context_networks):
            for group, present in zip(self._groups, self._present[phase], strict=True):
                predicted = self._predict(group, phase, stacks, network)
                bits = laplace_bits(predicted.samples, predicted.output, present)
                for strip, own_bits in split_group(group, bits):
                    rows = slice(strip.top, strip.bottom)
                    lengths[strip.grid][phase, rows] = strip.view(own_bits)
        return self._sources.code_lengths(lengths)

    def _filled(self, grids: Sequence[Tensor]) -> list[Tensor]:
        """Grids -> stacks of their sources."""
        stacks = self._sources.new_stacks()
        for index, stack in enumerate(stacks):
            self._sources.fill(stack, grids, index)
        return stacks

    def _add_group(
        self,
        group: Sequence[Strip],
        predicted: Predicted,
        present: Tensor | None,
        network: ContextNetwork,
        bit_error: Tensor,
        sums: _Sums,
    ) -> None:
        """Add the bits and gradients of one phase's samples in a group of strips to the sums."""
        output_gradient = self._buffers("output gradient", 2, len(predicted.samples))
        bits = laplace_bits(
            predicted.samples, predicted.output, present, bit_error, output_gradient
        )
        for strip, own_bits in split_group(group, bits):
            sums.bits[strip.grid] += own_bits.sum()
        sources = num_source_inputs(network) // NEIGHBOURS
        inputs_gradient = backward(network, predicted, output_gradient, sums.trained, self._buffers)
        start = 0
        for strip in group:
            part = slice(start, start + strip.points)
            shape = (strip.bottom - strip.top, strip.columns)
            gradient, around = sums.stacks[strip.grid], (shape[0] + 2, shape[1] + 2)
            folded = fold(inputs_gradient[:, part], around, 3)
            gradient[:sources, strip.top : strip.bottom + 2] += folded
            # Bits depend on the distance from the centre alone, so the gradient with respect to a
            # sample is the opposite of that with respect to its centre.
            own = gradient[sources, 1 + strip.top : 1 + strip.bottom, 1 : 1 + strip.columns]
            own.sub_(output_gradient[0, part].view(shape))
            start += strip.points

    def _predict(
        self,
        group: Sequence[Strip],
        phase: int,
        stacks: Sequence[Tensor],
        network: ContextNetwork,
    ) -> Predicted:
        """The samples of one phase in a group of strips, and what the network says of them."""
        count = sum(strip.points for strip in group)
        inputs, samples = self._gather(group, COARSER_SOURCES + phase, stacks, count)
        return forward(network, inputs, samples, self._buffers)

    def _gather(
        self, group: Sequence[Strip], num_sources: int, stacks: Sequence[Tensor], count: int
    ) -> tuple[Tensor, Tensor]:
        """Strips -> a column of inputs a sample, the last of them telling its grid; the samples."""
        neighbours = NEIGHBOURS * num_sources
        inputs = self._buffers("inputs", neighbours + LARGEST_EXPONENT + 1, count)
        inputs[neighbours:] = 0
        samples = self._buffers("samples", count)
        windows = inputs[:neighbours].view(num_sources, 3, 3, count)
        start = 0
        for strip in group:
            stack, part = stacks[strip.grid], slice(start, start + strip.points)
            shape = (strip.bottom - strip.top, strip.columns)
            plane, row, _ = stack.stride()
            window = stack.as_strided(
                (num_sources, 3, 3, *shape), (plane, row, 1, row, 1), strip.top * row
            )
            torch.mul(window, INPUT_SCALE, out=strip.view(windows[..., part]))
            inputs[neighbours + self._exponents[strip.grid], part] = 1
            own = stack[num_sources, 1 + strip.top : 1 + strip.bottom, 1 : 1 + strip.columns]
            samples[part].view(shape).copy_(own)
            start += strip.points
        return inputs, samples
