"""Tile -> values of its pixels, and a gradient with respect to those -> one to all they come from.

Forwards, with grids g_k, upsampling matrices D_k (down) and C_k (across), refinement r and network
f:

    features_k = D_k g_k C_k^T      refined = features + r(features)      values = f(x, y, refined)

Backwards, by the chain rule: ``Backpropagation`` takes the gradient with respect to values through
f, autograd takes it through r, and from F_k, that with respect to feature k, follow

    with respect to g_k: D_k^T F_k C_k      to C_k: F_k^T D_k g_k      to D_k: F_k C_k g_k^T
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sirencodec.bitstream.architecture import INPUTS
from sirencodec.fitting.loss.backpropagation import Backpropagation
from sirencodec.fitting.loss.buffers import Buffers
from sirencodec.fitting.loss.tiles import Tiles
from sirencodec.synthesis.coordinates import pixel_centres
from sirencodec.synthesis.network import evaluate
from sirencodec.synthesis.refinement import HALO, corrections


@dataclass(frozen=True, slots=True, eq=False)
class TileParts:
    """What tiles are made of, or a gradient with respect to that.

    Attributes:
        layers: augmented matrices of the network.
        matrices: from ``upsampling_matrices``, for the longest side of a tile.
        grids: as ``Tiles.extend`` returns them.
        refinement: its two matrices, or none.
    """

    layers: list[Tensor]
    matrices: list[Tensor]
    grids: list[Tensor]
    refinement: list[Tensor]

    def zeros(self) -> "TileParts":
        """A gradient that nothing has been added to."""
        groups = (self.layers, self.matrices, self.grids, self.refinement)
        return TileParts(*([torch.zeros_like(tensor) for tensor in group] for group in groups))


@dataclass(frozen=True, slots=True, eq=False)
class _Refined:
    """Corrections of a tile's features, and what they were made of: features, then matrices."""

    corrections: Tensor
    leaves: list[Tensor]


class TileSynthesis:
    """One tile at a time, forwards and then backwards, in the same buffers."""

    def __init__(
        self,
        size: tuple[int, int],
        tiles: Tiles,
        exponents: Sequence[int],
        layers: Sequence[Tensor],
    ) -> None:
        """Make buffers for a tile.

        Args:
            size: (height, width) of the image.
            tiles: of the image.
            exponents: of the grids, rising.
            layers: networks will be shaped like this.
        """
        self._tiles, self._exponents = tiles, list(exponents)
        points = tiles.height * tiles.width
        self._backpropagation = Backpropagation(layers, points)
        self._points = layers[0].new_ones(INPUTS + len(self._exponents) + 1, points)
        self._buffers = Buffers(layers[0])
        self._y, self._x = (
            torch.from_numpy(pixel_centres(0, count, side, count)).to(layers[0])
            for side, count in zip(size, tiles.padded, strict=True)
        )
        self._refined: _Refined | None = None

    def evaluate(self, index: int, parts: TileParts) -> Tensor:
        """Tile -> (channels, points) values, with no way back."""
        self._fill(index, parts)
        return evaluate(parts.layers, self._points)

    def forward(self, index: int, parts: TileParts) -> Tensor:
        """Tile -> (channels, points) values, in a buffer that the next tile overwrites."""
        self._fill(index, parts)
        return self._backpropagation.values(parts.layers, self._points)

    def backward(
        self, index: int, value_gradient: Tensor, parts: TileParts, sums: TileParts
    ) -> None:
        """After ``forward``: add a tile's gradient to ``sums``.

        Args:
            index: of the tile that was last taken forward.
            value_gradient: (channels, points), with respect to its values.
            parts: what it is made of.
            sums: gradient with respect to the parts, added to.
        """
        gradients = self._backpropagation.gradient(parts.layers, self._points, value_gradient)
        for total, gradient in zip(sums.layers, gradients, strict=True):
            total += gradient
        feature_gradient = self._feature_gradient(parts.layers)
        if self._refined is not None:
            refined = self._refined.corrections
            given = feature_gradient[: len(refined), HALO:-HALO, HALO:-HALO]
            features, *matrices = torch.autograd.grad([refined], self._refined.leaves, [given])
            feature_gradient += features
            for total, gradient in zip(sums.refinement, matrices, strict=True):
                total += gradient
        self._upsample_backwards(index, feature_gradient, parts, sums)

    def _fill(self, index: int, parts: TileParts) -> None:
        """Tile -> the points that the network is asked for."""
        features = self._upsample(index, parts)
        self._refined = self._refine(features, parts.refinement)
        top, left = self._tiles.origins[index]
        shape = height, width = self._tiles.height, self._tiles.width
        inputs = self._points.view(-1, *shape)
        inputs[0].copy_(self._x[left : left + width].expand(shape))
        inputs[1].copy_(self._y[top : top + height, None].expand(shape))
        inputs[INPUTS:-1].copy_(features[:, HALO:-HALO, HALO:-HALO])
        if self._refined is not None:
            added = self._refined.corrections.detach()
            inputs[INPUTS : INPUTS + len(added)] += added

    def _upsample(self, index: int, parts: TileParts) -> Tensor:
        """Tile -> features of its pixels and of those around them."""
        height, width = self._tiles.height + 2 * HALO, self._tiles.width + 2 * HALO
        features = self._buffers("features", len(parts.grids), height, width)
        for number, (exponent, grid) in enumerate(zip(self._exponents, parts.grids, strict=True)):
            window = grid[self._tiles.window(index, exponent)]
            if exponent:
                down, across = self._tiles.matrices(index, parts.matrices, exponent)
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

    def _feature_gradient(self, layers: Sequence[Tensor]) -> Tensor:
        """The tile's gradient with respect to the network's features, with a border of zeros."""
        count, height, width = len(self._exponents), self._tiles.height, self._tiles.width
        inner = self._buffers("feature gradient", count, height * width)
        self._backpropagation.inputs_gradient(layers, slice(INPUTS, INPUTS + count), inner)
        around = self._buffers("with border", count, height + 2 * HALO, width + 2 * HALO)
        around.zero_()[:, HALO:-HALO, HALO:-HALO] = inner.view(count, height, width)
        return around

    def _upsample_backwards(
        self, index: int, feature_gradient: Tensor, parts: TileParts, sums: TileParts
    ) -> None:
        """Add a tile's gradient with respect to grids and upsampling matrices."""
        rows, columns = self._tiles.around(index)
        for number, exponent in enumerate(self._exponents):
            feature, window = feature_gradient[number], self._tiles.window(index, exponent)
            if not exponent:
                sums.grids[number][window] += feature
                continue
            down, across = self._tiles.matrices(index, parts.matrices, exponent)
            half = self._buffers(f"half gradient {exponent}", len(down), across.shape[1])
            torch.mm(feature, across, out=half)
            sums.grids[number][window].addmm_(down.t(), half)
            total = sums.matrices[exponent - 1]
            halfway = self._buffers(f"half {exponent}", len(down), across.shape[1])
            total[:, : across.shape[1]].index_add_(0, columns, feature.t() @ halfway)
            grid = parts.grids[number][window]
            total[:, : down.shape[1]].index_add_(0, rows, half @ grid.t())
