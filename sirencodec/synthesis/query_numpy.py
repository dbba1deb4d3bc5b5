"""Picture and region -> samples, by NumPy, where nothing was compiled.

The operations of ``picture.h`` in their order, each on a tile at a time: NumPy rounds every product
before it is added, so in single precision samples are the same to the bit.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sirencodec.bitstream.architecture import INPUTS
from sirencodec.image.samples import has_alpha_channel
from sirencodec.native.threads import share, thread_count
from sirencodec.synthesis.lanczos import LOBES
from sirencodec.synthesis.picture import HALO, WINDOW, Matrix, Picture
from sirencodec.synthesis.points import AxisPoints, at_pixels, points_of
from sirencodec.synthesis.region import Region

Array = npt.NDArray[Any]

TILE_POINTS: Final = 192  # along either axis, or those of an output pixel if it has more
REACH: Final = 2  # samples of the coarser level that a doubling sees on either side

# Of a transparent point's colour in a mean, an opaque one having 1 more. Where all are transparent,
# the mean is thus the plain one; elsewhere it is too little to be seen.
HIDDEN_WEIGHT: Final = 2.0**-16

# Sine of single precision (elementary.h): its series, and half a turn in three parts.
_SERIES: Final = (9.99999996e-01, -1.66666580e-01, 8.33305062e-03, -1.98090464e-04, 2.60516628e-06)
_HALF_TURN: Final = (3.140625, 9.67502593994140625e-4, 1.509957990978376432e-7)
_WHOLE: Final = 12582912.0  # 1.5 * 2^23: added, it leaves the nearest whole number


def paint_numpy(
    picture: Picture,
    region: Region,
    samples: Array,
    dtype: npt.DTypeLike,
    threads: int | None = None,
    tile_points: int = TILE_POINTS,
    top: int = 0,
) -> None:
    """Picture and region -> samples, some rows of them.

    Arguments as for ``paint_native``, and how many points along an axis to ask at a time: memory
    against the number of operations.
    """
    down, across = points_of(region)
    tiles = [
        (rows, columns)
        for rows in _cells(len(samples), down.per_cell, tile_points)
        for columns in _cells(region.width, across.per_cell, tile_points)
    ]
    painter = _Painter(picture, dtype)

    def paint(tile: tuple[slice, slice]) -> None:
        rows, columns = tile
        means = painter.means(
            down.cells(top + rows.start, top + rows.stop), across.cells(columns.start, columns.stop)
        )
        samples[rows, columns] = (
            means if samples.dtype == np.float64 else to_samples(means, 8 * samples.itemsize)
        )

    share(paint, tiles, threads or thread_count())


def network_inputs(
    picture: Picture,
    rows: npt.NDArray[np.integer],
    columns: npt.NDArray[np.integer],
    dtype: npt.DTypeLike,
) -> Array:
    """Pixels along both axes, rising -> (inputs, rows, columns) that the network has there."""
    painter = _Painter(picture, dtype)
    inputs = np.empty((INPUTS + len(picture.grids), len(rows), len(columns)), dtype)
    at_once = [
        max(1, TILE_POINTS // max(1, int(np.diff(axis[:2]).sum()))) for axis in (rows, columns)
    ]
    for top in range(0, len(rows), at_once[0]):
        for left in range(0, len(columns), at_once[1]):
            part = slice(top, top + at_once[0]), slice(left, left + at_once[1])
            inputs[:, part[0], part[1]] = painter.inputs(
                at_pixels(rows[part[0]], picture.height), at_pixels(columns[part[1]], picture.width)
            )
    return inputs


def to_samples(values: Array, bit_depth: int) -> Array:
    """Values, 0 to 1 over the range of samples -> nearest samples, halves up; no number is 0."""
    values = np.where(values > 0, values, 0.0)
    values = np.where(values < 1, values, 1.0)
    samples: Array = values * (2**bit_depth - 1) + 0.5
    return samples.astype(np.uint8 if bit_depth == 8 else np.uint16)


def _cells(count: int, points: int, tile_points: int) -> Iterator[slice]:
    """Output pixels along an axis, of so many points each -> those of each tile."""
    at_once = max(1, tile_points // points)
    for first in range(0, count, at_once):
        yield slice(first, min(first + at_once, count))


def _pixels(points: AxisPoints, size: int) -> range:
    """The pixels that points see."""
    before, after = (0, 0) if points.weights is None else (LOBES - 1, LOBES)
    first, last = int(points.nearest[0]) - before, int(points.nearest[-1]) + after
    return range(min(max(first, 0), size - 1), min(max(last, 0), size - 1) + 1)


class _Painter:
    """A picture in one precision."""

    def __init__(self, picture: Picture, dtype: npt.DTypeLike) -> None:
        self._picture, self._dtype = picture, np.dtype(dtype)
        self._kernels = picture.kernels.astype(dtype)
        self._layers = [layer.astype(dtype) for layer in picture.layers]
        self._refinement = [matrix.astype(dtype) for matrix in picture.refinement]

    def means(self, down: AxisPoints, across: AxisPoints) -> Array:
        """Points -> (rows, columns, channels) means of output pixels, float64."""
        values = self._evaluate(self.inputs(down, across))
        points = down.per_cell * across.per_cell
        has_weights = points > 1 and has_alpha_channel(len(values))
        if has_weights:
            _weigh(values)
        total = np.zeros((len(values), len(down) // down.per_cell, len(across) // across.per_cell))
        for i in range(down.per_cell):
            for j in range(across.per_cell):
                total += values[:, i :: down.per_cell, j :: across.per_cell]
        if has_weights:
            total[:-1] = total[:-1] / (total[-1] + points * HIDDEN_WEIGHT) * points
        return (total / points).transpose(1, 2, 0)

    def inputs(self, down: AxisPoints, across: AxisPoints) -> Array:
        """Points -> (inputs, rows, columns) that the network has there."""
        picture = self._picture
        rows, columns = _pixels(down, picture.height), _pixels(across, picture.width)
        inputs = np.empty((INPUTS + len(picture.grids), len(down), len(across)), self._dtype)
        inputs[0] = across.coordinates.astype(self._dtype)
        inputs[1] = down.coordinates.astype(self._dtype)[:, None]
        if picture.grids:
            features = self._refined(rows, columns)
            for index, feature in enumerate(features):
                wide = self._interpolated(feature.T, across, columns, picture.width).T
                inputs[INPUTS + index] = self._interpolated(wide, down, rows, picture.height)
        return inputs

    def _interpolated(self, lines: Array, points: AxisPoints, pixels: range, size: int) -> Array:
        """(pixels, n) -> (points, n)."""
        if points.weights is None:
            return lines[points.nearest - pixels.start]
        weights = points.weights.astype(self._dtype)
        total = np.zeros((len(points), lines.shape[1]), self._dtype)
        for tap in range(2 * LOBES):
            index = np.clip(points.nearest + (tap + 1 - LOBES), 0, size - 1) - pixels.start
            total += weights[:, tap, None] * lines[index]
        return total

    def _refined(self, rows: range, columns: range) -> Array:
        """Pixels -> (grids, rows, columns) features."""
        around = np.stack(
            [
                self._feature(grid, exponent, rows, columns)
                for grid, exponent in zip(self._picture.grids, self._picture.exponents, strict=True)
            ]
        )
        features = around[:, HALO:-HALO, HALO:-HALO]
        if self._refinement:
            first, second = self._refinement
            hidden = _convolved(around, first)
            hidden = np.where(hidden > 0, hidden, self._dtype.type(0))
            features[: len(second)] += _convolved(hidden, second)
        return features

    def _feature(self, grid: Array, exponent: int, rows: range, columns: range) -> Array:
        """Grid -> its feature at pixels and around them."""
        picture = self._picture
        down, across = (
            _levels(rows, picture.height, exponent),
            _levels(columns, picture.width, exponent),
        )
        index = np.ix_(
            np.clip(np.arange(*down[-1]), 0, grid.shape[0] - 1),
            np.clip(np.arange(*across[-1]), 0, grid.shape[1] - 1),
        )
        level = grid[index].astype(self._dtype)
        for k in range(exponent, 0, -1):
            level = _doubled(level.T, across[k], across[k - 1], self._kernels[k - 1]).T
            level = _doubled(level, down[k], down[k - 1], self._kernels[k - 1])
        near = [
            np.clip(np.arange(axis.start - HALO, axis.stop + HALO), 0, size - 1) - inside[0]
            for axis, size, inside in (
                (rows, picture.height, down[0]),
                (columns, picture.width, across[0]),
            )
        ]
        return level[np.ix_(*near)]

    def _evaluate(self, inputs: Array) -> Array:
        """(inputs, rows, columns) -> (channels, rows, columns) values."""
        for number, layer in enumerate(self._layers):
            inputs = _combined(layer, list(_sine(inputs) if number else inputs))
        return inputs


def _weigh(values: Array) -> None:
    """(channels, ...) values -> alpha, the last, within 0 to 1, and colours times their weight."""
    alpha = np.where(values[-1] > 0, values[-1], 0)
    values[-1] = np.where(alpha < 1, alpha, 1)
    values[:-1] *= values[-1] + values.dtype.type(HIDDEN_WEIGHT)


def _levels(pixels: range, size: int, exponent: int) -> list[tuple[int, int]]:
    """Pixels -> the samples needed of every level, ends not included, from pixels to the grid."""
    levels = [(max(pixels.start - HALO, 0), min(pixels.stop + HALO, size))]
    for _ in range(exponent):
        first, end = levels[-1]
        levels.append(((first >> 1) - REACH, (end - 1 >> 1) + REACH + 1))
    return levels


def _doubled(coarse: Array, level: tuple[int, int], finer: tuple[int, int], kernel: Array) -> Array:
    """Samples ``level`` along the first axis -> samples ``finer`` of the next finer level."""
    start, count = finer[0] >> 1, (finer[1] - 1 >> 1) + 1 - (finer[0] >> 1)
    a, b, c, d = kernel
    seen = [coarse[start - level[0] + tap :][:count] for tap in range(-REACH, REACH + 1)]
    fine = np.empty((2 * count, *coarse.shape[1:]), coarse.dtype)
    fine[::2] = a * seen[0] + b * seen[1] + c * seen[2] + d * seen[3]
    fine[1::2] = d * seen[1] + c * seen[2] + b * seen[3] + a * seen[4]
    return fine[finer[0] & 1 :][: finer[1] - finer[0]]


def _convolved(planes: Array, matrix: Array) -> Array:
    """(inputs, rows + 2, columns + 2) -> (outputs, rows, columns)."""
    rows, columns = planes.shape[1] - 2, planes.shape[2] - 2
    windows = [
        plane[tap // 3 : tap // 3 + rows, tap % 3 : tap % 3 + columns]
        for plane in planes
        for tap in range(WINDOW)
    ]
    return _combined(matrix, windows)


def _combined(matrix: Matrix, inputs: Sequence[Array]) -> Array:
    """Augmented matrix and its inputs -> (outputs, ...): the bias, then products in their order."""
    outputs = np.empty((len(matrix), *inputs[0].shape), matrix.dtype)
    product = np.empty_like(outputs[0])
    for output, weights in zip(outputs, matrix, strict=True):
        output[:] = weights[-1]
        for weight, each in zip(weights[:-1], inputs, strict=True):
            output += np.multiply(weight, each, out=product)
    return outputs


def _sine(phase: Array) -> Array:
    """Phases -> their sines; those of single precision as the compiled loops have them."""
    if phase.dtype != np.float32:
        return np.sin(phase)
    number = np.float32
    shifted = phase * number(1 / np.pi) + number(_WHOLE)
    halves = shifted - number(_WHOLE)
    x = phase
    for part in _HALF_TURN:
        x = x - halves * number(part)
    square = x * x
    total = np.full_like(x, _SERIES[-1])
    for coefficient in _SERIES[-2::-1]:
        total = total * square + number(coefficient)
    sine = x * total
    odd = shifted.view(np.int32) << 31
    return (sine.view(np.int32) ^ odd).view(np.float32)
