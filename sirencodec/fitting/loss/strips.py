"""Lattices of grids -> strips of their rows, in groups that are computed together.

A grid's lattice has a point for every 2 x 2 of its samples. A group of strips has some ten thousand
points, few enough for its buffers to stay in the cache; all the small grids make one group.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Strip:
    """Some rows of a grid's lattice.

    Attributes:
        grid: number of the grid.
        top: its first row.
        bottom: the row after its last.
        columns: of the lattice.
    """

    grid: int
    top: int
    bottom: int
    columns: int

    @property
    def points(self) -> int:
        """How many there are."""
        return (self.bottom - self.top) * self.columns

    def view(self, values: Tensor) -> Tensor:
        """(..., points) -> (..., rows, columns), the same memory."""
        return values.view(*values.shape[:-1], self.bottom - self.top, self.columns)


def group_strips(lattices: Sequence[tuple[int, int]], most: int) -> list[list[Strip]]:
    """Lattices -> strips of all of them, in groups of about ``most`` points, or fewer.

    Args:
        lattices: (rows, columns) of each grid's.
        most: points; a strip of one row may have more.
    """
    strips = []
    for grid, (rows, columns) in enumerate(lattices):
        height = max(1, most // columns)
        strips += [
            Strip(grid, top, min(top + height, rows), columns) for top in range(0, rows, height)
        ]
    filled, number, numbers = 0, 0, []
    for strip in strips:
        if filled and filled + strip.points > most:
            filled, number = 0, number + 1
        filled += strip.points
        numbers.append(number)
    pairs = groupby(zip(numbers, strips, strict=True), key=lambda pair: pair[0])
    return [[strip for _, strip in members] for _, members in pairs]


def split_group(group: Sequence[Strip], values: Tensor) -> list[tuple[Strip, Tensor]]:
    """Values of a group's points -> those of each strip."""
    sizes = [strip.points for strip in group]
    return list(zip(group, torch.split(values, sizes), strict=True))
