"""Shipped priors by number, and what a file makes of one (FORMAT.md, section 7).

A prior is a context model and a refinement. What has been trained on other images costs a file
nothing; the file holds only what its own differs by. Shipped priors are frozen: a file names one by
number and checksum, and a number is never given anew.
"""

from functools import lru_cache
from typing import Final

import numpy as np

from sirencodec.bitstream.architecture import REFINED
from sirencodec.bitstream.format import LARGEST_EXPONENT
from sirencodec.bitstream.prior_file import PRIORS, prior_bytes
from sirencodec.bitstream.quantize import (
    STEP_BITS,
    STEP_SIZES,
    STEPS_AN_OCTAVE,
    QuantizedWeights,
    dequantize,
)
from sirencodec.entropy.context_model import (
    COARSER_SOURCES,
    NEIGHBOURS,
    PHASES,
    WEIGHT_BITS,
    Floats,
)
from sirencodec.entropy.latents import LARGEST_WEIGHT, ContextWeights
from sirencodec.entropy.matrices import read_matrices
from sirencodec.errors import CorruptError

# Magnitude of a refinement's numbers. After the largest kernels, larger ones could take features
# out of the range of single precision, and infinities become NaN.
LARGEST_REFINEMENT_WEIGHT: Final = 16.0

# Steps from here on are whole units of a weight, 2^-16.
_SMALLEST_STEP_INDEX = STEPS_AN_OCTAVE * (STEP_BITS - WEIGHT_BITS)


def prior_shapes(number: int) -> tuple[tuple[int, int], ...]:
    """Number of a shipped prior -> shapes of its matrices: context model, then refinement."""
    return context_shapes(number) + refinement_shapes(number)


def context_shapes(number: int) -> tuple[tuple[int, int], ...]:
    """Number of a shipped prior -> shapes of its context model, layer by layer, phase by phase."""
    shapes: list[tuple[int, int]] = []
    for phase in range(len(PHASES)):
        columns = NEIGHBOURS * (COARSER_SOURCES + phase) + LARGEST_EXPONENT + 1
        for width in (*PRIORS[number].hidden_widths, 2):
            shapes.append((width, columns))
            columns = width + 1
    return tuple(shapes)


def refinement_shapes(number: int) -> tuple[tuple[int, int], ...]:
    """Number of a shipped prior -> shapes of its refinement's matrices, biases last."""
    channels, inputs = PRIORS[number].refinement_channels, NEIGHBOURS * (LARGEST_EXPONENT + 1)
    return (channels, inputs + 1), (len(REFINED), NEIGHBOURS * channels + 1)


def prior_context(number: int) -> tuple[Floats, ...]:
    """Number of a shipped prior -> its context model as integers in units of 2^-16, read-only."""
    return _shipped(number)[0]


def prior_refinement(number: int) -> tuple[Floats, ...]:
    """Number of a shipped prior -> the two matrices of its refinement, read-only."""
    return _shipped(number)[1]


@lru_cache
def _shipped(number: int) -> tuple[tuple[Floats, ...], tuple[Floats, ...]]:
    """Number of a shipped prior -> its context model and its refinement."""
    weights = read_matrices(prior_bytes(number), prior_shapes(number))
    context, refinement = _split(number, weights)
    return _in_units(context), _as_numbers(refinement)


def _split(number: int, weights: QuantizedWeights) -> tuple[QuantizedWeights, QuantizedWeights]:
    """Matrices that end in a prior's -> those of the context model and of the refinement."""
    end = len(weights.levels)
    middle = end - len(refinement_shapes(number))
    start = end - len(prior_shapes(number))
    context, refinement = (
        QuantizedWeights(weights.levels[part], weights.step_indices[part])
        for part in (slice(start, middle), slice(middle, end))
    )
    return context, refinement


def adapted_context(number: int, weights: QuantizedWeights) -> ContextWeights:
    """Shipped prior and a file's matrices, the last of which are differences -> its networks.

    Raises:
        CorruptError: if a difference is no whole number of units, or the sum too large.
    """
    shipped, differences = prior_context(number), _in_units(_split(number, weights)[0])
    matrices = [base + change for base, change in zip(shipped, differences, strict=True)]
    if max(float(np.abs(matrix).max()) for matrix in matrices) > LARGEST_WEIGHT:
        raise CorruptError("a weight of the context model is too large", field="context")
    layers = len(matrices) // len(PHASES)
    return [matrices[layers * phase : layers * (phase + 1)] for phase in range(len(PHASES))]


def adapted_refinement(number: int, weights: QuantizedWeights) -> tuple[Floats, ...]:
    """Shipped prior and a file's matrices, the last of which are differences -> its refinement.

    Raises:
        CorruptError: if a number is too large.
    """
    differences = _as_numbers(_split(number, weights)[1])
    matrices = tuple(
        base + change for base, change in zip(prior_refinement(number), differences, strict=True)
    )
    if max(float(np.abs(matrix).max()) for matrix in matrices) > LARGEST_REFINEMENT_WEIGHT:
        raise CorruptError("a number of the refinement is too large", field="refinement")
    return matrices


def _as_numbers(weights: QuantizedWeights) -> tuple[Floats, ...]:
    """Quantised matrices -> numbers in double precision, exact."""
    matrices = tuple(matrix.astype(np.float64) for matrix in dequantize(weights))
    for matrix in matrices:
        matrix.setflags(write=False)
    return matrices


def _in_units(weights: QuantizedWeights) -> tuple[Floats, ...]:
    """Quantised matrices -> integers in units of 2^-16, exact in float64."""
    matrices: list[Floats] = []
    for levels, index in zip(weights.levels, weights.step_indices, strict=True):
        if index < _SMALLEST_STEP_INDEX and levels.any():
            raise CorruptError("step of the context model is too fine", field="step_index")
        matrix: Floats = levels.astype(np.float64) * (STEP_SIZES[index] * 2.0**WEIGHT_BITS)
        matrix.setflags(write=False)
        matrices.append(matrix)
    return tuple(matrices)
