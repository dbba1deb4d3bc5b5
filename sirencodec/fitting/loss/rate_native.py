"""Latents -> bits and their gradient, as ``context_rate`` has them, by compiled loops.

Every thread takes some rows of each grid's lattice, and adds up slopes and gradients of its own.
"""

import ctypes
from collections.abc import Sequence
from itertools import product

import torch
from torch import Tensor

from sirencodec.bitstream.architecture import PHASES
from sirencodec.entropy.context_network import COARSER_SOURCES, NEIGHBOURS
from sirencodec.fitting.loss.context_sources import ContextSources
from sirencodec.fitting.loss.rate_torch import (
    INPUT_SCALE,
    SCALE_RANGE,
    SMALLEST_PROBABILITY,
    Network,
    Rate,
)
from sirencodec.native.library import Loops
from sirencodec.native.tasks import STRIP, Layer
from sirencodec.native.tensors import address, describe_layers
from sirencodec.synthesis.threads import Workers


class CompiledRate:
    """The cost of a pyramid of given shape."""

    def __init__(
        self,
        exponents: Sequence[int],
        shapes: Sequence[tuple[int, int]],
        like: Tensor,
        workers: Workers,
        loops: Loops,
    ) -> None:
        """Plan the work for grids of these exponents and shapes, finest first.

        Args:
            exponents: consecutive, rising; they choose the networks' biases.
            shapes: (rows, columns) of each grid.
            like: dtype to compute with, on the CPU.
            workers: threads to share the work among.
            loops: for that dtype.
        """
        self._exponents, self._shapes = list(exponents), shapes
        self._workers, self._loops = workers, loops
        self._sources = ContextSources(shapes, like)
        self._stacks = self._sources.new_stacks(beyond=STRIP)
        self._threads = [
            _Thread(self._stacks, self._sources.new_stacks(beyond=STRIP), shapes, loops, part)
            for part in _parts(self._sources.lattices, workers.count)
        ]

    def __call__(
        self,
        grids: Sequence[Tensor],
        networks: Sequence[Network],
        weight: float,
        trained_layers: int = 1,
    ) -> Rate:
        """Cost of a pyramid and its gradient. Arguments as for ``ContextRate``."""
        self._fill(grids)
        matrices = [self._by_grid(network) for network in networks]
        results = self._workers.map(
            lambda thread: thread(matrices, weight, trained_layers), self._threads
        )
        bits = [sum(of_grid) for of_grid in zip(*(bits for bits, _ in results), strict=True)]
        gradients = [
            [torch.stack(parts).sum(0) for parts in zip(*of_phase, strict=True)]
            for of_phase in zip(*(gradients for _, gradients in results), strict=True)
        ]
        trained = [
            self._of_network(network, gradient)
            for network, gradient in zip(networks, gradients, strict=True)
        ]
        slopes = self._threads[0].slopes
        for thread in self._threads[1:]:
            for ours, others in zip(slopes, thread.slopes, strict=True):
                ours += others
        return Rate(bits, self._sources.gradients(slopes), trained)

    def code_lengths(self, grids: Sequence[Tensor], networks: Sequence[Network]) -> list[Tensor]:
        """Bits of each latent, at less than half the work. Arguments as for ``ContextRate``."""
        self._fill(grids)
        matrices = [self._by_grid(network) for network in networks]
        stacks = self._sources.new_length_stacks(STRIP)
        self._workers.map(lambda thread: thread.code_lengths(matrices, stacks), self._threads)
        return self._sources.code_lengths(stacks)

    def _fill(self, grids: Sequence[Tensor]) -> None:
        """Write all grids' sources into their stacks."""
        self._workers.map(
            lambda index: self._sources.fill(self._stacks[index], grids, index), range(len(grids))
        )

    def _by_grid(self, network: Network) -> Network:
        """Network -> contiguous matrices for latents as they are; the first, one for each grid."""
        first = network[0]
        count = _num_inputs(first)
        weights = (first[:, :count] * INPUT_SCALE).expand(len(self._exponents), -1, -1)
        biases = first[:, count:].t()[self._exponents, :, None]
        return [torch.cat([weights, biases], 2), *(layer.contiguous() for layer in network[1:])]

    def _of_network(self, network: Network, gradient: list[Tensor]) -> Network:
        """Adjoint of ``_by_grid``, where all layers are trained."""
        if len(gradient) < len(network):
            return gradient
        count = _num_inputs(network[0])
        first = torch.zeros_like(network[0])
        first[:, :count] = gradient[0][:, :, :-1].sum(0) * INPUT_SCALE
        first[:, count:].index_add_(
            1, torch.tensor(self._exponents), gradient[0][:, :, -1].t().contiguous()
        )
        return [first, *gradient[1:]]


