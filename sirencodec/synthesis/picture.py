"""Integers of a file -> the numbers that they stand for: a picture ready to be asked.

Plain arrays, so that whatever evaluates them decides on precision and device.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from sirencodec.bitstream.architecture import INPUTS, KERNEL_TAPS, REFINED
from sirencodec.bitstream.container import Header
from sirencodec.bitstream.quantize import dequantize
from sirencodec.entropy.payload import QuantizedPicture
from sirencodec.entropy.prior import adapted_refinement

Matrix = npt.NDArray[np.float64] | npt.NDArray[np.float32]

WINDOW: Final = 9  # pixels of a plane that a convolution sees: 3 x 3


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """The function that a file is, as numbers.

    Attributes:
        header: sizes and shapes.
        layers: augmented matrices of the sine network (see ``network``).
        grids: (rows, columns) whole numbers, finest first; none in the pure profile.
        kernels: (octaves, 4) of upsampling; no octaves if there is no grid coarser than 1/1.
        refinement: matrices of ``entropy.prior.refinement_shapes``; none in the pure profile.
        octave: the picture has been reduced by 2^octave along both axes.
    """

    header: Header
    layers: Sequence[Matrix]
    grids: Sequence[npt.NDArray[np.int32]]
    kernels: Matrix
    refinement: Sequence[Matrix]
    octave: int = 0

    @property
    def exponents(self) -> tuple[int, ...]:
        """Of the grids, rising, in pixels of this octave."""
        return tuple(
            exponent - self.octave
            for exponent in self.header.architecture.grids
            if exponent >= self.octave
        )

    @property
    def height(self) -> int:
        """Pixels down, in this octave."""
        return -(-self.header.height >> self.octave)

    @property
    def width(self) -> int:
        """Pixels across, in this octave."""
        return -(-self.header.width >> self.octave)

    def local_refinement(self) -> list[Matrix]:
        """The part of the refinement that concerns the grids there are.

        The first matrix has 9 columns a grid and a bias, the second a row for each grid that is
        corrected. None if none is.
        """
        exponents = self.header.architecture.grids
        num_refined = sum(exponent in REFINED for exponent in exponents)
        if self.octave or not num_refined:
            return []
        first, second = self.refinement
        columns = slice(WINDOW * exponents[0], WINDOW * (exponents[-1] + 1))
        rows = slice(exponents[0], exponents[0] + num_refined)
        return [np.hstack([first[:, columns], first[:, -1:]]), second[rows]]

    def reduced(self, octave: int) -> "Picture":
        """The same picture with a pixel for every 2^octave of its own each way, about.

        Grids that are finer than that are taken for zeros, and so are corrections: what they add is
        the detail that such pixels do not show. How far off samples are: docs/measurements.md.
        """
        if not octave:
            return self
        missing = sum(exponent < octave for exponent in self.header.architecture.grids)
        first = np.delete(self.layers[0], range(INPUTS, INPUTS + missing), axis=1)
        return replace(
            self,
            layers=(first, *self.layers[1:]),
            grids=self.grids[missing:],
            kernels=self.kernels[octave:],
            octave=octave,
        )


def to_picture(quantized: QuantizedPicture, header: Header) -> Picture:
    """Quantised picture and the header of its file -> picture, exactly: all numbers are float64."""
    architecture = header.architecture
    matrices = dequantize(quantized.weights)
    layers = matrices[: len(architecture.layer_shapes)]
    return Picture(
        header,
        layers,
        quantized.latents,
        matrices[len(layers)] if architecture.kernel_shapes else np.empty((0, KERNEL_TAPS)),
        adapted_refinement(architecture.prior, quantized.weights) if architecture.grids else (),
    )
