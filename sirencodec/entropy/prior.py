"""Number of a shipped context model -> its networks, and a file's own (FORMAT.md, section 7).

A context model that has been trained on other images costs a file nothing; the file holds only what
its own differs by. Shipped models are frozen: a file names one by number and checksum, and a number
is never given anew.
"""

from functools import lru_cache

import numpy as np

from sirencodec.architecture import LARGEST_EXPONENT, PHASES
from sirencodec.entropy.coder import SymbolDecoder
from sirencodec.entropy.context import (
    LARGEST_WEIGHT,
    NEIGHBOURS,
    WEIGHT_BITS,
    ContextWeights,
    Floats,
)
from sirencodec.entropy.matrices import MATRIX_BYTES, decode_matrices
from sirencodec.errors import CorruptError
from sirencodec.prior_file import HIDDEN_WIDTHS, prior_bytes
from sirencodec.quantize import QuantizedWeights

COARSER_SOURCES = 2  # grids that a prediction sees besides the phases already coded

_SMALLEST_STEP_INDEX = 8 * (27 - WEIGHT_BITS)  # steps from here on are whole units of a weight


def prior_shapes(number: int) -> tuple[tuple[int, int], ...]:
    """Number of a shipped model -> shapes of its matrices, layer by layer, phase by phase."""
    shapes: list[tuple[int, int]] = []
    for phase in range(len(PHASES)):
        columns = NEIGHBOURS * (COARSER_SOURCES + phase) + LARGEST_EXPONENT + 1
        for width in (*HIDDEN_WIDTHS[number], 2):
            shapes.append((width, columns))
            columns = width + 1
    return tuple(shapes)


@lru_cache
def prior_matrices(number: int) -> tuple[Floats, ...]:
    """Number of a shipped model -> its matrices as integers in units of 2^-16, read-only."""
    data, shapes = prior_bytes(number), prior_shapes(number)
    side_bytes = MATRIX_BYTES * len(shapes)
    decoder = SymbolDecoder(data[side_bytes:])
    weights = decode_matrices(data[:side_bytes], shapes, decoder)
    decoder.finish()
    return _in_units(weights)


def adapted_context(number: int, weights: QuantizedWeights) -> ContextWeights:
    """Shipped model and a file's matrices, the last of which are differences -> its networks.

    Raises:
        CorruptError: if a difference is no whole number of units, or the sum too large.
    """
    shipped = prior_matrices(number)
    differences = _in_units(
        QuantizedWeights(weights.levels[-len(shipped) :], weights.step_indices[-len(shipped) :])
    )
    matrices = [base + change for base, change in zip(shipped, differences, strict=True)]
    if max(float(np.abs(matrix).max()) for matrix in matrices) > LARGEST_WEIGHT:
        raise CorruptError("a weight of the context model is too large", field="context")
    layers = len(matrices) // len(PHASES)
    return [matrices[layers * phase : layers * (phase + 1)] for phase in range(len(PHASES))]


def _in_units(weights: QuantizedWeights) -> tuple[Floats, ...]:
    """Quantised matrices -> integers in units of 2^-16, exact in float64."""
    matrices: list[Floats] = []
    for levels, index in zip(weights.levels, weights.step_indices, strict=True):
        if index < _SMALLEST_STEP_INDEX and levels.any():
            raise CorruptError("step of the context model is too fine", field="step_index")
        unit = float(8 + index % 8) * 2.0 ** (index // 8 - 27 + WEIGHT_BITS)
        matrix: Floats = levels.astype(np.float64) * unit
        matrix.setflags(write=False)
        matrices.append(matrix)
    return tuple(matrices)
