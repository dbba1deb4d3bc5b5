"""Grids -> features at the pixels of a swath and around them, and back for gradients, compiled.

The formulas are those of ``synthesis.upsampling``. Every thread takes some of the grids.
"""

import ctypes
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from sirencodec.fitting.loss.bands_native import BandedSwath
from sirencodec.native.library import Loops
from sirencodec.native.tasks import STRIP, UpsamplingTask, rounded_up
from sirencodec.native.tensors import address
from sirencodec.synthesis.refinement import HALO
from sirencodec.synthesis.threads import Workers

Result = TypeVar("Result")


class NativeFeatures:
    """Features of one image, a plane a grid, a swath at a time.

    Attributes:
        planes: (grids, rows + 2 HALO, columns) features of pixels and those around them, the
            outermost pixels' repeated; columns have room for whole strips.
        gradients: with respect to them, of the same shape.
    """

    def __init__(
        self,
        size: tuple[int, int],
        rows: int,
        exponents: Sequence[int],
        like: Tensor,
        workers: Workers,
        loops: Loops,
    ) -> None:
        """Make room.

        Args:
            size: (height, width) of the image.
            rows: of a swath, at most.
            exponents: of the grids, rising.
            like: dtype to compute with, on the CPU.
            workers: threads to share the work among.
            loops: for that dtype.
        """
        self._exponents, self._workers, self._loops = list(exponents), workers, loops
        self._height, self._width = size
        row = rounded_up(self._width + 2 * HALO) + 2 * STRIP
        shape = len(self._exponents), rows + 2 * HALO, row
        self.planes, self.gradients = like.new_zeros(shape), like.new_zeros(shape)
        largest = UpsamplingTask(exponent=self._exponents[-1], height=rows, width=self._width)
        room = loops.upsampling_memory(ctypes.byref(largest))
        self._memory = [like.new_zeros(room) for _ in range(workers.count)]

    def fill(self, kernels: Tensor, grids: Sequence[Tensor], swath: BandedSwath) -> None:
        """Grids -> ``planes`` of a swath.

        Args:
            kernels: (octaves, 4), contiguous.
            grids: (rows, columns) latents, finest first.
            swath: rows to take.
        """

        def upsample(index: int, task: UpsamplingTask) -> None:
            grid = grids[index].contiguous()
            task.grid, task.kernels = address(grid), address(kernels)
            task.feature = address(self.planes, index)
            self._loops.upsample(ctypes.byref(task))

        self._each_grid(upsample, swath)

    def backward(
        self, kernels: Tensor, grids: Sequence[Tensor], swath: BandedSwath, sums: Sequence[Tensor]
    ) -> Tensor:
        """Gradient with respect to a swath of ``planes`` -> with respect to the kernels.

        It is read from ``gradients``, which is overwritten.

        Args:
            kernels: (octaves, 4), contiguous.
            grids: (rows, columns) latents, finest first.
            swath: rows that the gradients are of.
            sums: gradient with respect to the grids, contiguous, added to.
        """

        def upsample_back(index: int, task: UpsamplingTask) -> Tensor:
            grid, of_kernels = grids[index].contiguous(), torch.zeros_like(kernels)
            task.grid, task.grid_slope = address(grid), address(sums[index])
            task.kernels, task.kernel_slopes = address(kernels), address(of_kernels)
            task.feature = address(self.gradients, index)
            self._loops.upsampling_gradient(ctypes.byref(task))
            return of_kernels

        return sum(self._each_grid(upsample_back, swath), torch.zeros_like(kernels))

    def _each_grid(
        self, function: Callable[[int, UpsamplingTask], Result], swath: BandedSwath
    ) -> list[Result]:
        """Call a function of each grid's number and task -> its results, in the order of the grids.

        The tasks lack grid, kernels and feature, which the function adds.
        """

        def of_thread(thread: int) -> dict[int, Result]:
            return {
                index: function(
                    index,
                    UpsamplingTask(
                        exponent=self._exponents[index],
                        row=self.planes.stride(1),
                        height=swath.bottom - swath.top,
                        width=self._width,
                        top=swath.top,
                        picture_height=self._height,
                        memory=address(self._memory[thread]),
                    ),
                )
                for index in range(thread, len(self._exponents), self._workers.count)
            }

        found = dict[int, Result]()
        for results in self._workers.map(of_thread, range(self._workers.count)):
            found |= results
        return [found[index] for index in range(len(self._exponents))]
