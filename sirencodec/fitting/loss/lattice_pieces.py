"""Rows of a grid's lattice -> what predicts the latents there, and gradients back to the grids.

A stack holds the sources of a piece, as ``ContextSources`` lays them out: a row and a column of
zeros around what the piece's own latents and those next to them are.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import pad

from sirencodec.entropy.context_model import COARSER_SOURCES, PHASES

SOURCES: Final = COARSER_SOURCES + len(PHASES)


@dataclass(frozen=True, slots=True)
class LatticePiece:
    """Rows ``first`` to ``end`` of the lattice of grid number ``grid``, (rows, columns)."""

    grid: int
    first: int
    end: int
    rows: int
    columns: int

    @property
    def stack_shape(self) -> tuple[int, int, int]:
        """(sources, rows + 2, columns + 2)."""
        return SOURCES, self.end - self.first + 2, self.columns + 2

    def zeros(self, memory: Tensor) -> Tensor:
        """Memory for as many numbers, or more -> a stack of zeros in it."""
        return memory[: math.prod(self.stack_shape)].zero_().view(self.stack_shape)

    def sources(self, memory: Tensor, grids: Sequence[Tensor]) -> Tensor:
        """Memory and all grids -> the stack in it."""
        stack = self.zeros(memory)
        inside, (first, end) = self._inside(stack), self._seen
        if self.grid + 1 < len(grids):
            inside[0].copy_(grids[self.grid + 1][first:end])
        if self.grid + 2 < len(grids):
            rows = torch.arange(first, end, device=stack.device) // 2
            repeated = grids[self.grid + 2][rows].repeat_interleave(2, 1)
            inside[1].copy_(repeated[:, : self.columns])
        for phase, (top, left) in enumerate(PHASES):
            samples = grids[self.grid][top::2, left::2][first:end]
            inside[COARSER_SOURCES + phase, : samples.shape[0], : samples.shape[1]] = samples
        return stack

    def add(self, stack: Tensor, gradients: Sequence[Tensor]) -> None:
        """Gradient with respect to the sources, added to that with respect to all grids."""
        inside, (first, end) = self._inside(stack), self._seen
        if self.grid + 1 < len(gradients):
            gradients[self.grid + 1][first:end] += inside[0]
        if self.grid + 2 < len(gradients):
            coarse = gradients[self.grid + 2]
            rows, columns = (end + 1) // 2 - first // 2, coarse.shape[1]
            missing = (0, 2 * columns - self.columns, first % 2, end % 2)
            quads = pad(inside[1], missing).view(rows, 2, columns, 2)
            coarse[first // 2 : first // 2 + rows] += quads.sum((1, 3))
        for phase, (top, left) in enumerate(PHASES):
            samples = gradients[self.grid][top::2, left::2][first:end]
            samples += inside[COARSER_SOURCES + phase, : samples.shape[0], : samples.shape[1]]

    @property
    def _seen(self) -> tuple[int, int]:
        """Rows of the lattice that predictions see: one more on either side, where there is one."""
        return max(self.first - 1, 0), min(self.end + 1, self.rows)

    def _inside(self, stack: Tensor) -> Tensor:
        """Stack -> the part of it that the rows seen fill."""
        first, end = self._seen
        return stack[:, first - self.first + 1 : end - self.first + 1, 1:-1]


def cut_lattice(grid: int, shape: tuple[int, int], points: int) -> list[LatticePiece]:
    """Number and shape of a grid -> the pieces of its lattice, of so many points, about."""
    rows, columns = (-(-side // 2) for side in shape)
    height = max(1, points // columns)
    return [
        LatticePiece(grid, first, min(first + height, rows), rows, columns)
        for first in range(0, rows, height)
    ]
