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

from sirencodec.entropy.context_model import COARSER_SOURCES, PHASES
from sirencodec.fitting.loss.context_layers import OF_TABLES, by_grid, layers_of_grid, of_network
from sirencodec.fitting.loss.costs import ContextNetwork, Rate
from sirencodec.fitting.loss.lattice_pieces import LatticePiece, cut_lattice
from sirencodec.native.library import Loops
from sirencodec.native.tasks import STRIP
from sirencodec.native.tensors import address
from sirencodec.synthesis.threads import Workers

Result = TypeVar("Result")

PIECE_POINTS: Final = 1 << 16  # of a lattice, about; sources and gradient take 3 MB
SAMPLE_PIECES: Final = 4  # of a grid, at least, where a sample is enough
SAMPLE_SHARE: Final = 4  # those have so many times fewer points


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
        self._pieces = [
            piece for grid, shape in enumerate(shapes) for piece in cut_lattice(grid, shape, points)
        ]
        self._sample, self._shares = self._sampled()
        numbers = max(math.prod(piece.stack_shape) for piece in self._pieces)
        self._memory = [
            [like.new_zeros(numbers + STRIP) for _ in range(2)] for _ in range(workers.count)
        ]

    def _sampled(self) -> tuple[list[LatticePiece], list[float]]:
        """Some pieces of each grid, and what their bits are multiplied by to stand for all."""
        sample, shares = list[LatticePiece](), list[float]()
        for grid, shape in enumerate(self._shapes):
            pieces = cut_lattice(grid, shape, self._points // SAMPLE_SHARE)
            every = max(1, len(pieces) // SAMPLE_PIECES)
            some = pieces[(every - 1) // 2 :: every]
            rows = sum(piece.end - piece.first for piece in some)
            sample += some
            shares.append(pieces[0].rows / rows)
        return sample, shares

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
        trained = _zeros(matrices, trained_layers)
        for piece, result in self._each(
            lambda piece, memory: self._gradient(
                piece, memory, grids, matrices, trained_layers, bit_error
            ),
            self._pieces,
        ):
            bits[piece.grid] += result.bits
            piece.add(result.stack_gradient, gradients)
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
        """B. See ``RateTerm``."""
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

        def lengths_of(piece: LatticePiece, memory: Sequence[Tensor]) -> Tensor:
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
        self,
        compute: Callable[[LatticePiece, Sequence[Tensor]], Result],
        pieces: Sequence[LatticePiece],
    ) -> Iterator[tuple[LatticePiece, Result]]:
        """Piece and memory -> result, as many at a time as there are threads; in order."""
        for start in range(0, len(pieces), self._workers.count):
            some = pieces[start : start + self._workers.count]
            pairs = list(zip(some, self._memory, strict=False))
            yield from zip(some, self._workers.map(lambda pair: compute(*pair), pairs), strict=True)

    def _gradient(
        self,
        piece: LatticePiece,
        memory: Sequence[Tensor],
        grids: Sequence[Tensor],
        matrices: Sequence[ContextNetwork],
        trained_layers: int,
        bit_error: float,
    ) -> _Sums:
        """Piece -> its bits and gradients."""
        stack, gradient = piece.sources(memory[0], grids), piece.zeros(memory[1])
        trained = _zeros(matrices, trained_layers)
        bits = self._run(piece, stack, matrices, trained, gradient, bit_error=bit_error)
        return _Sums(bits, gradient, trained)

    def _bits(
        self,
        piece: LatticePiece,
        memory: Tensor,
        grids: Sequence[Tensor],
        matrices: Sequence[ContextNetwork],
        lengths: Tensor | None = None,
    ) -> float:
        """Piece -> its bits; fills ``lengths``, (phases, rows, columns), where given."""
        untrained: list[list[Tensor]] = [[] for _ in matrices]
        stack = piece.sources(memory, grids)
        return self._run(piece, stack, matrices, untrained, lengths=lengths)

    def _run(
        self,
        piece: LatticePiece,
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


def _zeros(matrices: Sequence[ContextNetwork], trained_layers: int) -> list[list[Tensor]]:
    """Networks -> a gradient of zeros with respect to the last layers of each."""
    return [
        [torch.zeros_like(layer) for layer in layers[len(layers) - trained_layers :]]
        for layers in matrices
    ]
