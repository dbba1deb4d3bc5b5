"""Weights <-> integer levels and step sizes.

The seam between exact and approximate: a level and a step index mean the same number on every
machine, because a step is a small integer times a power of two and so is its product with a level.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sirencodec.bitstream.format import LARGEST_LEVEL

Levels = npt.NDArray[np.int32]
Matrix = npt.NDArray[np.float64]

NUM_STEPS: Final = 256
STEPS_AN_OCTAVE: Final = 8
STEP_BITS: Final = 27  # fractional bits of the finest step, 8 * 2^-27; each octave has one fewer


def step_size(index: int) -> float:
    """Step index, 0 to 255 -> step: eight to an octave from 2^-24 to 240 (FORMAT.md, section 5).

    An eighth of an octave is fine enough that rounding a wanted step to the grid costs nothing
    measurable, and a product with a level stays exact in float32.
    """
    octave, part = divmod(index, STEPS_AN_OCTAVE)
    return float(STEPS_AN_OCTAVE + part) * 2.0 ** (octave - STEP_BITS)


STEP_SIZES = np.array([step_size(index) for index in range(NUM_STEPS)])


@dataclass(frozen=True, slots=True, eq=False)
class QuantizedWeights:
    """Matrices as integers.

    Attributes:
        levels: int32 matrices in the order of the file.
        step_indices: one index into the table of steps a matrix.
    """

    levels: tuple[Levels, ...]
    step_indices: tuple[int, ...]


def nearest_step_index(step: float) -> int:
    """Wanted step -> index of the nearest one there is."""
    return int(np.abs(STEP_SIZES - step).argmin())


def quantize(matrices: Sequence[Matrix], step_indices: Sequence[int]) -> QuantizedWeights:
    """Weights -> nearest levels, clipped to what the entropy coder can express.

    Args:
        matrices: one float matrix a layer.
        step_indices: one a layer.
    """
    levels = []
    for matrix, index in zip(matrices, step_indices, strict=True):
        level = np.rint(np.asarray(matrix, dtype=np.float64) / STEP_SIZES[index])
        levels.append(np.clip(level, -LARGEST_LEVEL, LARGEST_LEVEL).astype(np.int32))
    return QuantizedWeights(tuple(levels), tuple(step_indices))


def dequantize(quantized: QuantizedWeights) -> tuple[Matrix, ...]:
    """Levels -> weights, exactly: float64 matrices that float32 represents as well."""
    return tuple(
        levels * STEP_SIZES[index]
        for levels, index in zip(quantized.levels, quantized.step_indices, strict=True)
    )
