"""Latents, kernels and network -> squared error of the image they make, and its gradient.

The image is taken tile by tile, a tile's activations small enough for the cache and large enough
for the cores to share each operation. In a tile the grids are brought to pixel resolution by two
matrix products each (``upsampling``), the finest features are refined, the network turns features
and coordinates into values, and the same steps backwards yield the gradient.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sirencodec.bitstream.architecture import INPUTS
from sirencodec.fitting.loss.buffers import Buffers
from sirencodec.fitting.loss.cuda_graph import Recording
from sirencodec.synthesis.coordinates import pixel_centres
from sirencodec.synthesis.network import Backpropagation, Layers, evaluate
from sirencodec.synthesis.refinement import HALO, corrections
from sirencodec.synthesis.upsampling import MARGIN, kernels_gradient, upsampling_matrices

TILE = 256  # pixels; from 128 to 256 a step takes the same time, larger ones miss the cache
GPU_TILE = 1024  # a GPU's cores want more, and fewer operations
ALIGNMENT = 64  # tiles begin where a sample of every grid does


@dataclass(frozen=True, slots=True, eq=False)
class Distortion:
    """How far an image is off.

    Attributes:
        error: mean squared error over pixels and channels, values being 0 to 1.
        layers, kernels, grids: its gradient.
        refinement: likewise; none if there was none.
    """

    error: float
    layers: Layers
    kernels: Tensor
    grids: list[Tensor]
    refinement: list[Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class _Refined:
    """Corrections of a tile's features, and what they were made of: features, then matrices."""

    corrections: Tensor
    leaves: list[Tensor]


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
        self._height, self._width = height, width
        self._exponents = list(exponents)
        most = GPU_TILE if targets.is_cuda else TILE
        self._tile_height, self._tile_width = (_tile_side(side, most) for side in (height, width))
        self._longest = max(self._tile_height, self._tile_width)
        self._down = range(0, height, self._tile_height)
        self._across = range(0, width, self._tile_width)
        rows = torch.arange(len(self._down) * self._tile_height).clamp_(max=height - 1)
        columns = torch.arange(len(self._across) * self._tile_width).clamp_(max=width - 1)
        padded = targets[:, rows.to(targets.device)][:, :, columns.to(targets.device)]
        self._count = channels * height * width
        self._targets, self._present, self._origins, self._around = [], [], [], []
        for top in self._down:
            for left in self._across:
                tile = padded[:, top : top + self._tile_height, left : left + self._tile_width]
                self._targets.append(tile.reshape(channels, -1).contiguous())
                self._present.append(self._presence(top, left, height, width, targets))
                self._origins.append((top, left))
                self._around.append(
                    (
                        _around(top, self._tile_height, height).to(targets.device),
                        _around(left, self._tile_width, width).to(targets.device),
                    )
                )
        axes = ((width, len(columns)), (height, len(rows)))
        self._x, self._y = (
            torch.from_numpy(pixel_centres(0, count, size, count)).to(targets)
            for size, count in axes
        )
        points = self._tile_height * self._tile_width
        self._backpropagation = Backpropagation(layers, points)
        self._points = layers[0].new_ones(INPUTS + len(self._exponents) + 1, points)
        self._buffers = Buffers(layers[0])
        self._reach = [
            (
                _reach(exponent, len(rows), height).to(targets.device),
                _reach(exponent, len(columns), width).to(targets.device),
            )
            for exponent in self._exponents
        ]
        self._recording = Recording(self._gradient)

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
        self,
        layers: Sequence[Tensor],
        kernels: Tensor,
        grids: Sequence[Tensor],
        refinement: Sequence[Tensor] = (),
    ) -> Distortion:
        """Error and gradient.

        Args:
            layers: augmented matrices; inputs are x, y and a feature a grid.
            kernels: (octaves, 4), of no octaves if the only grid is the finest.
            grids: (rows, columns) latents, finest first.
            refinement: its matrices; none for features as they are.
        """
        (error,), layer_slopes, (kernel_slope,), grid_slopes, refinement_slopes = self._recording(
            layers, [kernels], grids, refinement
        )
        return Distortion(float(error), layer_slopes, kernel_slope, grid_slopes, refinement_slopes)

    def _gradient(
        self,
        layers: Sequence[Tensor],
        kernels: Sequence[Tensor],
        grids: Sequence[Tensor],
        refinement: Sequence[Tensor],
    ) -> list[list[Tensor]]:
        """Error, and the gradient along each argument. Error and kernels are lists of one."""
        extended, matrices = self._extend(grids), self._all_matrices(kernels[0])
        slopes = [torch.zeros_like(grid) for grid in extended]
        matrix_slopes = [torch.zeros_like(matrix) for matrix in matrices]
        layer_slopes = [torch.zeros_like(layer) for layer in layers]
        refinement_slopes = [torch.zeros_like(matrix) for matrix in refinement]
        total = self._points.new_zeros(())
        for index in range(len(self._targets)):
            features = self._upsample(index, matrices, extended)
            refined = self._refine(features, refinement)
            self._fill(index, features, refined)
            loss, gradients = self._backpropagation(
                layers, self._points, self._targets[index], self._present[index]
            )
            total += loss
            for slope, gradient in zip(layer_slopes, gradients, strict=True):
                slope += gradient
            delta = self._along_features(layers)
            self._refine_backwards(refined, delta, refinement_slopes)
            self._upsample_backwards(index, delta, matrices, extended, slopes, matrix_slopes)
        grid_slopes = [
            _fold(slope, reach, grid.shape)
            for slope, reach, grid in zip(slopes, self._reach, grids, strict=True)
        ]
        kernel_slope = kernels_gradient(kernels[0], self._longest, matrices, matrix_slopes)
        sums = [[total], layer_slopes, [kernel_slope], grid_slopes, refinement_slopes]
        return [[each.mul_(1 / self._count) for each in part] for part in sums]

    def errors(
        self,
        layers: Sequence[Tensor],
        kernels: Tensor,
        grids: Sequence[Tensor],
        refinement: Sequence[Tensor] = (),
    ) -> Tensor:
        """(height, width) errors of pixels alone, at a third of the work. Arguments as above."""
        extended, matrices = self._extend(grids), self._all_matrices(kernels)
        errors = kernels.new_empty(len(self._y), len(self._x))
        for index, (top, left) in enumerate(self._origins):
            features = self._upsample(index, matrices, extended)
            self._fill(index, features, self._refine(features, refinement))
            error = evaluate(layers, self._points).sub_(self._targets[index]).square_().mean(0)
            height, width = self._tile_height, self._tile_width
            errors[top : top + height, left : left + width] = error.view(height, width)
        return errors[: self._height, : self._width]

    def _extend(self, grids: Sequence[Tensor]) -> list[Tensor]:
        """Grids -> the same with the samples that tiles need beyond their edges."""
        pairs = zip(grids, self._reach, strict=True)
        return [grid[rows][:, columns] for grid, (rows, columns) in pairs]

    def _all_matrices(self, kernels: Tensor) -> list[Tensor]:
        """Kernels -> upsampling matrices for the longer side of a tile."""
        return upsampling_matrices(kernels, self._longest)

    def _upsample(self, index: int, matrices: Sequence[Tensor], grids: Sequence[Tensor]) -> Tensor:
        """Tile -> features of its pixels and of those around them."""
        height, width = self._tile_height + 2 * HALO, self._tile_width + 2 * HALO
        features = self._buffers("features", len(grids), height, width)
        for number, (exponent, grid) in enumerate(zip(self._exponents, grids, strict=True)):
            window = grid[self._window(index, exponent)]
            if exponent:
                down, across = self._matrices(index, matrices, exponent)
                half = self._buffers(f"half {exponent}", height, across.shape[1])
                torch.mm(torch.mm(down, window, out=half), across.t(), out=features[number])
            else:
                features[number].copy_(window)
        return features

    def _refine(self, features: Tensor, refinement: Sequence[Tensor]) -> _Refined | None:
        """Features with their surroundings -> corrections of the finest, ready for a gradient."""
        if not refinement:
            return None
        leaves = [tensor.detach().requires_grad_() for tensor in (features, *refinement)]
        with torch.enable_grad():
            return _Refined(corrections(leaves[0], self._exponents, leaves[1:]), leaves)

    def _fill(self, index: int, features: Tensor, refined: _Refined | None) -> None:
        """Tile and features -> the points that the network is asked for."""
        top, left = self._origins[index]
        shape = height, width = self._tile_height, self._tile_width
        inputs = self._points.view(-1, *shape)
        inputs[0].copy_(self._x[left : left + width].expand(shape))
        inputs[1].copy_(self._y[top : top + height, None].expand(shape))
        inputs[INPUTS:-1].copy_(features[:, HALO:-HALO, HALO:-HALO])
        if refined is not None:
            inputs[INPUTS : INPUTS + len(refined.corrections)] += refined.corrections.detach()

    def _along_features(self, layers: Sequence[Tensor]) -> Tensor:
        """The last tile's gradient along its features, with a border of zeros."""
        count, height, width = len(self._exponents), self._tile_height, self._tile_width
        inner = self._buffers("delta", count, height * width)
        self._backpropagation.along_inputs(layers, slice(INPUTS, INPUTS + count), inner)
        delta = self._buffers("delta around", count, height + 2 * HALO, width + 2 * HALO)
        delta.zero_()[:, HALO:-HALO, HALO:-HALO] = inner.view(count, height, width)
        return delta

    def _refine_backwards(
        self, refined: _Refined | None, delta: Tensor, refinement_slopes: Sequence[Tensor]
    ) -> None:
        """Take the corrections' gradient to the features they come from, and to the refinement."""
        if refined is None:
            return
        along = delta[: len(refined.corrections), HALO:-HALO, HALO:-HALO]
        features, *matrices = torch.autograd.grad([refined.corrections], refined.leaves, [along])
        delta += features
        for slope, gradient in zip(refinement_slopes, matrices, strict=True):
            slope += gradient

    def _upsample_backwards(
        self,
        index: int,
        delta: Tensor,
        matrices: Sequence[Tensor],
        grids: Sequence[Tensor],
        slopes: Sequence[Tensor],
        matrix_slopes: Sequence[Tensor],
    ) -> None:
        """Add a tile's gradient to that of the grids and matrices."""
        rows, columns = self._around[index]
        for number, exponent in enumerate(self._exponents):
            feature, window = delta[number], self._window(index, exponent)
            if not exponent:
                slopes[number][window] += feature
                continue
            down, across = self._matrices(index, matrices, exponent)
            half = self._buffers(f"slope {exponent}", len(down), across.shape[1])
            torch.mm(feature, across, out=half)
            slopes[number][window].addmm_(down.t(), half)
            slope = matrix_slopes[exponent - 1]
            halfway = self._buffers(f"half {exponent}", len(down), across.shape[1])
            slope[:, : across.shape[1]].index_add_(0, columns, feature.t() @ halfway)
            slope[:, : down.shape[1]].index_add_(0, rows, half @ grids[number][window].t())

    def _window(self, index: int, exponent: int) -> tuple[slice, slice]:
        """Tile -> the samples of an extended grid that reach it."""
        margin = MARGIN if exponent else HALO
        starts = [start >> exponent for start in self._origins[index]]
        counts = self._tile_height >> exponent, self._tile_width >> exponent
        rows, columns = (
            slice(start, start + count + 2 * margin)
            for start, count in zip(starts, counts, strict=True)
        )
        return rows, columns

    def _matrices(
        self, index: int, matrices: Sequence[Tensor], exponent: int
    ) -> tuple[Tensor, Tensor]:
        """Tile -> matrices from a grid's window to its rows and columns of pixels."""
        down, across = (
            matrices[exponent - 1][around, : (side >> exponent) + 2 * MARGIN]
            for around, side in zip(
                self._around[index], (self._tile_height, self._tile_width), strict=True
            )
        )
        return down, across


def _tile_side(side: int, most: int) -> int:
    """Side of the image, and the longest a tile may have -> side of its tiles."""
    return min(most, -(-side // ALIGNMENT) * ALIGNMENT)


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


def _fold(slope: Tensor, reach: tuple[Tensor, Tensor], shape: Sequence[int]) -> Tensor:
    """Gradient of an extended grid -> that of the grid: repeated samples collect theirs."""
    rows = slope.new_zeros(shape[0], slope.shape[1]).index_add_(0, reach[0], slope)
    return slope.new_zeros(tuple(shape)).index_add_(1, reach[1], rows)
