"""Latent grids -> features at any coordinates.

Upsampled to pixel resolution, a grid is a *feature* at every pixel centre. The finest features are
refined by what surrounds them; between the centres, features are interpolated by Lanczos' kernel,
which passes through them. So the same rule gives what was fitted at the
stored size and a function with continuous derivatives everywhere else. Upsampling and interpolation
are linear and separable: along an axis, each is a matrix, and a rectangle of pixels or positions
takes two matrix products.

Work goes by cells of pixels; each needs the samples around it alone, so that neither a large image
nor a large output asks for much memory.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sirencodec.synthesis.lanczos import (
    Positions,
    Taps,
    lanczos_derivatives,
    lanczos_taps,
    lanczos_weights,
)
from sirencodec.synthesis.refinement import HALO, local_corrections
from sirencodec.synthesis.upsampling import MARGIN, upsampling_matrices

CELL = 128  # pixels
BORDER = 64  # pixels beyond a cell that are at hand; a multiple of every grid's stride
WINDOW = CELL + 2 * BORDER


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """Positions along an axis that share a stretch of pixels.

    Attributes:
        positions: slice of the positions asked for.
        interpolation: (positions, pixels) weights of the pixels' features.
        first_pixel: the stretch's first.
        upsampling: a (pixels + 4, samples) matrix a grid; the pixels next to the stretch as well,
            beyond the image its outermost ones.
        samples: of each grid, the indices that the columns stand for.
    """

    positions: slice
    interpolation: Tensor
    first_pixel: int
    upsampling: list[Tensor]
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
        kernels: Tensor,
        refinement: Sequence[Tensor],
        width: int,
        height: int,
    ) -> None:
        """Take a pyramid apart.

        Args:
            grids: (rows, columns) samples, of the dtype and on the device to compute with.
            exponents: one a grid.
            kernels: (octaves, 4), of no octaves if the only grid is the finest.
            refinement: matrices of just these grids (see ``Picture``), or none.
            width: of the image in pixels.
            height: of the image in pixels.
        """
        self._grids, self._refinement = list(grids), refinement
        self.exponents = list(exponents)
        self.width, self.height = width, height
        like = grids[0]
        matrices = upsampling_matrices(kernels, WINDOW)
        identity = torch.eye(WINDOW + 2 * HALO).to(like)
        self._upsampling = [matrices[k - 1] if k else identity for k in exponents]

    def cells(self, positions: Positions, size: int, axis: int) -> Iterator[Cell]:
        """Rising positions along an axis of ``size`` pixels -> their cells, in order."""
        clamped = np.clip(positions, 0.0, size)
        index = np.minimum(clamped, size - 1e-9) // CELL
        starts = np.flatnonzero(np.diff(index, prepend=-1.0))
        for start, stop in zip(starts, [*starts[1:], len(positions)], strict=True):
            chosen = slice(int(start), int(stop))
            yield self._cell(clamped[chosen], int(index[start]), size, axis, chosen)

    def _cell(self, positions: Positions, number: int, size: int, axis: int, chosen: slice) -> Cell:
        """Positions within cell ``number`` -> the cell."""
        like, window_start = self._grids[0], number * CELL - BORDER
        pixels, weights = lanczos_taps(positions, size, lanczos_weights)
        first, last = int(pixels.min()), int(pixels.max())
        interpolation = np.zeros((len(positions), last + 1 - first))
        for pixel, weight in zip(pixels, weights, strict=True):
            np.add.at(interpolation, (np.arange(len(positions)), pixel - first), weight)
        around = np.clip(np.arange(first - HALO, last + 1 + HALO), 0, size - 1)
        rows = torch.from_numpy(around - window_start + HALO).to(like.device)
        return Cell(
            chosen,
            torch.from_numpy(interpolation).to(like),
            first,
            [matrix[rows] for matrix in self._upsampling],
            self._samples(window_start, axis),
        )

    def _samples(self, window_start: int, axis: int) -> list[Tensor]:
        """Start of a window -> indices of each grid's samples there, repeating the outermost."""
        indices = []
        for grid, exponent in zip(self._grids, self.exponents, strict=True):
            margin = MARGIN if exponent else HALO
            start = (window_start >> exponent) - margin
            count = (WINDOW >> exponent) + 2 * margin
            index = torch.arange(start, start + count, device=grid.device)
            indices.append(index.clamp_(0, grid.shape[axis] - 1))
        return indices

    def rectangle(self, rows: Cell, columns: Cell) -> Tensor:
        """Product of two cells -> (features, positions down, positions across)."""
        return rows.interpolation @ self._at_pixels(rows, columns) @ columns.interpolation.T

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
        derivatives = like.new_empty(2, len(self._grids), len(x))
        inside_x, inside_y = np.clip(x, 0.0, self.width), np.clip(y, 0.0, self.height)
        # Beyond the image features stay what they are at its edge.
        moves = np.stack([inside_x == x, inside_y == y])
        cell_x = np.minimum(inside_x, self.width - 1e-9) // CELL
        cell_y = np.minimum(inside_y, self.height - 1e-9) // CELL
        cells, owner = np.unique(np.stack([cell_x, cell_y]), axis=1, return_inverse=True)
        for number, (column, row) in enumerate(cells.T.astype(np.int64)):
            chosen = np.flatnonzero(owner.reshape(-1) == number)
            x_here, y_here = inside_x[chosen], inside_y[chosen]
            across = self._cell(x_here, int(column), self.width, 1, slice(None))
            down = self._cell(y_here, int(row), self.height, 0, slice(None))
            pixels = self._at_pixels(down, across)
            plain, steep = (
                (
                    lanczos_taps(x_here, self.width, weigh, across.first_pixel),
                    lanczos_taps(y_here, self.height, weigh, down.first_pixel),
                )
                for weigh in (lanczos_weights, lanczos_derivatives)
            )
            at = torch.from_numpy(chosen).to(like.device)
            values[:, at] = _gather(pixels, *plain)
            derivatives[0][:, at] = _gather(pixels, steep[0], plain[1])
            derivatives[1][:, at] = _gather(pixels, plain[0], steep[1])
        return values, derivatives * torch.from_numpy(moves).to(like)[:, None]

    def _at_pixels(self, rows: Cell, columns: Cell) -> Tensor:
        """Product of two stretches of pixels -> (features, rows, columns), refined."""
        parts = zip(self._grids, _sides(rows), _sides(columns), strict=True)
        around = torch.stack(
            [down @ grid[i][:, j] @ across.T for grid, (down, i), (across, j) in parts]
        )
        features = around[:, HALO:-HALO, HALO:-HALO]
        if self._refinement:
            refined = len(self._refinement[1])
            features[:refined] += local_corrections(around, self._refinement)
        return features


def _sides(cell: Cell) -> Iterator[tuple[Tensor, Tensor]]:
    """Cell -> of each grid, the upsampling matrix and the samples of its columns."""
    return zip(cell.upsampling, cell.samples, strict=True)


def _gather(pixels: Tensor, across: Taps, down: Taps) -> Tensor:
    """Features of pixels -> (features, n) at points given by their taps along both axes."""
    total = pixels.new_zeros(len(pixels), across[0].shape[1])
    flat = pixels.flatten(1)
    for row, row_weight in zip(*down, strict=True):
        for column, column_weight in zip(*across, strict=True):
            weight = torch.from_numpy(row_weight * column_weight).to(pixels)
            index = torch.from_numpy(row * pixels.shape[2] + column).to(pixels.device)
            total += flat[:, index] * weight
    return total
