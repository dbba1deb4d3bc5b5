"""QuantizedWeights <-> payload bytes (FORMAT.md, section 5).

A payload is two bytes a layer, its step index and its model index, and one range-coded stream of
all levels in layer order, row by row.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from sirencodec.architecture import Architecture
from sirencodec.entropy.coder import TOTAL, decode_symbols, encode_symbols
from sirencodec.entropy.frequency import (
    NUM_MODELS,
    NUM_SCALES,
    NUM_SHAPES,
    frequency_table,
    largest_level,
)
from sirencodec.errors import CorruptError
from sirencodec.quantize import Levels, QuantizedWeights

LAYER_BYTES = 2  # step index and model index
_SCALES_TRIED = 6  # around the one that the standard deviation suggests; shapes shift the best one


def encode_payload(quantized: QuantizedWeights) -> bytes:
    """Quantised network -> payload, each layer under the model that codes it shortest."""
    models = [best_model(levels)[0] for levels in quantized.levels]
    layers = zip(quantized.step_indices, models, strict=True)
    stream = encode_symbols(
        [
            (levels.ravel() + largest_level(model), frequency_table(model))
            for levels, model in zip(quantized.levels, models, strict=True)
        ]
    )
    return b"".join(bytes(layer) for layer in layers) + stream


def decode_payload(payload: bytes, architecture: Architecture) -> QuantizedWeights:
    """Payload -> quantised network of this architecture.

    Raises:
        CorruptError: if there are fewer bytes than layers need, a model index is unknown, or the
            stream is not a valid one.
    """
    shapes = architecture.layer_shapes
    prefix_bytes = LAYER_BYTES * len(shapes)
    if len(payload) < prefix_bytes:
        raise CorruptError("payload is shorter than its layers' parameters", field="payload")
    step_indices = tuple(payload[0:prefix_bytes:LAYER_BYTES])
    models = tuple(payload[1:prefix_bytes:LAYER_BYTES])
    if max(models) >= NUM_MODELS:
        raise CorruptError(f"model index {max(models)} is unknown", field="model_index")
    groups = [
        (rows * columns, frequency_table(model))
        for (rows, columns), model in zip(shapes, models, strict=True)
    ]
    symbols = decode_symbols(payload[prefix_bytes:], groups)
    levels = tuple(
        (symbol - largest_level(model)).reshape(shape)
        for symbol, model, shape in zip(symbols, models, shapes, strict=True)
    )
    return QuantizedWeights(levels, step_indices)


def payload_bits(quantized: QuantizedWeights) -> float:
    """Quantised network -> bits its payload takes, but for the coder's rounding up to words."""
    layer_bits = [8 * LAYER_BYTES + best_model(levels)[1] for levels in quantized.levels]
    return sum(layer_bits)


def best_model(levels: Levels) -> tuple[int, float]:
    """Levels of a layer -> the model that codes them shortest, and how many bits it takes."""
    largest = int(np.abs(levels).max())
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
