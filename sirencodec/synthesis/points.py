"""Region -> the points to ask along each axis, and at which resolution.

All is done by additions, products, quotients and roundings in double precision, one after the other
on whole arrays: the same numbers on every machine.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sirencodec.synthesis.coordinates import Float64Array, pixel_centres
from sirencodec.synthesis.lanczos import lanczos_weights
from sirencodec.synthesis.region import Region

POINTS_AT_ONCE: Final = 1 << 16  # whose weights are found together: some 30 MB


@dataclass(frozen=True, slots=True, eq=False)
class AxisPoints:
    """Rising points along an axis.

    Attributes:
        per_cell: points that make an output pixel; their number is a multiple of it.
        nearest: (n,) int32, the last pixel whose centre is not beyond the point.
        weights: (n, 6) of the pixels from two before that; None if all points are centres, for
            compiled loops of consecutive pixels.
        coordinates: (n,) float64, the network's input.
    """

    per_cell: int
    nearest: npt.NDArray[np.int32]
    weights: Float64Array | None
    coordinates: Float64Array

    def __len__(self) -> int:
        return len(self.nearest)

    def cells(self, first: int, end: int) -> "AxisPoints":
        """The points of output pixels ``first`` to ``end``."""
        part = slice(first * self.per_cell, end * self.per_cell)
        weights = None if self.weights is None else self.weights[part]
        return AxisPoints(self.per_cell, self.nearest[part], weights, self.coordinates[part])


def points_of(region: Region) -> tuple[AxisPoints, AxisPoints]:
    """Region -> its points down and across, in pixels of the region's octave."""
    down = _axis_points(
        region.top, region.bottom, region.stored_height, region.height, region.points_down, region
    )
    across = _axis_points(
        region.left, region.right, region.stored_width, region.width, region.points_across, region
    )
    return down, across


def at_pixels(pixels: npt.NDArray[np.integer], size: int) -> AxisPoints:
    """Some pixels along an axis of ``size``, rising -> their centres."""
    return AxisPoints(1, pixels.astype(np.int32), None, (2.0 * pixels + 1.0) / size - 1.0)


def _axis_points(
    start: float, stop: float, size: int, cells: int, per_cell: int, region: Region
) -> AxisPoints:
    """Interval of stored pixels -> ``per_cell`` points in each of as many equal cells."""
    count, pixels = cells * per_cell, -(-size >> region.octave)
    coordinates = pixel_centres(start, stop, size, count)
    nearest = np.empty(count, np.int32)
    weights = np.empty((count, 6))
    is_centred = True
    for part in _pieces(count):
        cell = (stop - start) / count
        positions = start + cell * (np.arange(part.start, part.stop, dtype=np.float64) + 0.5)
        positions = np.clip(positions / (1 << region.octave), 0.0, pixels) - 0.5
        whole = np.floor(positions)
        offset = positions - whole
        nearest[part] = whole
        is_centred = is_centred and not offset.any()
        weights[part] = lanczos_weights(offset).T
    if is_centred and (np.diff(nearest) == 1).all():
        return AxisPoints(per_cell, nearest, None, coordinates)
    return AxisPoints(per_cell, nearest, weights, coordinates)


def _pieces(count: int) -> Iterator[slice]:
    for first in range(0, count, POINTS_AT_ONCE):
        yield slice(first, min(first + POINTS_AT_ONCE, count))
