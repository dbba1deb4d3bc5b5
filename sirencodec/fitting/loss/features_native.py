"""Grids -> features at every pixel and around it, and the way back of gradients, compiled.

The formulas are those of ``synthesis.upsampling``. Every thread takes some of the grids.
"""

import ctypes
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from sirencodec.native.library import Loops
from sirencodec.native.tasks import STRIP, UpsamplingTask, rounded_up
from sirencodec.native.tensors import address
from sirencodec.synthesis.refinement import HALO
from sirencodec.synthesis.threads import Workers

Result = TypeVar("Result")


class NativeFeatures:
    """Features of one size, a plane a grid.

    Attributes:
        planes: (grids, height + 2 HALO, columns) features of pixels and those around them, the
            outermost pixels' repeated; columns have room for whole strips.
        gradients: with respect to them, of the same shape.
    """

    def __init__(
        self,
        size: tuple[int, int],
        exponents: Sequence[int],
        like: Tensor,
        workers: Workers,
        loops: Loops,
    ) -> None:
        """Make room.

        Args:
            size: (height, width) of the image.
            exponents: of the grids, rising.
            like: dtype to compute with, on the CPU.
            workers: threads to share the work among.
            loops: for that dtype.
        """
        self._exponents, self._workers, self._loops = list(exponents), workers, loops
        self._height, self._width = size
        row = rounded_up(self._width + 2 * HALO) + 2 * STRIP
        shape = len(self._exponents), self._height + 2 * HALO, row
        self.planes, self.gradients = like.new_zeros(shape), like.new_zeros(shape)
        largest = UpsamplingTask(
            exponent=self._exponents[-1], height=self._height, width=self._width
        )
        room = loops.upsampling_memory(ctypes.byref(largest))
        self._memory = [like.new_zeros(room) for _ in range(workers.count)]

    def fill(self, kernels: Tensor, grids: Sequence[Tensor]) -> None:
        """Grids -> ``planes``.

        Args:
            kernels: (octaves, 4), contiguous.
            grids: (rows, columns) latents, finest first.
        """

        def upsample(index: int, task: UpsamplingTask) -> None:
            grid = grids[index].contiguous()
            task.grid, task.kernels = address(grid), address(kernels)
            task.feature = address(self.planes, index)
            self._loops.upsample(ctypes.byref(task))

        self._each_grid(upsample)

    def backward(self, kernels: Tensor, grids: Sequence[Tensor]) -> tuple[list[Tensor], Tensor]:
        """``gradients``, which are overwritten -> with respect to each grid, and to the kernels."""

        def upsample_back(index: int, task: UpsamplingTask) -> tuple[Tensor, Tensor]:
            grid = grids[index].contiguous()
            of_grid, of_kernels = torch.empty_like(grid), torch.zeros_like(kernels)
            task.grid, task.grid_slope = address(grid), address(of_grid)
            task.kernels, task.kernel_slopes = address(kernels), address(of_kernels)
            task.feature = address(self.gradients, index)
            self._loops.upsampling_gradient(ctypes.byref(task))
            return of_grid, of_kernels

        back = self._each_grid(upsample_back)
        of_kernels = sum((of_kernels for _, of_kernels in back), torch.zeros_like(kernels))
        return [of_grid for of_grid, _ in back], of_kernels

    def _each_grid(self, function: Callable[[int, UpsamplingTask], Result]) -> list[Result]:
        """Results for each grid and a task that lacks grid, kernels and feature."""

        def of_thread(thread: int) -> dict[int, Result]:
            return {
                index: function(
                    index,
                    UpsamplingTask(
                        exponent=self._exponents[index],
                        row=self.planes.stride(1),
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
