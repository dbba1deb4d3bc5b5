"""QuantizedWeights <-> side information and range-coded levels (FORMAT.md, section 5).

Each matrix has two bytes, its step index and its model index; the levels of all matrices follow in
one range-coded stream, row by row.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from sirencodec.bitstream.quantize import Levels, QuantizedWeights
from sirencodec.entropy.level_tables import (
    NUM_MODELS,
    NUM_SCALES,
    NUM_SHAPES,
    frequency_table,
    largest_level,
)
from sirencodec.entropy.range_coder import TOTAL, SymbolDecoder, SymbolEncoder
from sirencodec.entropy.range_decoder_native import NativeDecoder, open_stream
from sirencodec.errors import CorruptError

MATRIX_BYTES: Final = 2  # step index and model index

# Model index of a matrix whose levels are all zero, which has no symbols and the step index 0. What
# a context model differs by from the shipped one is often nothing.
ZERO_MODEL: Final = NUM_MODELS

_SCALES_TRIED = 6  # around the one that the standard deviation suggests; shapes shift the best one


def encode_matrices(weights: QuantizedWeights, encoder: SymbolEncoder) -> bytes:
    """Quantised matrices -> their side information; their levels go to the encoder.

    Each matrix is coded under the model that makes it shortest.
    """
    side = bytearray()
    for levels, step_index in zip(weights.levels, weights.step_indices, strict=True):
        model = best_model(levels)[0]
        side += bytes((0 if model == ZERO_MODEL else step_index, model))
        if model != ZERO_MODEL:
            encoder.encode(levels.ravel() + largest_level(model), frequency_table(model))
    return bytes(side)


def decode_matrices(
    side: bytes, shapes: Sequence[tuple[int, int]], decoder: SymbolDecoder | NativeDecoder
) -> QuantizedWeights:
    """Side information and a decoder -> quantised matrices of these shapes.

    Raises:
        CorruptError: if a model index is unknown or the stream is not a valid one.
    """
    step_indices, models = tuple(side[0::MATRIX_BYTES]), tuple(side[1::MATRIX_BYTES])
    if max(models) > ZERO_MODEL:
        raise CorruptError(f"model index {max(models)} is unknown", field="model_index")
    matrices = []
    for step_index, model, shape in zip(step_indices, models, shapes, strict=True):
        if model != ZERO_MODEL:
            symbols = decoder.decode(shape[0] * shape[1], frequency_table(model))
            matrices.append((symbols - largest_level(model)).reshape(shape))
        elif step_index:
            raise CorruptError("a matrix of zeros has a step", field="step_index")
        else:
            matrices.append(np.zeros(shape, np.int32))
    return QuantizedWeights(tuple(matrices), step_indices)


def read_matrices(data: bytes, shapes: Sequence[tuple[int, int]]) -> QuantizedWeights:
    """Matrices and nothing else, as the package ships them -> quantised matrices of these shapes.

    Args:
        data: their side information, then the stream of their levels.
        shapes: (rows, columns) of each.

    Raises:
        CorruptError: as ``decode_matrices``.
    """
    side_bytes = MATRIX_BYTES * len(shapes)
    decoder = open_stream(data[side_bytes:], by_words=True)
    weights = decode_matrices(data[:side_bytes], shapes, decoder)
    decoder.finish()
    return weights


def matrices_bits(weights: QuantizedWeights) -> float:
    """Quantised matrices -> bits they take, but for the coder's rounding up to words."""
    return sum(8 * MATRIX_BYTES + best_model(levels)[1] for levels in weights.levels)


def best_model(levels: Levels) -> tuple[int, float]:
    """Levels of a matrix -> the model that codes them shortest, and how many bits it takes."""
    largest = int(np.abs(levels).max())
    if largest == 0:
        return ZERO_MODEL, 0.0
    deviation = max(float(np.sqrt(np.mean(np.square(levels, dtype=np.float64)))), 1e-9)
    wanted = round(4 * float(np.log2(2 * deviation)))
    values, counts = np.unique(levels, return_counts=True)
    best = (-1, float("inf"))
    for scale in range(wanted - _SCALES_TRIED, wanted + _SCALES_TRIED + 1):
        for shape in range(NUM_SHAPES):
            model = shape * NUM_SCALES + min(max(scale, 0), NUM_SCALES - 1)
            if largest <= largest_level(model):
                costs = code_lengths(model)[values + largest_level(model)]
                best = min(best, (model, float(costs @ counts)), key=lambda pair: pair[1])
    if best[0] < 0:  # an outlier beyond every model tried: the narrowest that holds it
        scale = next(s for s in range(NUM_SCALES) if largest <= largest_level(s))
        model = (NUM_SHAPES - 1) * NUM_SCALES + scale
        best = (model, float(code_lengths(model)[values + largest_level(model)] @ counts))
    return best


@lru_cache(maxsize=NUM_MODELS)
def code_lengths(model: int) -> npt.NDArray[np.float64]:
    """Model index -> ideal code length of each level in bits, from the lowest level up."""
    return np.log2(TOTAL / frequency_table(model))
