"""Integers of a file -> the numbers that they stand for: a picture ready to be asked.

Plain arrays, so that whatever evaluates them decides on precision and device.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from sirencodec.bitstream.architecture import INPUTS, KERNEL_TAPS, REFINED
from sirencodec.bitstream.header import Header
from sirencodec.bitstream.quantize import dequantize
from sirencodec.entropy.payload import QuantizedPicture
from sirencodec.entropy.prior import adapted_refinement
from sirencodec.synthesis.region import DETAIL_GRIDS

Matrix = npt.NDArray[np.float64] | npt.NDArray[np.float32]

WINDOW: Final = 9  # pixels of a plane that a convolution of the refinement sees: 3 x 3
MEAN_PARTS: Final = 64  # of a level, that means of latents are rounded to
HALO: Final = 2  # pixels that both convolutions see beyond those they correct


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """The function that a file is, as numbers.

    Attributes:
        header: of its file.
        height, width: pixels; fewer than the header has in a reduced picture.
        layers: augmented matrices of the sine network (see ``network``).
        grids: (rows, columns) whole numbers, finest first; none in the pure profile.
        exponents: of the grids; here, the finest ones may all be 0.
        kernels: (octaves, 4) of upsampling; no octaves if there is no grid coarser than 1/1.
        refinement: the part of the refinement that concerns these grids, or nothing. The first
            matrix has 9 columns a grid and a bias, the second a row for each grid that is
            corrected, which are the first ones.
    """

    header: Header
    height: int
    width: int
    layers: Sequence[Matrix]
    grids: Sequence[npt.NDArray[np.int32]]
    exponents: Sequence[int]
    kernels: Matrix
    refinement: Sequence[Matrix]

    def reduced(self, octave: int) -> "Picture":
        """The same picture with a pixel for every 2^octave of its own each way, about.

        Coarse grids go through fewer doublings; their features are brought to the size that the
        missing ones would have given a constant. Of grids that are finer than the new pixels, the
        first, DETAIL_GRIDS, count as 0, and of others the mean is taken. The refinement sees the
        same everywhere. What is lost: decision 14.
        """
        if not octave or not self.grids:
            return self
        height, width = (-(-side >> octave) for side in (self.height, self.width))
        gains = np.cumprod([1.0, *(np.square(kernel.sum()) for kernel in self.kernels)])
        factors = np.array([gains[min(k, octave)] / MEAN_PARTS for k in self.exponents])
        first = self.layers[0].copy()
        first[:, INPUTS:-1] *= factors
        return replace(
            self,
            height=height,
            width=width,
            layers=(first, *self.layers[1:]),
            grids=[
                grid * np.int32(MEAN_PARTS)
                if exponent >= octave
                else _means(grid, 1 << octave - exponent, (height, width), exponent)
                for grid, exponent in zip(self.grids, self.exponents, strict=True)
            ],
            exponents=[max(0, exponent - octave) for exponent in self.exponents],
            kernels=self.kernels[octave:],
            refinement=_flattened(self.refinement, factors),
        )


def _means(
    grid: npt.NDArray[np.int32], side: int, shape: tuple[int, int], exponent: int
) -> npt.NDArray[np.int32]:
    """Grid -> means of squares of samples, in MEAN_PARTS of a level; zeros of detail."""
    if exponent < DETAIL_GRIDS:
        return np.zeros(shape, np.int32)
    rows, columns = (
        np.minimum(np.arange(count * side), size - 1)
        for count, size in zip(shape, grid.shape, strict=True)
    )
    total = np.zeros(shape, np.int64)
    for row in range(side):
        lines = grid[rows[row::side]]
        for column in range(side):
            total += lines[:, columns[column::side]]
    means: npt.NDArray[np.float64] = np.rint(total * MEAN_PARTS / side**2)
    return means.astype(np.int32)


def _flattened(refinement: Sequence[Matrix], factors: npt.NDArray[np.float64]) -> list[Matrix]:
    """Refinement -> the same for features in other units that have one value around each pixel."""
    flat = []
    for matrix in refinement:
        sums = matrix[:, :-1].reshape(len(matrix), -1, WINDOW).sum(2)
        new = np.zeros_like(matrix)
        new[:, :-1].reshape(len(matrix), -1, WINDOW)[:, :, WINDOW // 2] = sums
        new[:, -1] = matrix[:, -1]
        flat.append(new)
    if flat:
        flat[0][:, :-1] *= np.repeat(factors, WINDOW)
        flat[1] /= factors[: len(flat[1]), None]
    return flat


def to_picture(quantized: QuantizedPicture, header: Header) -> Picture:
    """Quantised picture and the header of its file -> picture, exactly: all numbers are float64."""
    architecture = header.architecture
    matrices = dequantize(quantized.weights)
    layers = matrices[: len(architecture.layer_shapes)]
    refinement: Sequence[Matrix] = ()
    if architecture.grids:
        whole = adapted_refinement(architecture.prior, quantized.weights)
        refinement = local_refinement(architecture.grids, whole)
    return Picture(
        header,
        header.height,
        header.width,
        layers,
        quantized.latents,
        architecture.grids,
        matrices[len(layers)] if architecture.kernel_shapes else np.empty((0, KERNEL_TAPS)),
        refinement,
    )


def local_refinement(exponents: Sequence[int], refinement: Sequence[Matrix]) -> list[Matrix]:
    """Matrices of ``entropy.prior.refinement_shapes`` -> the part that concerns these grids."""
    num_refined = sum(exponent in REFINED for exponent in exponents)
    if not num_refined:
        return []
    first, second = (np.asarray(matrix, np.float64) for matrix in refinement)
    columns = slice(WINDOW * exponents[0], WINDOW * (exponents[-1] + 1))
    rows = slice(exponents[0], exponents[0] + num_refined)
    return [np.hstack([first[:, columns], first[:, -1:]]), second[rows]]
