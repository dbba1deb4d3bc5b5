"""Latent grids -> features at any coordinates.

Upsampled to pixel resolution, a grid is a *feature* at every pixel centre; between the centres it
is interpolated by cubic convolution (Keys 1981, a = -1/2), which passes through them. So the same
rule gives what was fitted at the stored size and a continuous function everywhere else. All of it
is linear in the samples and separable: along an axis, a position is a row of weights over a grid's
samples, and a rectangle of positions is two matrix products.

Work goes by cells of pixels; each needs the samples around it alone, so that neither a large image
nor a large output asks for much memory.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sirencodec.upsampling import MARGIN, upsampling_matrices

CELL = 128  # pixels
BORDER = 64  # pixels beyond a cell that interpolation may reach; a multiple of every grid's stride
WINDOW = CELL + 2 * BORDER

Positions = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """Positions along an axis that share a window of pixels.

    Attributes:
        positions: slice of the positions asked for.
        weights: one (positions, samples) matrix a grid.
        samples: of each grid, the indices that the columns stand for.
    """

    positions: slice
    weights: list[Tensor]
    samples: list[Tensor]


class FeatureField:
    """The latent pyramid of an image as a vector-valued function of position.

    Positions are in pixels: 0 is the edge of the first, 1/2 its centre.

    Attributes:
        exponents: of the grids, rising; feature f is that of grid ``exponents[f]``.
        width, height: of the image in pixels.
    """

    def __init__(
        self,
        grids: Sequence[Tensor],
        exponents: Sequence[int],
        kernels: Tensor | None,
        width: int,
        height: int,
    ) -> None:
        """Take a pyramid apart.

        Args:
            grids: (rows, columns) samples, of the dtype and on the device to compute with.
            exponents: one a grid.
            kernels: (octaves, 4); None if the only grid is the finest.
            width: of the image in pixels.
            height: likewise.
        """
        self._grids = list(grids)
        self.exponents = list(exponents)
        self.width, self.height = width, height
        like = grids[0]
        matrices = [] if kernels is None else upsampling_matrices(kernels, WINDOW)
        identity = torch.eye(WINDOW).to(like)
        self._upsampling = [matrices[k - 1] if k else identity for k in exponents]

    def cells(self, positions: Positions, size: int, axis: int) -> Iterator[Cell]:
        """Rising positions along an axis of ``size`` pixels -> their cells, in order."""
        clamped = np.clip(positions, 0.0, size)
        index = np.minimum(clamped, size - 1e-9) // CELL
        starts = np.flatnonzero(np.diff(index, prepend=-1.0))
        for start, stop in zip(starts, [*starts[1:], len(positions)], strict=True):
            chosen = slice(int(start), int(stop))
            first_pixel = int(index[start]) * CELL - BORDER
            rows = self._interpolation(clamped[chosen], first_pixel, size, cubic_weights)
            weights = [rows @ matrix for matrix in self._upsampling]
            yield Cell(chosen, weights, self._samples(first_pixel, axis))

    def _interpolation(
        self,
        positions: Positions,
        first_pixel: int,
        size: int,
        weigh: Callable[[Positions], Positions],
    ) -> Tensor:
        """Positions -> (positions, WINDOW) weights of the pixels' features."""
        like = self._grids[0]
        nearest = np.floor(positions - 0.5).astype(np.int64)
        weights = weigh(positions - 0.5 - nearest)
        matrix = np.zeros((len(positions), WINDOW))
        row = np.arange(len(positions))
        for tap in range(4):
            pixel = np.clip(nearest + tap - 1, 0, size - 1) - first_pixel
            np.add.at(matrix, (row, pixel), weights[tap])
        return torch.from_numpy(matrix).to(like)

    def _samples(self, first_pixel: int, axis: int) -> list[Tensor]:
        """Start of a window -> indices of each grid's samples there, repeating the outermost."""
        indices = []
        for grid, exponent in zip(self._grids, self.exponents, strict=True):
            margin = MARGIN if exponent else 0
            start = (first_pixel >> exponent) - margin
            count = (WINDOW >> exponent) + 2 * margin
            index = torch.arange(start, start + count, device=grid.device)
            indices.append(index.clamp_(0, grid.shape[axis] - 1))
        return indices

    def rectangle(self, rows: Cell, columns: Cell) -> Tensor:
        """Product of two cells -> (features, positions down, positions across)."""
        return torch.stack(
            [
                down @ grid[row_samples][:, column_samples] @ across.T
                for grid, down, across, row_samples, column_samples in zip(
                    self._grids,
                    rows.weights,
                    columns.weights,
                    rows.samples,
                    columns.samples,
                    strict=True,
                )
            ]
        )

    def points(self, x: Positions, y: Positions) -> tuple[Tensor, Tensor]:
        """Scattered positions -> features and their derivatives.

        Args:
            x: (n,) positions.
            y: (n,) positions.

        Returns:
            (features, n) values and (2, features, n) derivatives along x and y, per pixel.
        """
        like = self._grids[0]
        values = like.new_empty(len(self._grids), len(x))
        slopes = like.new_empty(2, len(self._grids), len(x))
        inside_x, inside_y = np.clip(x, 0.0, self.width), np.clip(y, 0.0, self.height)
        # Beyond the image features stay what they are at its edge.
        moves = np.stack([inside_x == x, inside_y == y])
        cell_x = np.minimum(inside_x, self.width - 1e-9) // CELL
        cell_y = np.minimum(inside_y, self.height - 1e-9) // CELL
        cells, owner = np.unique(np.stack([cell_x, cell_y]), axis=1, return_inverse=True)
        for number, (left, top) in enumerate(cells.T.astype(np.int64) * CELL - BORDER):
            chosen = np.flatnonzero(owner.reshape(-1) == number)
            tile = self._tile(int(left), int(top))
            axes = (
                (inside_x[chosen], int(left), self.width),
                (inside_y[chosen], int(top), self.height),
            )
            plain = [_taps(*axis, cubic_weights) for axis in axes]
            steep = [_taps(*axis, cubic_slopes) for axis in axes]
            at = torch.from_numpy(chosen).to(like.device)
            values[:, at] = _gather(tile, plain[0], plain[1])
            slopes[0][:, at] = _gather(tile, steep[0], plain[1])
            slopes[1][:, at] = _gather(tile, plain[0], steep[1])
        return values, slopes * torch.from_numpy(moves).to(like)[:, None]

    def _tile(self, left: int, top: int) -> Tensor:
        """Corner of a window -> features at its pixel centres, (features, WINDOW, WINDOW)."""
        across, down = self._samples(left, 1), self._samples(top, 0)
        parts = zip(self._grids, self._upsampling, down, across, strict=True)
        return torch.stack([m @ grid[rows][:, columns] @ m.T for grid, m, rows, columns in parts])


