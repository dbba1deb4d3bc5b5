"""Latents, kernels and network -> squared error of the image they make, and its gradient.

The image is taken tile by tile, a tile's activations small enough for the cache and large enough
for the cores to share each operation. In a tile the grids are brought to pixel resolution by two
matrix products each (``upsampling``), the network turns features and coordinates into values, and
the same steps backwards yield the gradient.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sirencodec.architecture import INPUTS
from sirencodec.buffers import Buffers
from sirencodec.grid import pixel_centres
from sirencodec.siren import Backpropagation, Layers
from sirencodec.upsampling import MARGIN, upsampling_matrices

TILE = 256  # pixels; from 128 to 256 a step takes the same time, larger ones miss the cache
ALIGNMENT = 64  # tiles begin where a sample of every grid does


@dataclass(frozen=True, slots=True, eq=False)
class Distortion:
    """How far an image is off.

    Attributes:
        error: mean squared error over pixels and channels, values being 0 to 1.
        layers, kernels, grids: its gradient; no kernels if the only grid is the finest.
    """

    error: float
    layers: Layers
    kernels: Tensor | None
    grids: list[Tensor]


class TileGradient:
    """The error against one image."""

    def __init__(self, targets: Tensor, exponents: Sequence[int], layers: Sequence[Tensor]) -> None:
        """Cut the image into tiles.

        Args:
            targets: (channels, height, width) values wanted.
            exponents: of the grids, rising.
            layers: networks will be shaped like this.
        """
        channels, height, width = targets.shape
        self._exponents = list(exponents)
        self._tile_height, self._tile_width = (_tile_side(side) for side in (height, width))
        self._down = range(0, height, self._tile_height)
        self._across = range(0, width, self._tile_width)
        rows = torch.arange(len(self._down) * self._tile_height).clamp_(max=height - 1)
        columns = torch.arange(len(self._across) * self._tile_width).clamp_(max=width - 1)
        padded = targets[:, rows.to(targets.device)][:, :, columns.to(targets.device)]
        self._count = channels * height * width
        self._targets, self._present, self._origins = [], [], []
        for top in self._down:
            for left in self._across:
                tile = padded[:, top : top + self._tile_height, left : left + self._tile_width]
                self._targets.append(tile.reshape(channels, -1).contiguous())
                self._present.append(self._presence(top, left, height, width, targets))
                self._origins.append((top, left))
        axes = ((width, len(columns)), (height, len(rows)))
        self._x, self._y = (
            torch.from_numpy(pixel_centres(0, count, size, count)).to(targets)
            for size, count in axes
        )
        points = self._tile_height * self._tile_width
        self._backpropagation = Backpropagation(layers, points)
        self._points = targets.new_ones(INPUTS + len(self._exponents) + 1, points)
        self._buffers = Buffers(targets)
        self._reach = [
            (
                _reach(exponent, len(rows), height).to(targets.device),
                _reach(exponent, len(columns), width).to(targets.device),
            )
            for exponent in self._exponents
        ]

    def _presence(
        self, top: int, left: int, height: int, width: int, like: Tensor
    ) -> Tensor | None:
        """1 for a tile's pixels inside the image, 0 for others; None if all are."""
        rows, columns = min(height - top, self._tile_height), min(width - left, self._tile_width)
        if (rows, columns) == (self._tile_height, self._tile_width):
            return None
        present = like.new_zeros(self._tile_height, self._tile_width)
        present[:rows, :columns] = 1
        return present.flatten()

    def __call__(
        self, layers: Sequence[Tensor], kernels: Tensor | None, grids: Sequence[Tensor]
    ) -> Distortion:
        """Error and gradient.

        Args:
            layers: augmented matrices; inputs are x, y and a feature a grid.
            kernels: (octaves, 4).
            grids: (rows, columns) latents, finest first.
        """
        extended = [
            grid[rows][:, columns] for grid, (rows, columns) in zip(grids, self._reach, strict=True)
        ]
        slopes = [torch.zeros_like(grid) for grid in extended]
        leaf = None if kernels is None else kernels.detach().requires_grad_()
        matrices = []
        if leaf is not None:
            with torch.enable_grad():
                matrices = upsampling_matrices(leaf, max(self._tile_height, self._tile_width))
        plain = [matrix.detach() for matrix in matrices]
        matrix_slopes = [torch.zeros_like(matrix) for matrix in plain]
        layer_slopes = [torch.zeros_like(layer) for layer in layers]
        total = 0.0
        for index in range(len(self._targets)):
            loss, gradients = self._tile(index, layers, plain, extended, slopes, matrix_slopes)
            total += float(loss)
            for slope, gradient in zip(layer_slopes, gradients, strict=True):
                slope += gradient
        scale = 1 / self._count
        kernel_slope = None
        if leaf is not None:
            kernel_slope = torch.autograd.grad(matrices, [leaf], matrix_slopes)[0] * scale
        return Distortion(
            total * scale,
            [slope.mul_(scale) for slope in layer_slopes],
            kernel_slope,
            [
                _fold(slope, reach, grid.shape).mul_(scale)
                for slope, reach, grid in zip(slopes, self._reach, grids, strict=True)
            ],
        )

    def _tile(
        self,
        index: int,
        layers: Sequence[Tensor],
        matrices: Sequence[Tensor],
        grids: Sequence[Tensor],
        slopes: Sequence[Tensor],
        matrix_slopes: Sequence[Tensor],
    ) -> tuple[Tensor, Layers]:
        """Squared error of one tile and the layers' gradient; the others' are added up."""
        top, left = self._origins[index]
        shape = height, width = self._tile_height, self._tile_width
        points = self._points
        points[0].view(shape).copy_(self._x[left : left + width].expand(shape))
        points[1].view(shape).copy_(self._y[top : top + height, None].expand(shape))
        halfway = []
        for row, exponent in enumerate(self._exponents, INPUTS):
            grid, window = grids[row - INPUTS], self._window(exponent, top, left)
            feature = points[row].view(shape)
            if exponent:
                down, across = self._matrices(matrices[exponent - 1], exponent)
                half = self._buffers(f"half {exponent}", height, across.shape[1])
                torch.mm(down, grid[window], out=half)
                torch.mm(half, across.t(), out=feature)
                halfway.append(half)
            else:
                feature.copy_(grid[window])
                halfway.append(feature)
        loss, gradients = self._backpropagation(
            layers, points, self._targets[index], self._present[index]
        )
        rows = slice(INPUTS, INPUTS + len(self._exponents))
        delta = self._buffers("delta", len(self._exponents), height * width)
        self._backpropagation.along_inputs(layers, rows, delta)
        for number, exponent in enumerate(self._exponents):
            feature, window = delta[number].view(shape), self._window(exponent, top, left)
            if not exponent:
                slopes[number][window] += feature
                continue
            down, across = self._matrices(matrices[exponent - 1], exponent)
            half = self._buffers(f"slope {exponent}", height, across.shape[1])
            torch.mm(feature, across, out=half)
            slopes[number][window].addmm_(down.t(), half)
            slope = matrix_slopes[exponent - 1]
            slope[:width, : across.shape[1]].addmm_(feature.t(), halfway[number])
            slope[:height, : down.shape[1]].addmm_(half, grids[number][window].t())
        return loss, gradients

    def _window(self, exponent: int, top: int, left: int) -> tuple[slice, slice]:
        """Origin of a tile -> the samples of an extended grid that reach it."""
        margin = MARGIN if exponent else 0
        starts = top >> exponent, left >> exponent
        counts = self._tile_height >> exponent, self._tile_width >> exponent
        rows, columns = (
            slice(start, start + count + 2 * margin)
            for start, count in zip(starts, counts, strict=True)
        )
        return rows, columns

    def _matrices(self, matrix: Tensor, exponent: int) -> tuple[Tensor, Tensor]:
        """Matrix for the longer side of a tile -> those for its height and its width."""
        height, width = (
            matrix[:side, : (side >> exponent) + 2 * MARGIN]
            for side in (self._tile_height, self._tile_width)
        )
        return height, width


def _tile_side(side: int) -> int:
    """Side of the image -> side of its tiles."""
    return min(TILE, -(-side // ALIGNMENT) * ALIGNMENT)


def _reach(exponent: int, padded: int, size: int) -> Tensor:
    """Grid exponent and pixels along an axis -> samples that its tiles need, the last repeated."""
    margin = MARGIN if exponent else 0
    last = -(-size >> exponent) - 1
    return torch.arange(-margin, (padded >> exponent) + margin).clamp_(0, last)


def _fold(slope: Tensor, reach: tuple[Tensor, Tensor], shape: Sequence[int]) -> Tensor:
    """Gradient of an extended grid -> that of the grid: repeated samples collect theirs."""
    rows = slope.new_zeros(shape[0], slope.shape[1]).index_add_(0, reach[0], slope)
    return slope.new_zeros(tuple(shape)).index_add_(1, reach[1], rows)
