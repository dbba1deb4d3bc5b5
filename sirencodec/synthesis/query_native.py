"""Picture and region -> samples, by compiled loops, which are the definition of the default decode.

Every sample depends on its own place alone, so bands of rows are shared among threads as they come.
"""

import ctypes
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sirencodec.native.arrays import address, contiguous, describe_layers
from sirencodec.native.picture import (
    TILE_DOWN,
    LatentGrid,
    PictureTask,
    double_painters,
    single_painters,
)
from sirencodec.native.picture import AxisPoints as AxisTask
from sirencodec.synthesis.picture import Picture
from sirencodec.synthesis.points import AxisPoints, points_of
from sirencodec.synthesis.region import Region
from sirencodec.synthesis.threads import share, thread_count


def paint(
    painter, picture: Picture, region: Region, samples, dtype
) -> None:
    down, across = points_of(region)
    grids = [contiguous(g, np.int32) for g in picture.grids]
    exps = [e for e in picture.exponents]
    descr = (LatentGrid * max(1, len(grids)))(*(LatentGrid(address(g), *g.shape, e) for g, e in zip(grids, exps, strict=True)))
    kernels = contiguous(picture.kernels, dtype)
    convs = [contiguous(m, dtype) for m in picture.local_refinement()]
    layers = [contiguous(m, dtype) for m in picture.layers]
    dl, dc = describe_layers(layers), describe_layers(convs)
    acr, keep = _axis_task(across, dtype)
    per_band = max(1, TILE_DOWN // down.per_cell)
    def band(first: int) -> None:
        end = min(first + per_band, region.height)
        d, keep2 = _axis_task(down.cells(first, end), dtype)
        part = samples[first:end]
        task = PictureTask(ctypes.addressof(descr), len(grids), len(convs[1]) if convs else 0, address(kernels),
            ctypes.addressof(dc), ctypes.addressof(dl), len(layers), picture.height, picture.width, d, acr, address(part), samples.itemsize)
        if painter(ctypes.byref(task)):
            raise MemoryError("no room for a tile of the picture")
    share(band, range(0, region.height, per_band), thread_count())


def _axis_task(points: AxisPoints, dtype):
    keep = (contiguous(points.nearest, np.int32), None if points.weights is None else contiguous(points.weights, dtype), contiguous(points.coordinates, dtype))
    return AxisTask(len(points), points.per_cell, *map(address, keep)), keep
