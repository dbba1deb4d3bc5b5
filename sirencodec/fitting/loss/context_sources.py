"""Latent grids -> what a prediction of each grid's samples sees (FORMAT.md, section 8), and back.

The *sources* of a grid lie on its lattice, which has a point for every 2 x 2 of its samples: the
next coarser grid, the one after that, and its own four phases. As planes of one stack with a border
of zeros, their 3 x 3 neighbourhoods are windows of it.
"""

from collections.abc import Sequence

from torch import Tensor
from torch.nn.functional import pad

from sirencodec.entropy.context_model import COARSER_SOURCES, INPUT_BITS, NEIGHBOURS, PHASES

INPUT_SCALE = 2.0**-INPUT_BITS  # of a latent as an input of a context network


class ContextSources:
    """The sources of all grids of a pyramid.

    Attributes:
        lattices: (rows, columns) of each grid's lattice.
    """

    def __init__(self, shapes: Sequence[tuple[int, int]], like: Tensor) -> None:
        """Plan for grids of these shapes.

        Args:
            shapes: (rows, columns) of consecutive grids, finest first.
            like: dtype and device to compute with.
        """
        self._shapes, self._like = shapes, like
        self.lattices = [(-(-rows // 2), -(-columns // 2)) for rows, columns in shapes]

    def new_stacks(self, beyond: int = 0) -> list[Tensor]:
        """Zeros: (sources, rows + 2, columns + 2) a grid, and ``beyond`` numbers of room behind."""
        stacks = []
        for rows, columns in self.lattices:
            shape = COARSER_SOURCES + len(PHASES), rows + 2, columns + 2
            count = shape[0] * shape[1] * shape[2]
            stacks.append(self._like.new_zeros(count + beyond)[:count].view(shape))
        return stacks

    def fill(self, stack: Tensor, grids: Sequence[Tensor], index: int) -> None:
        """Write a grid's sources into its stack; the border, and what is missing, stay zero."""
        rows, columns = self.lattices[index]
        inside = stack[:, 1:-1, 1:-1]
        if index + 1 < len(grids):
            inside[0].copy_(grids[index + 1])
        if index + 2 < len(grids):
            repeated = grids[index + 2].repeat_interleave(2, 0).repeat_interleave(2, 1)
            inside[1].copy_(repeated[:rows, :columns])
        for phase, (top, left) in enumerate(PHASES):
            samples = grids[index][top::2, left::2]
            inside[COARSER_SOURCES + phase, : samples.shape[0], : samples.shape[1]] = samples

    def new_length_stacks(self, strip: int = 1) -> list[Tensor]:
        """Zeros: (phases, rows, columns) a grid, columns rounded up to a multiple of ``strip``."""
        return [
            self._like.new_zeros(len(PHASES), rows, -(-columns // strip) * strip)
            for rows, columns in self.lattices
        ]

    def code_lengths(self, stacks: Sequence[Tensor]) -> list[Tensor]:
        """Numbers of every phase's lattice points -> (rows, columns) a grid, one a sample."""
        grids = []
        for stack, (rows, columns) in zip(stacks, self._shapes, strict=True):
            grid = self._like.new_empty(rows, columns)
            for phase, (top, left) in enumerate(PHASES):
                samples = grid[top::2, left::2]
                samples.copy_(stack[phase, : samples.shape[0], : samples.shape[1]])
            grids.append(grid)
        return grids

    def gradient(self, stacks: Sequence[Tensor]) -> list[Tensor]:
        """Gradient with respect to all stacks -> with respect to the grids: adjoint of ``fill``."""
        gradients = [self._like.new_zeros(shape) for shape in self._shapes]
        for index, stack in enumerate(stacks):
            inside = stack[:, 1:-1, 1:-1]
            if index + 1 < len(gradients):
                gradients[index + 1] += inside[0]
            if index + 2 < len(gradients):
                rows, columns = gradients[index + 2].shape
                missing = (0, 2 * columns - inside.shape[2], 0, 2 * rows - inside.shape[1])
                quads = pad(inside[1], missing).view(rows, 2, columns, 2)
                gradients[index + 2] += quads.sum((1, 3))
            for phase, (top, left) in enumerate(PHASES):
                samples = gradients[index][top::2, left::2]
                samples += inside[COARSER_SOURCES + phase, : samples.shape[0], : samples.shape[1]]
        return gradients


def num_source_inputs(network: Sequence[Tensor]) -> int:
    """Network of a phase -> how many of its inputs are neighbours in sources; others are grids'."""
    return network[0].shape[1] // NEIGHBOURS * NEIGHBOURS
