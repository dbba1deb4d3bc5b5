"""Latents -> bits that the context model needs for them, and the gradient of those, compiled.

The formulas are those of ``rate_torch`` and ``laplace_bits``. Every thread takes some rows of each
grid's lattice and adds up gradients of its own.
"""

import ctypes
from collections.abc import Sequence
from itertools import product

import torch
from torch import Tensor

from sirencodec.entropy.context_model import COARSER_SOURCES, PHASES
from sirencodec.fitting.loss.context_layers import OF_TABLES, by_grid, layers_of_grid, of_network
from sirencodec.fitting.loss.context_sources import ContextSources
from sirencodec.fitting.loss.costs import ContextNetwork, Rate
from sirencodec.fitting.loss.rate_whole import WholeRate
from sirencodec.native.library import Loops
from sirencodec.native.tasks import STRIP, Layer
from sirencodec.native.tensors import address
from sirencodec.synthesis.threads import Workers


class NativeRate(WholeRate):
    """The bits of pyramids of given shape: a ``RateTerm``."""

    def __init__(
        self,
        exponents: Sequence[int],
        shapes: Sequence[tuple[int, int]],
        like: Tensor,
        workers: Workers,
        loops: Loops,
    ) -> None:
        """Plan the work for grids of these exponents and shapes.

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
        context_networks: Sequence[ContextNetwork],
        bit_error: float,
        trained_layers: int = 1,
    ) -> Rate:
        """Bits and gradient. See ``RateTerm``."""
        self._fill(grids)
        matrices = [by_grid(network, self._exponents) for network in context_networks]
        results = self._workers.map(
            lambda thread: thread(matrices, bit_error, trained_layers), self._threads
        )
        bits = [sum(of_grid) for of_grid in zip(*(bits for bits, _ in results), strict=True)]
        gradients = [
            [torch.stack(parts).sum(0) for parts in zip(*of_phase, strict=True)]
            for of_phase in zip(*(gradients for _, gradients in results), strict=True)
        ]
        trained = [
            of_network(network, gradient, self._exponents)
            for network, gradient in zip(context_networks, gradients, strict=True)
        ]
        stacks = self._threads[0].stack_gradients
        for thread in self._threads[1:]:
            for ours, others in zip(stacks, thread.stack_gradients, strict=True):
                ours += others
        return Rate(bits, self._sources.gradient(stacks), trained)

    def code_lengths(
        self, grids: Sequence[Tensor], context_networks: Sequence[ContextNetwork]
    ) -> list[Tensor]:
        """Bits of each latent. See ``RateTerm``."""
        self._fill(grids)
        matrices = [by_grid(network, self._exponents) for network in context_networks]
        lengths = self._sources.new_length_stacks(STRIP)
        self._workers.map(lambda thread: thread.code_lengths(matrices, lengths), self._threads)
        return self._sources.code_lengths(lengths)

    def _fill(self, grids: Sequence[Tensor]) -> None:
        """Write all grids' sources into their stacks."""
        self._workers.map(
            lambda index: self._sources.fill(self._stacks[index], grids, index), range(len(grids))
        )


class _Thread:
    """Some rows of every grid's lattice, and the gradients that they add to.

    Attributes:
        stack_gradients: with respect to the sources of each grid.
    """

    def __init__(
        self,
        stacks: Sequence[Tensor],
        stack_gradients: list[Tensor],
        shapes: Sequence[tuple[int, int]],
        loops: Loops,
        rows: Sequence[tuple[int, int]],
    ) -> None:
        """Take ``rows``, first and end in each grid's lattice."""
        self.stack_gradients = stack_gradients
        self._stacks, self._shapes, self._loops, self._rows = stacks, shapes, loops, rows

    def __call__(
        self, matrices: Sequence[ContextNetwork], bit_error: float, trained_layers: int
    ) -> tuple[list[float], list[ContextNetwork]]:
        """Bits of each grid, and the gradients of each phase's trained layers."""
        for stack in self.stack_gradients:
            stack.zero_()
        gradients = [
            [torch.zeros_like(layer) for layer in layers[len(layers) - trained_layers :]]
            for layers in matrices
        ]
        by_grid = [0.0] * len(self._stacks)
        for (_, grid), cost in self._run(matrices, gradients, bit_error=bit_error):
            by_grid[grid] += cost
        return by_grid, gradients

    def code_lengths(self, matrices: Sequence[ContextNetwork], stacks: Sequence[Tensor]) -> None:
        """Write the bits of every lattice point into ``stacks``, (phases, rows, columns) a grid."""
        self._run(matrices, [[] for _ in matrices], stacks)

    def _run(
        self,
        matrices: Sequence[ContextNetwork],
        gradients: Sequence[ContextNetwork],
        lengths: Sequence[Tensor] | None = None,
        bit_error: float = 0.0,
    ) -> list[tuple[tuple[int, int], float]]:
        """All phases of all grids and the bits of each; writes lengths, or adds to gradients."""
        # What tasks point at must live until they are done.
        numbers = range(len(self._stacks))
        layers = [
            [layers_of_grid(of_phase, gradient, grid) for grid in numbers]
            for of_phase, gradient in zip(matrices, gradients, strict=True)
        ]
        places = list(product(range(len(PHASES)), range(len(self._stacks))))
        tasks = (self._loops.rate_task * len(places))(
            *(
                self._task(*place, layers[place[0]][place[1]], lengths, bit_error)
                for place in places
            )
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
        bit_error: float,
    ) -> ctypes.Structure:
        """A phase of a grid -> what the loop is to do there."""
        stack, (top, left) = self._stacks[grid], PHASES[phase]
        rows, columns = self._shapes[grid]
        first, end = self._rows[grid]
        return self._loops.rate_task(
            sources=address(stack),
            slopes=None if lengths else address(self.stack_gradients[grid]),
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
            weight=bit_error,
            **OF_TABLES,
        )


def _parts(lattices: Sequence[tuple[int, int]], count: int) -> list[list[tuple[int, int]]]:
    """Lattices -> the rows of each that every thread takes."""
    return [
        [(rows * part // count, rows * (part + 1) // count) for rows, _ in lattices]
        for part in range(count)
    ]
