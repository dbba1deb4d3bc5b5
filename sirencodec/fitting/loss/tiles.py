"""An image and its grids -> tiles, each with the samples of every grid that reach it, and back.

Tiles begin where a sample of every grid does and are all of one size, so one set of upsampling
matrices serves them all. The last ones reach beyond the image's edges; what is there counts for
nothing.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from sirencodec.synthesis.refinement import HALO
from sirencodec.synthesis.upsampling import MARGIN

ALIGNMENT = 64  # tiles begin at its multiples


class Tiles:
    """An image cut into tiles.

    Attributes:
        height, width: of every tile.
        origins: (top, left) of each.
        longest: the longer side of a tile.
        padded: (height, width) of all tiles together.
    """

    def __init__(
        self, size: tuple[int, int], exponents: Sequence[int], most: int, device: torch.device
    ) -> None:
        """Cut an image of ``size``, (height, width).

        Args:
            size: of the image.
            exponents: of the grids, rising.
            most: the longest that a side of a tile may be.
            device: where the grids and planes will be.
        """
        self._size, self._exponents = size, list(exponents)
        self.height, self.width = (min(most, -(-s // ALIGNMENT) * ALIGNMENT) for s in size)
        self.longest = max(self.height, self.width)
        down, across = range(0, size[0], self.height), range(0, size[1], self.width)
        self.padded = len(down) * self.height, len(across) * self.width
        self.origins = [(top, left) for top in down for left in across]
        self._around = [
            (
                _around(top, self.height, size[0]).to(device),
                _around(left, self.width, size[1]).to(device),
            )
            for top, left in self.origins
        ]
        self._reach = [
            (
                _reach(exponent, self.padded[0], size[0]).to(device),
                _reach(exponent, self.padded[1], size[1]).to(device),
            )
            for exponent in self._exponents
        ]

    def cut(self, planes: Tensor) -> list[Tensor]:
        """(channels, height, width) of the image -> (channels, points) a tile, zero beyond it."""
        height, width = self._size
        padded = planes.new_zeros(len(planes), *self.padded)
        padded[:, :height, :width] = planes
        return [
            padded[:, top : top + self.height, left : left + self.width].flatten(1)
            for top, left in self.origins
        ]

    def join(self, tiles: Sequence[Tensor]) -> Tensor:
        """(channels, points) a tile -> (channels, height, width) of the image."""
        height, width = self._size
        padded = tiles[0].new_empty(len(tiles[0]), *self.padded)
        for tile, (top, left) in zip(tiles, self.origins, strict=True):
            part = tile.view(-1, self.height, self.width)
            padded[:, top : top + self.height, left : left + self.width] = part
        return padded[:, :height, :width]

    def extend(self, grids: Sequence[Tensor]) -> list[Tensor]:
        """Grids -> the same with the samples that tiles need beyond the grids' edges."""
        pairs = zip(grids, self._reach, strict=True)
        return [grid[rows][:, columns] for grid, (rows, columns) in pairs]

    def extend_gradient(self, gradients: Sequence[Tensor], grids: Sequence[Tensor]) -> list[Tensor]:
        """Gradient with respect to extended grids -> with respect to ``grids``.

        The adjoint of ``extend``: a repeated sample collects what its copies have.
        """
        found = []
        for gradient, (rows, columns), grid in zip(gradients, self._reach, grids, strict=True):
            down = gradient.new_zeros(grid.shape[0], gradient.shape[1])
            across = gradient.new_zeros(grid.shape)
            found.append(across.index_add_(1, columns, down.index_add_(0, rows, gradient)))
        return found

    def window(self, index: int, exponent: int) -> tuple[slice, slice]:
        """Tile -> the samples of an extended grid that reach its pixels and the halo."""
        margin = MARGIN if exponent else HALO
        starts = [start >> exponent for start in self.origins[index]]
        counts = self.height >> exponent, self.width >> exponent
        rows, columns = (
            slice(start, start + count + 2 * margin)
            for start, count in zip(starts, counts, strict=True)
        )
        return rows, columns

    def around(self, index: int) -> tuple[Tensor, Tensor]:
        """Tile -> the rows of upsampling matrices that make its rows, and those for its columns."""
        return self._around[index]

    def matrices(
        self, index: int, matrices: Sequence[Tensor], exponent: int
    ) -> tuple[Tensor, Tensor]:
        """Tile -> matrices from a grid's window to its rows and to its columns of pixels.

        Args:
            index: of the tile.
            matrices: from ``upsampling_matrices``, for the longest side.
            exponent: of the grid, at least 1.
        """
        down, across = (
            matrices[exponent - 1][around, : (side >> exponent) + 2 * MARGIN]
            for around, side in zip(self._around[index], (self.height, self.width), strict=True)
        )
        return down, across


def _reach(exponent: int, padded: int, size: int) -> Tensor:
    """Grid exponent and pixels along an axis -> samples that its tiles need, the last repeated."""
    margin = MARGIN if exponent else HALO
    last = -(-size >> exponent) - 1
    return torch.arange(-margin, (padded >> exponent) + margin).clamp_(0, last)


def _around(start: int, length: int, size: int) -> Tensor:
    """Tile along an axis of ``size`` pixels -> rows of its upsampling matrices.

    They are those of its pixels and of the halo; beyond the image, of the outermost pixel.
    """
    pixels = torch.arange(start - HALO, start + length + HALO).clamp_(0, size - 1)
    return pixels - start + HALO
