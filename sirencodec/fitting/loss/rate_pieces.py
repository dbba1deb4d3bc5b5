"""Latents of a large picture -> bits and their gradient, some rows of a grid at a time, compiled.

What ``rate_native`` computes of all grids at once, here in pieces: rows of one grid's lattice. Only
as many have memory as there are threads. Their gradients are added up in the order of the pieces,
so that sums do not depend on the number of threads.
"""

import ctypes
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import torch
from torch import Tensor
from torch.nn.functional import pad

from sirencodec.entropy.context_model import COARSER_SOURCES, PHASES
from sirencodec.fitting.loss.context_layers import OF_TABLES, by_grid, layers_of_grid, of_network
from sirencodec.fitting.loss.costs import ContextNetwork, Rate
from sirencodec.native.library import Loops
from sirencodec.native.tasks import STRIP
from sirencodec.native.tensors import address
from sirencodec.synthesis.threads import Workers

Result = TypeVar("Result")

PIECE_POINTS: Final = 1 << 16  # of a lattice, about; sources and gradient take 3 MB
SAMPLE_PIECES: Final = 4  # of a grid, at least, where a sample is enough
SAMPLE_SHARE: Final = 4  # those have so many times fewer points
SOURCES: Final = COARSER_SOURCES + len(PHASES)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Rows ``first`` to ``end`` of the lattice of grid number ``grid``, (rows, columns)."""

    grid: int
    first: int
    end: int
    rows: int
    columns: int

    @property
    def seen(self) -> tuple[int, int]:
        """Rows of the lattice that predictions see: one more on either side, where there is one."""
        return max(self.first - 1, 0), min(self.end + 1, self.rows)

    def inside(self, stack: Tensor) -> Tensor:
        """Stack -> the part of it that ``seen`` rows fill."""
        first, end = self.seen
        return stack[:, first - self.first + 1 : end - self.first + 1, 1:-1]


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """A piece's bits and gradients.

    Attributes:
        stack_gradient: with respect to its sources, in memory that the next piece overwrites.
        trained: with respect to the trained layers, a phase each, as ``by_grid`` has them.
    """

    bits: float
    stack_gradient: Tensor
    trained: list[list[Tensor]]


class PieceRate:
    """The bits of large pyramids of given shape: a ``RateTerm``."""

    def __init__(
        self,
        exponents: Sequence[int],
        shapes: Sequence[tuple[int, int]],
        like: Tensor,
        workers: Workers,
        loops: Loops,
        points: int = PIECE_POINTS,
    ) -> None:
        """Plan the work.

        Args:
            exponents: consecutive, rising; they choose the networks' biases.
            shapes: (rows, columns) of each grid.
            like: dtype to compute with, on the CPU.
            workers: threads to share the work among.
            loops: for that dtype.
            points: of a lattice in a piece, about.
        """
        self._exponents, self._shapes, self._points = list(exponents), list(shapes), points
        self._like, self._workers, self._loops = like, workers, loops
        self._pieces = [piece for grid in range(len(shapes)) for piece in self._cut(grid, points)]
        self._sample, self._shares = self._sampled()
        numbers = max(SOURCES * (p.end - p.first + 2) * (p.columns + 2) for p in self._pieces)
        self._memory = [
            [like.new_zeros(numbers + STRIP) for _ in range(2)] for _ in range(workers.count)
        ]

    def _sampled(self) -> tuple[list[_Piece], list[float]]:
        """Some pieces of each grid, and what their bits are multiplied by to stand for all."""
        sample, shares = list[_Piece](), list[float]()
        for grid in range(len(self._shapes)):
            pieces = self._cut(grid, self._points // SAMPLE_SHARE)
            every = max(1, len(pieces) // SAMPLE_PIECES)
            some = pieces[(every - 1) // 2 :: every]
            rows = sum(piece.end - piece.first for piece in some)
            sample += some
            shares.append(pieces[0].rows / rows)
        return sample, shares

    def _cut(self, grid: int, points: int) -> list[_Piece]:
        """Number of a grid -> its pieces, of so many points of its lattice, about."""
        rows, columns = (-(-side // 2) for side in self._shapes[grid])
        height = max(1, points // columns)
        return [
            _Piece(grid, first, min(first + height, rows), rows, columns)
            for first in range(0, rows, height)
        ]

    def __call__(
        self,
        grids: Sequence[Tensor],
        context_networks: Sequence[ContextNetwork],
        bit_error: float,
        trained_layers: int = 1,
    ) -> Rate:
        """Bits and gradient. See ``RateTerm``."""
        matrices = [by_grid(network, self._exponents) for network in context_networks]
        bits = [0.0] * len(grids)
        gradients = [grid.new_zeros(grid.shape) for grid in grids]
        trained = [
            [torch.zeros_like(layer) for layer in layers[len(layers) - trained_layers :]]
            for layers in matrices
        ]

        for piece, result in self._each(
            lambda piece, memory: self._gradient(
                piece, memory, grids, matrices, trained_layers, bit_error
            ),
            self._pieces,
        ):
            bits[piece.grid] += result.bits
            self._add(piece, result.stack_gradient, gradients)
            for totals, own in zip(trained, result.trained, strict=True):
                for total, of_layer in zip(totals, own, strict=True):
                    total += of_layer
        return Rate(
            bits,
            gradients,
            [
                of_network(network, own, self._exponents)
                for network, own in zip(context_networks, trained, strict=True)
            ],
        )

    def bits(
        self,
        grids: Sequence[Tensor],
        context_networks: Sequence[ContextNetwork],
        *,
        is_sampled: bool = False,
    ) -> float:
        """R. See ``RateTerm``."""
        matrices = [by_grid(network, self._exponents) for network in context_networks]
        pieces, total = self._sample if is_sampled else self._pieces, 0.0
        for piece, bits in self._each(
            lambda piece, memory: self._bits(piece, memory[0], grids, matrices), pieces
        ):
            total += bits * (self._shares[piece.grid] if is_sampled else 1.0)
        return total

    def code_lengths(
        self, grids: Sequence[Tensor], context_networks: Sequence[ContextNetwork]
    ) -> list[Tensor]:
        """Bits of each latent. See ``RateTerm``."""
        lengths = [grid.new_empty(grid.shape) for grid in grids]
        for grid, top, part in self.code_lengths_by_rows(grids, context_networks, len(grids)):
            lengths[grid][top : top + len(part)] = part
        return lengths

    def code_lengths_by_rows(
        self, grids: Sequence[Tensor], context_networks: Sequence[ContextNetwork], count: int
    ) -> Iterator[tuple[int, int, Tensor]]:
        """A piece at a time. See ``RateTerm``."""
        matrices = [by_grid(network, self._exponents) for network in context_networks]

        def lengths_of(piece: _Piece, memory: Sequence[Tensor]) -> Tensor:
            shape = len(PHASES), piece.end - piece.first, -(-piece.columns // STRIP) * STRIP
            own = self._like.new_zeros(shape)
            self._bits(piece, memory[0], grids, matrices, own)
            rows, columns = self._shapes[piece.grid]
            top, bottom = 2 * piece.first, min(2 * piece.end, rows)
            lengths = own.new_empty(bottom - top, columns)
            for phase, (down, across) in enumerate(PHASES):
                samples = lengths[down::2, across::2]
                samples.copy_(own[phase, : samples.shape[0], : samples.shape[1]])
            return lengths

        wanted = [piece for piece in self._pieces if piece.grid < count]
        for piece, lengths in self._each(lengths_of, wanted):
            yield piece.grid, 2 * piece.first, lengths

    def _each(
        self, compute: Callable[[_Piece, Sequence[Tensor]], Result], pieces: Sequence[_Piece]
    ) -> Iterator[tuple[_Piece, Result]]:
        """Piece and memory -> result, as many at a time as there are threads; in order."""
        for start in range(0, len(pieces), self._workers.count):
            some = pieces[start : start + self._workers.count]
            pairs = list(zip(some, self._memory, strict=False))
            yield from zip(some, self._workers.map(lambda pair: compute(*pair), pairs), strict=True)

    def _gradient(
        self,
        piece: _Piece,
        memory: Sequence[Tensor],
        grids: Sequence[Tensor],
        matrices: Sequence[ContextNetwork],
        trained_layers: int,
        bit_error: float,
    ) -> _Sums:
        """Piece -> its bits and gradients."""
        stack, gradient = self._fill(piece, memory[0], grids), self._stack(piece, memory[1])
        trained = [
            [torch.zeros_like(layer) for layer in layers[len(layers) - trained_layers :]]
            for layers in matrices
        ]
        bits = self._run(piece, stack, matrices, trained, gradient, bit_error=bit_error)
        return _Sums(bits, gradient, trained)

    def _bits(
        self,
        piece: _Piece,
        memory: Tensor,
        grids: Sequence[Tensor],
        matrices: Sequence[ContextNetwork],
        lengths: Tensor | None = None,
    ) -> float:
        """Piece -> its bits; fills ``lengths``, (phases, rows, columns), where given."""
        untrained: list[list[Tensor]] = [[] for _ in matrices]
        stack = self._fill(piece, memory, grids)
        return self._run(piece, stack, matrices, untrained, lengths=lengths)

    def _run(
        self,
        piece: _Piece,
        stack: Tensor,
        matrices: Sequence[ContextNetwork],
        trained: Sequence[Sequence[Tensor]],
        gradient: Tensor | None = None,
        lengths: Tensor | None = None,
        bit_error: float = 0.0,
    ) -> float:
        """All phases of a piece -> bits; adds to gradients and writes lengths, where given."""
        # What tasks point at must live until they are done.
        layers = [
            layers_of_grid(of_phase, own, piece.grid)
            for of_phase, own in zip(matrices, trained, strict=True)
        ]
        rows, columns = self._shapes[piece.grid]
        tasks = (self._loops.rate_task * len(PHASES))(
            *(
                self._loops.rate_task(
                    sources=address(stack),
                    slopes=address(gradient),
                    lengths=address(lengths, phase),
                    length_row=0 if lengths is None else lengths.stride(1),
                    plane=stack.stride(0),
                    row=stack.stride(1),
                    num_sources=COARSER_SOURCES + phase,
                    top=0,
                    bottom=min(piece.end, (rows - top + 1) // 2) - piece.first,
                    columns=(columns - left + 1) // 2,
                    layers=ctypes.addressof(layers[phase]),
                    depth=len(layers[phase]),
                    weight=bit_error,
                    **OF_TABLES,
                )
                for phase, (top, left) in enumerate(PHASES)
            )
        )
        bits = (ctypes.c_double * len(PHASES))()
        self._loops.rate(tasks, ctypes.c_long(len(PHASES)), bits)
        return sum(bits)

    def _stack(self, piece: _Piece, memory: Tensor) -> Tensor:
        """Piece and memory -> zeros: (sources, rows + 2, columns + 2)."""
        shape = SOURCES, piece.end - piece.first + 2, piece.columns + 2
        return memory[: math.prod(shape)].zero_().view(shape)

    def _fill(self, piece: _Piece, memory: Tensor, grids: Sequence[Tensor]) -> Tensor:
        """Piece and all grids -> its sources, as ``ContextSources`` lays them out."""
        stack = self._stack(piece, memory)
        inside, (first, end), index = piece.inside(stack), piece.seen, piece.grid
        if index + 1 < len(grids):
            inside[0].copy_(grids[index + 1][first:end])
        if index + 2 < len(grids):
            rows = torch.arange(first, end, device=stack.device) // 2
            repeated = grids[index + 2][rows].repeat_interleave(2, 1)
            inside[1].copy_(repeated[:, : piece.columns])
        for phase, (top, left) in enumerate(PHASES):
            samples = grids[index][top::2, left::2][first:end]
            inside[COARSER_SOURCES + phase, : samples.shape[0], : samples.shape[1]] = samples
        return stack

    def _add(self, piece: _Piece, stack: Tensor, gradients: Sequence[Tensor]) -> None:
        """Gradient with respect to a piece's sources, added to that of the grids."""
        inside, (first, end), index = piece.inside(stack), piece.seen, piece.grid
        if index + 1 < len(gradients):
            gradients[index + 1][first:end] += inside[0]
        if index + 2 < len(gradients):
            rows, columns = (end + 1) // 2 - first // 2, gradients[index + 2].shape[1]
            missing = (0, 2 * columns - piece.columns, first % 2, end % 2)
            quads = pad(inside[1], missing).view(rows, 2, columns, 2)
            gradients[index + 2][first // 2 : first // 2 + rows] += quads.sum((1, 3))
        for phase, (top, left) in enumerate(PHASES):
            samples = gradients[index][top::2, left::2][first:end]
            samples += inside[COARSER_SOURCES + phase, : samples.shape[0], : samples.shape[1]]
