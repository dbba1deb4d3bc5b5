"""Latents -> bits that the context model needs for them, and the gradient of that.

While a pyramid is fitted its latents are not whole numbers yet, and their bits must have a slope.
This module computes in float32 what ``entropy.context`` computes in integers: the same sources, the
same networks, the same Laplace distribution. What both round differently (centres to eighths,
scales to a sixth of an octave) costs about a thousandth of the rate.

The gradient is written out. Samples are handled some ten thousand at a time, a column each, so that
the handful of buffers stays in cache; all the small grids go together as one such group.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

import torch
from torch import Tensor
from torch.nn.functional import fold

from sirencodec.bitstream.architecture import LARGEST_EXPONENT, PHASES
from sirencodec.entropy.context_network import COARSER_SOURCES, NEIGHBOURS
from sirencodec.fitting.loss.buffers import Buffers
from sirencodec.fitting.loss.context_sources import ContextSources
from sirencodec.fitting.loss.cuda_graph import Recording

INPUT_SCALE = 0.125  # latents enter as eighths
SCALE_RANGE = (-6.0, 43 / 6)  # logarithms to base 2 that the tables cover
SMALLEST_PROBABILITY = 2.0**-18  # so that a hopeless sample does not swamp the gradient
GROUP_SAMPLES = 1 << 15
GPU_GROUP_SAMPLES = 1 << 20  # a GPU's cores want more, and fewer operations

Network = list[Tensor]


@dataclass(frozen=True, slots=True)
class _Strip:
    """Rows ``top`` to ``bottom`` of a grid's lattice (a quarter of its samples)."""

    grid: int
    top: int
    bottom: int
    columns: int

    @property
    def samples(self) -> int:
        return (self.bottom - self.top) * self.columns


@dataclass(frozen=True, slots=True, eq=False)
class _Predicted:
    """Samples, a column each, and what a network makes of what they are predicted from.

    Attributes:
        inputs: of the network, with biases.
        target: the samples.
        activations: of its hidden layers.
        output: (2, samples) centres and log-scales.
    """

    inputs: Tensor
    target: Tensor
    activations: list[Tensor]
    output: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Rate:
    """What latents cost.

    Attributes:
        bits: of each grid.
        latents: gradient of ``weight`` times all bits with respect to each grid.
        networks: likewise for the trained layers of each phase's network.
    """

    bits: list[float]
    latents: list[Tensor]
    networks: list[Network]