Taps = tuple[npt.NDArray[np.int64], Positions]


def _taps(
    positions: Positions, first_pixel: int, size: int, weigh: Callable[[Positions], Positions]
) -> Taps:
    """Positions -> (4, n) pixels of the window and their (4, n) weights."""
    nearest = np.floor(positions - 0.5).astype(np.int64)
    pixels = nearest + np.arange(-1, 3)[:, None]
    return np.clip(pixels, 0, size - 1) - first_pixel, weigh(positions - 0.5 - nearest)


def _gather(tile: Tensor, across: Taps, down: Taps) -> Tensor:
    """Features of a window -> (features, n) at points given by their taps along both axes."""
    total = tile.new_zeros(len(tile), across[0].shape[1])
    for row, row_weight in zip(*down, strict=True):
        for column, column_weight in zip(*across, strict=True):
            weight = torch.from_numpy(row_weight * column_weight).to(tile)
            flat = torch.from_numpy(row * WINDOW + column).to(tile.device)
            total += tile.flatten(1)[:, flat] * weight
    return total


def cubic_weights(offset: Positions) -> Positions:
    """Distance past a sample, in [0, 1) -> (4, n) weights of that sample's neighbourhood."""
    t = offset
    return np.stack(
        [
            ((-0.5 * t + 1.0) * t - 0.5) * t,
            (1.5 * t - 2.5) * t * t + 1.0,
            ((-1.5 * t + 2.0) * t + 0.5) * t,
            (0.5 * t - 0.5) * t * t,
        ]
    )


def cubic_slopes(offset: Positions) -> Positions:
    """Derivatives of ``cubic_weights``."""
    t = offset
    return np.stack(
        [
            (-1.5 * t + 2.0) * t - 0.5,
            (4.5 * t - 5.0) * t,
            (-4.5 * t + 4.0) * t + 0.5,
            (1.5 * t - 1.0) * t,
        ]
    )
