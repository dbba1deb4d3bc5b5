"""Sizes and crops -> coordinates: the one place that knows where a pixel lies.

The image covers the square [-1, 1] x [-1, 1], x to the right and y down, whatever its aspect. Pixel
i of N along an axis is a cell of width 2/N and its *centre* is at (2i + 1)/N - 1, the convention of
``grid_sample(align_corners=False)``. Centres keep the picture in place when it is sampled at
another size; corners would shift it by half a pixel.
"""

import numpy as np
import numpy.typing as npt

Float64Array = npt.NDArray[np.float64]


def pixel_centres(start: float, stop: float, size: int, count: int) -> Float64Array:
    """Interval of stored pixels -> centres of ``count`` equal cells in it.

    Args:
        start: left (or upper) edge of the interval in stored pixels; 0 is the image's edge.
        stop: right (or lower) edge.
        size: stored pixels along this axis.
        count: cells to divide the interval into.

    Returns:
        (count,) float64 coordinates; inside [-1, 1] when the interval is inside the image.
    """
    cell = (stop - start) / count
    pixels = start + cell * (np.arange(count, dtype=np.float64) + 0.5)
    return 2.0 * pixels / size - 1.0


def grid_coordinates(x: Float64Array, y: Float64Array) -> Float64Array:
    """Axes -> every point of their product, rows first: (len(y) * len(x), 2), columns (x, y)."""
    coordinates = np.empty((len(y), len(x), 2))
    coordinates[:, :, 0] = x
    coordinates[:, :, 1] = y[:, None]
    return coordinates.reshape(-1, 2)


def image_coordinates(width: int, height: int) -> Float64Array:
    """Stored size -> its pixel centres, (height * width, 2) float64 in (-1, 1), rows first."""
    return grid_coordinates(
        pixel_centres(0, width, width, width), pixel_centres(0, height, height, height)
    )
