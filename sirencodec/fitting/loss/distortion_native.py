"""Latents, kernels and network -> how far their picture is off, and the gradient of that, compiled.

What ``distortion_torch`` computes tile by tile, here in three passes: each grid to pixel
resolution, then bands of rows through refinement and network and back, then the way back of each
grid.
"""

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor

from sirencodec.fitting.loss.costs import Distortion, Gradient
from sirencodec.native.library import Loops
from sirencodec.native.tasks import STRIP, DistortionTask, UpsamplingTask, rounded_up
from sirencodec.native.tensors import address, describe_layers
from sirencodec.synthesis.coordinates import pixel_centres
from sirencodec.synthesis.refinement import HALO, LocalRefinement
from sirencodec.synthesis.threads import Workers

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, eq=False)
class _Band:
    """Rows ``top`` to ``bottom`` of the image.

    Attributes:
        below: slopes along the last of the features around them, where the next band begins; None
            of the last band.
    """

    top: int
    bottom: int
    below: Tensor | None


class NativeDistortion:
    """The distance from one image: a ``DistortionTerm``."""

    def __init__(
        self, targets: Tensor, exponents: Sequence[int], workers: Workers, loops: Loops
    ) -> None:
        """Make room for features and slopes.

        Args:
            targets: (channels, height, width) values wanted, on the CPU.
            exponents: of the grids, rising.
            workers: threads to share the work among.
            loops: for the targets' dtype.
        """
        self._exponents, self._workers, self._loops = list(exponents), workers, loops
        channels, self._height, self._width = targets.shape
        self._count = channels * self._height * self._width
        self._targets = targets.new_zeros(channels, self._height, rounded_up(self._width))
        self._targets[:, :, : self._width] = targets
        self._x, self._y = (
            torch.from_numpy(pixel_centres(0, count, size, count)).to(targets)
            for size, count in (
                (self._width, rounded_up(self._width)),
                (self._height, self._height),
            )
        )
        # Pixels and those around them, in rows with room for whole strips.
        row = rounded_up(self._width + 2 * HALO) + 2 * STRIP
        shape = len(self._exponents), self._height + 2 * HALO, row
        self._features, self._slopes = targets.new_zeros(shape), targets.new_zeros(shape)
        bounds = [self._height * part // workers.count for part in range(workers.count + 1)]
        self._bands = [
            _Band(
                top,
                bottom,
                None if bottom == self._height else targets.new_zeros(shape[0], 2 * HALO, row),
            )
            for top, bottom in pairwise(bounds)
            if top < bottom
        ]
        largest = UpsamplingTask(
            exponent=self._exponents[-1], height=self._height, width=self._width
        )
        size = loops.upsampling_memory(ctypes.byref(largest))
        self._memory = [targets.new_zeros(size) for _ in range(workers.count)]

    def __call__(
        self,
        layers: Sequence[Tensor],
        kernels: Tensor,
        grids: Sequence[Tensor],
        refinement: Sequence[Tensor] = (),
    ) -> Distortion:
        """Error and gradient. See ``DistortionTerm``."""
        kernels = kernels.contiguous()
        self._upsample(kernels, grids)
        layers = [layer.contiguous() for layer in layers]
        local = LocalRefinement(self._exponents, refinement)
        matrices = [*local.matrices, *layers]

        def run(band: _Band) -> tuple[float, list[Tensor]]:
            for slopes in self._slopes_of(band):
                slopes.zero_()
            gradient = [torch.zeros_like(matrix) for matrix in matrices]
            return self._run(band, matrices, len(local.matrices), gradient), gradient

        parts = self._workers.map(run, self._bands)
        scale = 1 / self._count
        gradient = [
            torch.stack(same).sum(0).mul_(scale)
            for same in zip(*(of_band for _, of_band in parts), strict=True)
        ]
        for band in self._bands:
            if band.below is not None:
                self._slopes[:, band.bottom : band.bottom + 2 * HALO] += band.below
        back = self._each_grid(lambda index, task: self._upsample_back(task, grids[index], kernels))
        of_kernels = sum((kernel_slope for _, kernel_slope in back), torch.zeros_like(kernels))
        return Distortion(
            sum(error for error, _ in parts) * scale,
            Gradient(
                gradient[len(local.matrices) :],
                of_kernels * scale,
                [slope.mul_(scale) for slope, _ in back],
                local.gradient(gradient[: len(local.matrices)]),
            ),
        )

    def errors(
        self,
        layers: Sequence[Tensor],
        kernels: Tensor,
        grids: Sequence[Tensor],
        refinement: Sequence[Tensor] = (),
    ) -> Tensor:
        """Errors of pixels alone. See ``DistortionTerm``."""
        self._upsample(kernels.contiguous(), grids)
        local = LocalRefinement(self._exponents, refinement)
        matrices = [*local.matrices, *(layer.contiguous() for layer in layers)]
        errors = torch.empty_like(self._targets[0])
        self._workers.map(
            lambda band: self._run(band, matrices, len(local.matrices), errors=errors), self._bands
        )
        return errors[:, : self._width].div_(len(self._targets))

    def _upsample(self, kernels: Tensor, grids: Sequence[Tensor]) -> None:
        """Fill the features."""

        def upsample(index: int, task: UpsamplingTask) -> None:
            grid = grids[index].contiguous()
            task.grid, task.kernels = address(grid), address(kernels)
            task.feature = address(self._features, index)
            self._loops.upsample(ctypes.byref(task))

        self._each_grid(upsample)

    def _upsample_back(
        self, task: UpsamplingTask, grid: Tensor, kernels: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Grid and kernels -> the slopes along them; those along the feature are overwritten."""
        grid = grid.contiguous()
        grid_slope, kernel_slope = torch.empty_like(grid), torch.zeros_like(kernels)
        task.grid, task.grid_slope = address(grid), address(grid_slope)
        task.kernels, task.kernel_slopes = address(kernels), address(kernel_slope)
        self._loops.upsampling_gradient(ctypes.byref(task))
        return grid_slope, kernel_slope

    def _each_grid(self, function: Callable[[int, UpsamplingTask], Result]) -> list[Result]:
        """Results for each grid and the task that it is, its feature being the slopes along it."""

        def of_thread(thread: int) -> dict[int, Result]:
            return {
                index: function(
                    index,
                    UpsamplingTask(
                        exponent=self._exponents[index],
                        feature=address(self._slopes, index),
                        row=self._slopes.stride(1),
                        height=self._height,
                        width=self._width,
                        memory=address(self._memory[thread]),
                    ),
                )
                for index in range(thread, len(self._exponents), self._workers.count)
            }

        found = dict[int, Result]()
        for results in self._workers.map(of_thread, range(self._workers.count)):
            found |= results
        return [found[index] for index in range(len(self._exponents))]

    def _slopes_of(self, band: _Band) -> list[Tensor]:
        """Band -> where it adds to slopes: rows of its own, and those below."""
        if band.below is None:
            return [self._slopes[:, band.top :]]
        return [self._slopes[:, band.top : band.bottom], band.below]

    def _run(
        self,
        band: _Band,
        matrices: Sequence[Tensor],
        num_convolutions: int,
        gradient: Sequence[Tensor] | None = None,
        errors: Tensor | None = None,
    ) -> float:
        """Band -> its sum of squared errors; adds to the gradient and fills errors if given."""
        described = describe_layers(matrices, gradient or [None] * len(matrices))
        layers = ctypes.addressof(described)
        features, targets = self._features, self._targets
        below = self._slopes if band.below is None else band.below
        task = DistortionTask(
            features=address(features, 0, band.top),
            slopes=address(self._slopes, 0, band.top) if gradient else None,
            slopes_below=address(below, 0, 0 if below is band.below else band.bottom),
            targets=address(targets, 0, band.top),
            errors=address(errors, band.top),
            feature_plane=features.stride(0),
            slope_plane=self._slopes.stride(0),
            below_plane=below.stride(0),
            target_plane=targets.stride(0),
            feature_row=features.stride(1),
            target_row=targets.stride(1),
            x=address(self._x),
            y=address(self._y, band.top),
            rows=band.bottom - band.top,
            columns=self._width,
            num_features=len(self._exponents),
            num_refined=matrices[1].shape[0] if num_convolutions else 0,
            convolutions=layers,
            layers=layers + num_convolutions * ctypes.sizeof(described._type_),
            depth=len(matrices) - num_convolutions,
        )
        error: float = self._loops.distortion(ctypes.byref(task))
        return error
