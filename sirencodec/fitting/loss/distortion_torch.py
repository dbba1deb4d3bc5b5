"""Latents, kernels and network -> how far their picture is off, and the gradient of that.

In PyTorch, on any device. The image is taken tile by tile (``tile_synthesis``): forwards to the
values of a tile, then backwards from the gradient G with respect to them. For the mean squared
error over N samples, G = 2 w (values - targets) / N. A tile's activations are small enough for the
cache, and large enough for the cores to share each operation.
"""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from sirencodec.fitting.loss.backpropagation import to_squared_error_gradient
from sirencodec.fitting.loss.costs import Distortion, Gradient
from sirencodec.fitting.loss.cuda_graph import Recording
from sirencodec.fitting.loss.pixel_rows import RowSink
from sirencodec.fitting.loss.tile_synthesis import TileParts, TileSynthesis
from sirencodec.fitting.loss.tiles import Tiles
from sirencodec.synthesis.upsampling import kernels_gradient, upsampling_matrices

TILE = 256  # pixels; from 128 to 256 an update takes the same time, larger ones miss the cache
GPU_TILE = 1024  # a GPU's cores want more, and fewer operations

Tensors = Sequence[Tensor]


class TorchDistortion:
    """The distance from one image: a ``DistortionTerm``."""

    def __init__(
        self,
        targets: Tensor,
        exponents: Sequence[int],
        layers: Tensors,
        longest_tile: int | None = None,
    ) -> None:
        """Cut the image into tiles.

        Args:
            targets: (channels, height, width) values wanted.
            exponents: of the grids, rising.
            layers: networks will be shaped like this.
            longest_tile: pixels along a side of a tile, at most; None for what suits the device.
        """
        _, height, width = targets.shape
        self._count = targets.numel()
        longest = longest_tile or (GPU_TILE if targets.is_cuda else TILE)
        self._tiles = Tiles((height, width), exponents, longest, targets.device)
        self._synthesis = TileSynthesis((height, width), self._tiles, exponents, layers)
        self._targets = self._tiles.cut(targets)
        present = self._tiles.cut(targets.new_ones(1, height, width))
        self._present = [None if tile.all() else tile for tile in present]
        self._weight_roots: list[Tensor] = []
        self._is_weighted = False
        self._values = [torch.empty_like(tile) for tile in self._targets]
        self._gradient_recording = Recording(self._all_gradients)
        self._error_recordings = {
            is_weighted: Recording(self._error_and_gradients) for is_weighted in (False, True)
        }

    def set_targets(self, targets: Tensor, weights: Tensor | None = None) -> None:
        """Replace targets and weights. See ``DistortionTerm``."""
        # In the memory that a recording reads.
        for tile, new in zip(self._targets, self._tiles.cut(targets), strict=True):
            tile.copy_(new)
        self._is_weighted = weights is not None
        if weights is None:
            return
        roots = self._tiles.cut(weights.sqrt())
        if not self._weight_roots:
            self._weight_roots = [torch.empty_like(tile) for tile in self._targets]
        for tile, new in zip(self._weight_roots, roots, strict=True):
            tile.copy_(new.expand_as(tile))

    def __call__(
        self,
        layers: Tensors,
        kernels: Tensor,
        grids: Tensors,
        refinement: Tensors = (),
        values: Tensor | RowSink | None = None,
    ) -> Distortion:
        """Error and gradient. See ``DistortionTerm``."""
        recording = self._error_recordings[self._is_weighted]
        (error,), *gradients = recording(layers, [kernels], grids, refinement)
        if isinstance(values, Tensor):
            values.copy_(self._tiles.join(self._values))
        elif values is not None:
            values.put(0, self._tiles.join(self._values))
        return Distortion(float(error), _as_gradient(gradients))

    def gradient(
        self,
        value_gradient: Tensor,
        layers: Tensors,
        kernels: Tensor,
        grids: Tensors,
        refinement: Tensors = (),
    ) -> Gradient:
        """The backward half. See ``DistortionTerm``."""
        tiles = self._tiles.cut(value_gradient)
        return _as_gradient(self._gradient_recording(layers, [kernels], grids, refinement, tiles))

    def values(
        self, layers: Tensors, kernels: Tensor, grids: Tensors, refinement: Tensors = ()
    ) -> Tensor:
        """The forward half. See ``DistortionTerm``."""
        parts = self._parts(layers, kernels, grids, refinement)
        for index, tile in enumerate(self._values):
            tile.copy_(self._synthesis.evaluate(index, parts))
        return self._tiles.join(self._values)

    def errors_by_rows(
        self,
        layers: Tensors,
        kernels: Tensor,
        grids: Tensors,
        refinement: Tensors = (),
        *,
        is_sampled: bool = False,
    ) -> Iterator[tuple[int, Tensor]]:
        """All rows at once. See ``DistortionTerm``."""
        yield 0, self.errors(layers, kernels, grids, refinement)

    def errors(
        self, layers: Tensors, kernels: Tensor, grids: Tensors, refinement: Tensors = ()
    ) -> Tensor:
        """Errors of pixels alone. See ``DistortionTerm``."""
        self.values(layers, kernels, grids, refinement)
        errors = []
        for index, tile in enumerate(self._values):
            difference = tile.sub_(self._targets[index])
            roots = self._roots(index)
            if roots is not None:
                difference.mul_(roots)
            errors.append(difference.square_().mean(0, keepdim=True))
        return self._tiles.join(errors)[0]

    def _roots(self, index: int) -> Tensor | None:
        """Tile -> square roots of what its pixels weigh; None if all weigh 1."""
        return self._weight_roots[index] if self._is_weighted else self._present[index]

    def _error_and_gradients(
        self, layers: Tensors, kernels: Tensors, grids: Tensors, refinement: Tensors
    ) -> list[list[Tensor]]:
        """Mean squared error in a list of one, and its gradient as ``_backpropagate`` has it."""
        total = kernels[0].new_zeros(())

        def compare(index: int, values: Tensor) -> Tensor:
            self._values[index].copy_(values)
            error = to_squared_error_gradient(values, self._targets[index], self._roots(index))
            total.add_(error)
            return values

        sums = [[total], *self._backpropagate(layers, kernels, grids, refinement, compare)]
        return [[each.mul_(1 / self._count) for each in part] for part in sums]

    def _all_gradients(
        self,
        layers: Tensors,
        kernels: Tensors,
        grids: Tensors,
        refinement: Tensors,
        value_gradients: Tensors,
    ) -> list[list[Tensor]]:
        """Gradients with respect to the values of each tile -> what ``_backpropagate`` returns."""
        return self._backpropagate(
            layers, kernels, grids, refinement, lambda index, _: value_gradients[index]
        )

    def _backpropagate(
        self,
        layers: Tensors,
        kernels: Tensors,
        grids: Tensors,
        refinement: Tensors,
        value_gradient: Callable[[int, Tensor], Tensor],
    ) -> list[list[Tensor]]:
        """What a picture is made of -> the gradient of a number with respect to it, tile by tile.

        Args:
            layers: of the network.
            kernels: a list of one, as all of these are lists.
            grids: of latents.
            refinement: its matrices.
            value_gradient: number of a tile and its values -> gradient with respect to them.

        Returns:
            Gradients with respect to each of the first four, as lists like them.
        """
        parts = self._parts(layers, kernels[0], grids, refinement)
        sums = parts.zeros()
        for index in range(len(self._targets)):
            values = self._synthesis.forward(index, parts)
            self._synthesis.backward(index, value_gradient(index, values), parts, sums)
        of_grids = self._tiles.extend_gradient(sums.grids, grids)
        longest = self._tiles.longest
        of_kernels = kernels_gradient(kernels[0], longest, parts.matrices, sums.matrices)
        return [sums.layers, [of_kernels], of_grids, sums.refinement]

    def _parts(
        self, layers: Tensors, kernels: Tensor, grids: Tensors, refinement: Tensors
    ) -> TileParts:
        """All of a picture -> what its tiles are made of."""
        matrices = upsampling_matrices(kernels, self._tiles.longest)
        return TileParts(list(layers), matrices, self._tiles.extend(grids), list(refinement))


def _as_gradient(gradients: Sequence[list[Tensor]]) -> Gradient:
    """Gradients as ``_backpropagate`` returns them -> the same by name."""
    layers, (kernels,), grids, refinement = gradients
    return Gradient(layers, kernels, grids, refinement)
