"""Picture and region -> samples, by compiled loops: what a decode gives by default, by definition.

Every sample depends on its own place alone, so bands of rows go to whichever thread is free.
"""

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sirencodec.native.arrays import Array, address, contiguous, describe_layers
from sirencodec.native.picture import TILE_DOWN, AxisTask, LatentGrid, PictureTask
from sirencodec.native.threads import share, thread_count
from sirencodec.synthesis.picture import Picture
from sirencodec.synthesis.points import AxisPoints, points_of
from sirencodec.synthesis.region import Region


class NativePicture:
    """A picture in one precision, as a compiled loop sees it."""

    def __init__(self, picture: Picture, dtype: npt.DTypeLike) -> None:
        """Bring all numbers of the picture to ``dtype``."""
        self._size, self._dtype = (picture.height, picture.width), dtype
        self._grids = [contiguous(grid, np.int32) for grid in picture.grids]
        self._kernels = contiguous(picture.kernels, dtype)
        self._layers = [contiguous(layer, dtype) for layer in picture.layers]
        self._refinement = [contiguous(matrix, dtype) for matrix in picture.refinement]
        self._described = (
            describe_layers(self._layers),
            describe_layers(self._refinement),
            _describe_grids(self._grids, picture.exponents),
        )

    def task(self, down: "_Axis", across: "_Axis", samples: Array) -> PictureTask:
        """Points and where their samples go -> what the loop is told."""
        layers, convolutions, grids = self._described
        height, width = self._size
        return PictureTask(
            grids=ctypes.addressof(grids),
            num_grids=len(self._grids),
            num_refined=len(self._refinement[1]) if self._refinement else 0,
            kernels=address(self._kernels),
            convolutions=ctypes.addressof(convolutions),
            layers=ctypes.addressof(layers),
            depth=len(self._layers),
            height=height,
            width=width,
            down=down.task,
            across=across.task,
            samples=address(samples),
            sample_bytes=samples.itemsize,
        )


class _Axis:
    """Points in one precision, and the structure that has their addresses."""

    def __init__(self, points: AxisPoints, dtype: npt.DTypeLike) -> None:
        weights = None if points.weights is None else contiguous(points.weights, dtype)
        self._arrays = points.nearest, weights, contiguous(points.coordinates, dtype)
        self.task = AxisTask(len(points), points.per_cell, *map(address, self._arrays))


def _describe_grids(grids: Sequence[Array], exponents: Sequence[int]) -> ctypes.Array[LatentGrid]:
    described = [
        LatentGrid(address(grid), *grid.shape, exponent)
        for grid, exponent in zip(grids, exponents, strict=True)
    ]
    return (LatentGrid * len(described))(*described)


def paint_native(
    painter: Callable[[object], int],
    picture: Picture,
    region: Region,
    samples: Array,
    dtype: npt.DTypeLike,
    threads: int | None = None,
    top: int = 0,
) -> None:
    """Picture and region -> samples, some rows of them.

    Args:
        painter: of ``native.picture``, for this precision.
        picture: what to ask, in the region's octave.
        region: where.
        samples: (rows, width, channels) to be filled: unsigned integers of 8 or 16 bits, or means
            in float64, which are not clipped.
        dtype: float32 or float64.
        threads: to work on; as many as a decode takes, if None.
        top: row of the region that the first row of samples is.

    Raises:
        MemoryError: if there is no room for a tile.
    """
    down, across = points_of(region)
    height = len(samples)
    native, columns = NativePicture(picture, dtype), _Axis(across, dtype)
    rows_at_once = max(1, TILE_DOWN // down.per_cell)

    def paint_band(first: int) -> None:
        end = min(first + rows_at_once, height)
        rows = _Axis(down.cells(top + first, top + end), dtype)
        task: Any = native.task(rows, columns, samples[first:end])
        if painter(ctypes.byref(task)):
            raise MemoryError("no room for a tile of the picture")

    share(paint_band, range(0, height, rows_at_once), threads or thread_count())
