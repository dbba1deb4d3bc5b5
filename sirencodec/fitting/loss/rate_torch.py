"""Latents -> bits that the context model needs for them, and the gradient of those, in PyTorch.

While a pyramid is fitted its latents are not whole numbers yet, and their bits must have a
gradient. Here floating point computes what ``entropy.latents`` computes in integers: the same
sources, the same networks, the same Laplace distribution. What both round differently (centres to
eighths, scales to a sixth of an octave) costs about a thousandth of the rate.

A phase's network sees a column of inputs a sample: the 3 x 3 neighbours in each of its sources,
then one input a grid, 1 for the sample's own. With layers [W_l | b_l] and rectified hidden units,

    h_1 = max(0, W_1 inputs)      h_l = max(0, W_l h_(l-1) + b_l)      (centre, log-scale) = last

The gradient is written out. Samples are handled in groups of some ten thousand, so that the handful
of buffers stays in the cache.
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
from sirencodec.fitting.loss.context_sources import (
    INPUT_SCALE,
    ContextSources,
    num_source_inputs,
)
from sirencodec.fitting.loss.costs import ContextNetwork, Rate
from sirencodec.fitting.loss.cuda_graph import Recording
from sirencodec.fitting.loss.laplace_bits import laplace_bits
from sirencodec.fitting.loss.strips import Strip, group_strips, split_group

GROUP_SAMPLES = 1 << 15
GPU_GROUP_SAMPLES = 1 << 20  # a GPU's cores want more, and fewer operations


@dataclass(frozen=True, slots=True, eq=False)
class _Predicted:
    """Samples, a column each, and what a network makes of what they are predicted from.

    Attributes:
        inputs: of the network; those of grids stand for biases.
        samples: (n,).
        activations: of its hidden layers.
        output: (2, n) centres and log-scales.
    """

    inputs: Tensor
    samples: Tensor
    activations: list[Tensor]
    output: Tensor


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


class TorchRate:
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
        weight: float,
        trained_layers: int = 1,
    ) -> Rate:
        """Bits and gradient. See ``RateTerm``."""
        if trained_layers not in self._recordings:
            self._recordings[trained_layers] = Recording(partial(self._rate, trained_layers))
        weights = [self._like.new_full((), weight)]
        recording = self._recordings[trained_layers]
        (bits,), of_grids, *trained = recording(weights, grids, *context_networks)
        return Rate(bits.tolist(), of_grids, trained)

    def _rate(
        self,
        trained_layers: int,
        weights: Sequence[Tensor],
        grids: Sequence[Tensor],
        *context_networks: ContextNetwork,
    ) -> list[list[Tensor]]:
        """What ``Rate`` has, of the one weight. Its bits are the only tensor of the first list."""
        stacks = self._filled(grids)
        gradients = [torch.zeros_like(stack) for stack in stacks]
        bits = self._like.new_zeros(len(grids))
        trained = []
        for phase, network in enumerate(context_networks):
            own = [torch.zeros_like(m) for m in network[len(network) - trained_layers :]]
            sums = _Sums(bits, gradients, own)
            for group, present in zip(self._groups, self._present[phase], strict=True):
                predicted = self._predict(group, phase, stacks, network)
                self._add_group(group, predicted, present, network, weights[0], sums)
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

    def bits(self, grids: Sequence[Tensor], context_networks: Sequence[ContextNetwork]) -> float:
        """R. See ``RateTerm``."""
        lengths = self.code_lengths(grids, context_networks)
        return sum(float(of_grid.sum(dtype=torch.float64)) for of_grid in lengths)

    def _filled(self, grids: Sequence[Tensor]) -> list[Tensor]:
        """Grids -> stacks of their sources."""
        stacks = self._sources.new_stacks()
        for index, stack in enumerate(stacks):
            self._sources.fill(stack, grids, index)
        return stacks

    def _add_group(
        self,
        group: Sequence[Strip],
        predicted: _Predicted,
        present: Tensor | None,
        network: ContextNetwork,
        weight: Tensor,
        sums: _Sums,
    ) -> None:
        """Add the bits and gradients of one phase's samples in a group of strips to the sums."""
        output_gradient = self._buffers("output gradient", 2, len(predicted.samples))
        bits = laplace_bits(predicted.samples, predicted.output, present, weight, output_gradient)
        for strip, own_bits in split_group(group, bits):
            sums.bits[strip.grid] += own_bits.sum()
        sources = num_source_inputs(network) // NEIGHBOURS
        inputs_gradient = self._backward(network, predicted, output_gradient, sums.trained)
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
    ) -> _Predicted:
        """The samples of one phase in a group of strips, and what the network says of them."""
        count = sum(strip.points for strip in group)
        inputs, samples = self._gather(group, COARSER_SOURCES + phase, stacks, count)
        activations: list[Tensor] = []
        for index, layer in enumerate(network[:-1]):
            active = self._buffers(f"active {index}", len(layer), count)
            if index:
                torch.addmm(layer[:, -1:], layer[:, :-1], activations[-1], out=active)
            else:
                torch.mm(layer, inputs, out=active)
            activations.append(active.clamp_(min=0))
        output = self._buffers("output", 2, count)
        torch.addmm(network[-1][:, -1:], network[-1][:, :-1], activations[-1], out=output)
        return _Predicted(inputs, samples, activations, output)

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

    def _backward(
        self,
        network: ContextNetwork,
        predicted: _Predicted,
        gradient: Tensor,
        trained: ContextNetwork,
    ) -> Tensor:
        """Gradient with respect to the output -> with respect to inputs from sources.

        Adds that with respect to the last layers to ``trained``, and overwrites the inputs.
        """
        inputs, activations = predicted.inputs, predicted.activations
        first_trained = len(network) - len(trained)
        for index in range(len(network) - 1, 0, -1):
            below = activations[index - 1]
            if index >= first_trained:
                of_layer = trained[index - first_trained]
                of_layer[:, :-1].addmm_(gradient, below.t())
                of_layer[:, -1] += gradient.sum(1)
            buffer = self._buffers(f"gradient {index}", *below.shape)
            # The activations' own signs: a comparison would be turned from booleans into numbers,
            # which takes as long as all the products together.
            torch.mm(network[index][:, :-1].t(), gradient, out=buffer)
            gradient = buffer.mul_(below.sign_())
        if not first_trained:
            trained[0].addmm_(gradient, inputs.t())
        count = num_source_inputs(network)
        weights = network[0][:, :count] * INPUT_SCALE
        return torch.mm(weights.t(), gradient, out=inputs[:count])