class _Thread:
    """Some rows of every grid, and the slopes and gradients they add to.

    Attributes:
        slopes: along the sources of each grid.
    """

    def __init__(
        self,
        stacks: Sequence[Tensor],
        slopes: list[Tensor],
        shapes: Sequence[tuple[int, int]],
        loops: Loops,
        rows: Sequence[tuple[int, int]],
    ) -> None:
        """Take ``rows``, first and end in each grid's lattice."""
        self.slopes = slopes
        self._stacks, self._shapes, self._loops, self._rows = stacks, shapes, loops, rows

    def __call__(
        self, matrices: Sequence[Network], weight: float, trained_layers: int
    ) -> tuple[list[float], list[Network]]:
        """Bits of each grid, and the gradients of each phase's trained layers."""
        for stack in self.slopes:
            stack.zero_()
        gradients = [
            [torch.zeros_like(layer) for layer in layers[len(layers) - trained_layers :]]
            for layers in matrices
        ]
        by_grid = [0.0] * len(self._stacks)
        for (_, grid), cost in self._run(matrices, gradients, weight=weight):
            by_grid[grid] += cost
        return by_grid, gradients

    def code_lengths(self, matrices: Sequence[Network], stacks: Sequence[Tensor]) -> None:
        """Write the bits of every lattice point into ``stacks``, (phases, rows, columns) a grid."""
        self._run(matrices, [[] for _ in matrices], stacks)

    def _run(
        self,
        matrices: Sequence[Network],
        gradients: Sequence[Network],
        lengths: Sequence[Tensor] | None = None,
        weight: float = 0.0,
    ) -> list[tuple[tuple[int, int], float]]:
        """All phases of all grids and the bits of each; writes lengths, or adds to gradients."""
        # What tasks point at must live until they are done.
        layers = [
            [
                describe_layers(
                    [of_phase[0][grid], *of_phase[1:]],
                    _of_grid(gradient, grid, len(of_phase)),
                )
                for grid in range(len(self._stacks))
            ]
            for of_phase, gradient in zip(matrices, gradients, strict=True)
        ]
        places = list(product(range(len(PHASES)), range(len(self._stacks))))
        tasks = (self._loops.rate_task * len(places))(
            *(self._task(*place, layers[place[0]][place[1]], lengths, weight) for place in places)
        )
        bits = (ctypes.c_double * len(places))()
        self._loops.rate(tasks, ctypes.c_long(len(places)), bits)
        return list(zip(places, bits, strict=True))

    def _task(
        self,
        phase: int,
        grid: int,
        layers: ctypes.Array[Layer],
        lengths: Sequence[Tensor] | None,
        weight: float,
    ) -> ctypes.Structure:
        """A phase of a grid -> what the loop is to do there."""
        stack, (top, left) = self._stacks[grid], PHASES[phase]
        rows, columns = self._shapes[grid]
        first, end = self._rows[grid]
        return self._loops.rate_task(
            sources=address(stack),
            slopes=None if lengths else address(self.slopes[grid]),
            lengths=address(lengths[grid], phase) if lengths else None,
            length_row=lengths[grid].stride(1) if lengths else 0,
            plane=stack.stride(0),
            row=stack.stride(1),
            num_sources=COARSER_SOURCES + phase,
            top=first,
            bottom=min(end, (rows - top + 1) // 2),
            columns=(columns - left + 1) // 2,
            layers=ctypes.addressof(layers),
            depth=len(layers),
            weight=weight,
            smallest_log_scale=SCALE_RANGE[0],
            largest_log_scale=SCALE_RANGE[1],
            smallest_probability=SMALLEST_PROBABILITY,
        )


def _num_inputs(first: Tensor) -> int:
    """First matrix of a phase's network -> its columns that are not biases of grids."""
    return first.shape[1] // NEIGHBOURS * NEIGHBOURS


def _of_grid(gradient: Sequence[Tensor], grid: int, depth: int) -> list[Tensor | None]:
    """Gradients of the trained layers -> those of all layers, the first one's of a grid."""
    untrained: list[Tensor | None] = [None] * (depth - len(gradient))
    if untrained:
        return [*untrained, *gradient]
    return [gradient[0][grid], *gradient[1:]]


def _parts(lattices: Sequence[tuple[int, int]], count: int) -> list[list[tuple[int, int]]]:
    """Lattices -> the rows of each that every thread takes."""
    return [
        [(rows * part // count, rows * (part + 1) // count) for rows, _ in lattices]
        for part in range(count)
    ]