class ContextRate:
    """The cost of a pyramid of given shape."""

    def __init__(
        self, exponents: Sequence[int], shapes: Sequence[tuple[int, int]], like: Tensor
    ) -> None:
        """Plan the work for grids of these exponents and shapes, finest first.

        Args:
            exponents: consecutive, rising; they choose the networks' biases.
            shapes: (rows, columns) of each grid.
            like: dtype and device to compute with.
        """
        self._exponents, self._shapes, self._like = exponents, shapes, like
        self._sources = ContextSources(shapes, like)
        most = GPU_GROUP_SAMPLES if like.is_cuda else GROUP_SAMPLES
        self._groups = _group(self._sources.lattices, most)
        self._present = [
            [self._presence(group, phase) for group in self._groups] for phase in range(len(PHASES))
        ]
        self._buffers = Buffers(like)
        self._recordings: dict[int, Recording] = {}  # by the number of trained layers

    def _presence(self, group: Sequence[_Strip], phase: int) -> Tensor | None:
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
        networks: Sequence[Network],
        weight: float,
        trained_layers: int = 1,
    ) -> Rate:
        """Cost of a pyramid and its gradient.

        Args:
            grids: (rows, columns) latents, finest first.
            networks: matrices of each phase's network in units of 1, as ``entropy.context`` has
                them in units of 2^-16.
            weight: of a bit in the loss.
            trained_layers: how many layers of each network, from the last, get a gradient.
        """
        if trained_layers not in self._recordings:
            self._recordings[trained_layers] = Recording(partial(self._cost, trained_layers))
        weights = [self._like.new_full((), weight)]
        (bits,), latents, *trained = self._recordings[trained_layers](weights, grids, *networks)
        return Rate(bits.tolist(), latents, trained)

    def _cost(
        self,
        trained_layers: int,
        weights: Sequence[Tensor],
        grids: Sequence[Tensor],
        *networks: Network,
    ) -> list[list[Tensor]]:
        """What ``Rate`` has, of the one weight. Its bits are the only tensor of the first list."""
        stacks = self._filled(grids)
        slopes = [torch.zeros_like(stack) for stack in stacks]
        bits = self._like.new_zeros(len(grids))
        gradients = []
        for phase, network in enumerate(networks):
            trained = [torch.zeros_like(layer) for layer in network[-trained_layers:]]
            for group, present in zip(self._groups, self._present[phase], strict=True):
                self._add_group(
                    group, phase, present, stacks, slopes, network, trained, weights[0], bits
                )
            gradients.append(trained)
        return [[bits], self._sources.gradients(slopes), *gradients]

    def code_lengths(self, grids: Sequence[Tensor], networks: Sequence[Network]) -> list[Tensor]:
        """Bits of each latent, at less than half the work. Arguments as above.

        Returns:
            (rows, columns) for each grid.
        """
        stacks, lengths = self._filled(grids), self._sources.new_length_stacks()
        for phase, network in enumerate(networks):
            for group, present in zip(self._groups, self._present[phase], strict=True):
                predicted = self._predict(group, phase, stacks, network)
                of_group, _ = self._laplace(predicted, present, None)
                for strip, own_lengths in _parts(group, of_group):
                    rows = slice(strip.top, strip.bottom)
                    lengths[strip.grid][phase, rows] = _as_strip(own_lengths, strip)
        return self._sources.code_lengths(lengths)

    def _filled(self, grids: Sequence[Tensor]) -> list[Tensor]:
        """Grids -> stacks of their sources."""
        stacks = self._sources.new_stacks()
        for index, stack in enumerate(stacks):
            self._sources.fill(stack, grids, index)
        return stacks

    def _add_group(
        self,
        group: Sequence[_Strip],
        phase: int,
        present: Tensor | None,
        stacks: Sequence[Tensor],
        slopes: Sequence[Tensor],
        network: Network,
        trained: Network,
        weight: Tensor,
        bits: Tensor,
    ) -> None:
        """Take the samples of one phase in a group of strips into bits, slopes and gradients."""
        sources = COARSER_SOURCES + phase
        predicted = self._predict(group, phase, stacks, network)
        code_lengths, delta = self._laplace(predicted, present, weight)
        for strip, own_lengths in _parts(group, code_lengths):
            bits[strip.grid] += own_lengths.sum()
        self._backward(network, predicted, delta, trained, sources)
        neighbours = predicted.inputs[: NEIGHBOURS * sources]
        start = 0
        for strip in group:
            part = slice(start, start + strip.samples)
            shape = (strip.bottom - strip.top, strip.columns)
            slope, around = slopes[strip.grid], (shape[0] + 2, shape[1] + 2)
            slope[:sources, strip.top : strip.bottom + 2] += fold(neighbours[:, part], around, 3)
            # The density depends on the distance from the centre, so a sample's slope is the
            # opposite of its centre's.
            own = slope[sources, 1 + strip.top : 1 + strip.bottom, 1 : 1 + strip.columns]
            own.sub_(delta[0, part].view(shape))
            start += strip.samples

    def _predict(
        self,
        group: Sequence[_Strip],
        phase: int,
        stacks: Sequence[Tensor],
        network: Network,
    ) -> _Predicted:
        """The samples of one phase in a group of strips, and what the network says of them."""
        samples = sum(strip.samples for strip in group)
        inputs, target = self._gather(group, COARSER_SOURCES + phase, stacks, samples)
        activations = self._forward(network, inputs)
        output = self._buffers("output", 2, samples)
        torch.addmm(network[-1][:, -1:], network[-1][:, :-1], activations[-1], out=output)
        return _Predicted(inputs, target, activations, output)

    def _gather(
        self, group: Sequence[_Strip], sources: int, stacks: Sequence[Tensor], samples: int
    ) -> tuple[Tensor, Tensor]:
        """Strips -> a column of inputs a sample, the last telling its grid; and the samples."""
        count = NEIGHBOURS * sources
        inputs = self._buffers("inputs", count + LARGEST_EXPONENT + 1, samples)
        inputs[count:] = 0
        target = self._buffers("target", samples)
        windows = inputs[:count].view(sources, 3, 3, samples)
        start = 0
        for strip in group:
            stack, part = stacks[strip.grid], slice(start, start + strip.samples)
            shape = (strip.bottom - strip.top, strip.columns)
            plane, row, _ = stack.stride()
            window = stack.as_strided(
                (sources, 3, 3, *shape), (plane, row, 1, row, 1), strip.top * row
            )
            torch.mul(window, INPUT_SCALE, out=_as_strip(windows[..., part], strip))
            inputs[count + self._exponents[strip.grid], part] = 1
            own = stack[sources, 1 + strip.top : 1 + strip.bottom, 1 : 1 + strip.columns]
            target[part].view(shape).copy_(own)
            start += strip.samples
        return inputs, target

    def _forward(self, network: Network, inputs: Tensor) -> list[Tensor]:
        """Inputs -> activations of the hidden layers."""
        samples = inputs.shape[1]
        activations: list[Tensor] = []
        for index, layer in enumerate(network[:-1]):
            active = self._buffers(f"active {index}", len(layer), samples)
            if index:
                torch.addmm(layer[:, -1:], layer[:, :-1], activations[-1], out=active)
            else:
                torch.mm(layer, inputs, out=active)
            activations.append(active.clamp_(min=0))
        return activations

    def _laplace(
        self, predicted: _Predicted, present: Tensor | None, weight: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Samples, centres and log-scales -> bits of each, and the slope along both outputs.

        With d the distance from the centre and b the scale, a sample's probability is the mass
        from d - 1/2 to d + 1/2. Written with e1 = exp(-|d - 1/2| / b), e2 = exp(-(d + 1/2) / b),
        its slopes are the same on both sides of d = 1/2.
        """
        target, (centre, log_scale) = predicted.target, predicted.output
        inverse_scale = torch.exp2(-log_scale.clamp(*SCALE_RANGE))
        offset = target - centre
        near = offset.abs().sub_(0.5)
        far = near + 1
        e1 = near.abs().mul_(inverse_scale).neg_().exp_()
        e2 = far.mul(inverse_scale).neg_().exp_()
        probability = torch.copysign(e1, near).sub_(e2).mul_(0.5)
        probability.add_(near < 0).add_(SMALLEST_PROBABILITY)
        code_lengths = probability.log2().neg_()
        delta = self._buffers("delta", 2, len(target))
        if present is not None:
            code_lengths *= present
        if weight is not None:
            factor = inverse_scale.mul_(weight * (0.5 / math.log(2))).div_(probability)
            if present is not None:
                factor *= present
            torch.mul((e1 - e2).mul_(factor), offset.sign(), out=delta[0]).neg_()
            along_scale = torch.addcmul(e2.mul_(far), e1, near, value=-1).mul_(factor)
            inside = (log_scale > SCALE_RANGE[0]) & (log_scale < SCALE_RANGE[1])
            torch.mul(along_scale, inside, out=delta[1]).mul_(math.log(2))
        return code_lengths, delta

    def _backward(
        self,
        network: Network,
        predicted: _Predicted,
        delta: Tensor,
        trained: Network,
        sources: int,
    ) -> None:
        """Add the trained layers' gradients; overwrite the inputs by the slope along them."""
        inputs, activations = predicted.inputs, predicted.activations
        first_trained = len(network) - len(trained)
        samples = inputs.shape[1]
        for index in range(len(network) - 1, 0, -1):
            below = activations[index - 1]
            if index >= first_trained:
                gradient = trained[index - first_trained]
                gradient[:, :-1].addmm_(delta, below.t())
                gradient[:, -1] += delta.sum(1)
            slope = self._buffers(f"slope {index}", len(below), samples)
            # The activations' own signs: a comparison would be turned from booleans into numbers,
            # which takes as long as all the products together.
            delta = torch.mm(network[index][:, :-1].t(), delta, out=slope).mul_(below.sign_())
        if not first_trained:
            trained[0].addmm_(delta, inputs.t())
        count = NEIGHBOURS * sources
        torch.mm(network[0][:, :count].t() * INPUT_SCALE, delta, out=inputs[:count])


def _group(lattices: Sequence[tuple[int, int]], most: int) -> list[list[_Strip]]:
    """Lattices -> strips of all of them, in groups of ``most`` samples, or fewer if possible."""
    strips = []
    for grid, (rows, columns) in enumerate(lattices):
        height = max(1, most // columns)
        strips += [
            _Strip(grid, top, min(top + height, rows), columns) for top in range(0, rows, height)
        ]
    filled, number, numbers = 0, 0, []
    for strip in strips:
        if filled and filled + strip.samples > most:
            filled, number = 0, number + 1
        filled += strip.samples
        numbers.append(number)
    pairs = groupby(zip(numbers, strips, strict=True), key=lambda pair: pair[0])
    return [[strip for _, strip in members] for _, members in pairs]


def _as_strip(values: Tensor, strip: _Strip) -> Tensor:
    """(..., samples) -> (..., rows, columns), a view."""
    return values.view(*values.shape[:-1], strip.bottom - strip.top, strip.columns)


def _parts(group: Sequence[_Strip], values: Tensor) -> list[tuple[_Strip, Tensor]]:
    """Values of a group's samples -> those of each strip."""
    sizes = [strip.samples for strip in group]
    return list(zip(group, torch.split(values, sizes), strict=True))
