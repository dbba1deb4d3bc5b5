"""Integers of a file -> the numbers that they stand for: a picture ready to be asked.

Plain arrays, so that whatever evaluates them decides on precision and device.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sirencodec.bitstream.architecture import KERNEL_TAPS
from sirencodec.bitstream.container import Header
from sirencodec.bitstream.quantize import dequantize
from sirencodec.entropy.payload import QuantizedPicture
from sirencodec.entropy.prior import adapted_refinement

Matrix = npt.NDArray[np.float64] | npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """The function that a file is, as numbers.

    Attributes:
        header: sizes and shapes.
        layers: augmented matrices of the sine network (see ``network``).
        grids: (rows, columns) whole numbers, finest first; none in the pure profile.
        kernels: (octaves, 4) of upsampling; no octaves if there is no grid coarser than 1/1.
        refinement: matrices of ``entropy.prior.refinement_shapes``; none in the pure profile.
    """

    header: Header
    layers: Sequence[Matrix]
    grids: Sequence[npt.NDArray[np.int32]]
    kernels: Matrix
    refinement: Sequence[Matrix]


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
