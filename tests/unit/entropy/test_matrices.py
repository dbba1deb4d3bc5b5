"""Quantised matrices and their models."""

from __future__ import annotations

import numpy as np
import pytest

from sirencodec.bitstream.format import LARGEST_LEVEL
from sirencodec.bitstream.quantize import QuantizedWeights
from sirencodec.entropy.level_tables import NUM_MODELS, largest_level
from sirencodec.entropy.matrices import (
    MATRIX_BYTES,
    ZERO_MODEL,
    best_model,
    code_lengths,
    decode_matrices,
    encode_matrices,
    matrices_bits,
)
from sirencodec.entropy.range_coder import SymbolDecoder, SymbolEncoder
from sirencodec.errors import CorruptError

SHAPES = ((7, 4), (3, 9), (5, 5), (1, 2))


def weights() -> QuantizedWeights:
    """Matrices narrow and wide, one of them without anything but zeros."""
    generator = np.random.default_rng(0)
    spreads = (3.0, 400.0, 0.0, 0.4)
    levels = [
        generator.normal(0, spread, shape).round().astype(np.int32)
        for spread, shape in zip(spreads, SHAPES, strict=True)
    ]
    levels[3][0, 0] = 1
    return QuantizedWeights(tuple(levels), (100, 90, 80, 70))


def encode(quantized: QuantizedWeights) -> tuple[bytes, bytes]:
    encoder = SymbolEncoder()
    side = encode_matrices(quantized, encoder)
    return side, encoder.stream()


def test_round_trip() -> None:
    quantized = weights()
    side, stream = encode(quantized)
    decoder = SymbolDecoder(stream)
    decoded = decode_matrices(side, SHAPES, decoder)
    decoder.finish()
    for ours, expected in zip(decoded.levels, quantized.levels, strict=True):
        assert ours.dtype == np.int32
        np.testing.assert_array_equal(ours, expected)
    assert decoded.step_indices == (100, 90, 0, 70), "zeros have no step"


def test_bits_are_those_of_side_and_stream() -> None:
    side, stream = encode(weights())
    assert matrices_bits(weights()) == pytest.approx(8 * len(side + stream), abs=40)


def test_zeros_take_no_symbols() -> None:
    zeros = QuantizedWeights((np.zeros((40, 50), np.int32),), (123,))
    side, stream = encode(zeros)
    assert side == bytes([0, ZERO_MODEL])
    assert stream == b""
    assert matrices_bits(zeros) == 8 * MATRIX_BYTES


@pytest.mark.parametrize(
    ("side", "field"),
    [
        (bytes([0, ZERO_MODEL + 1]), "model_index"),
        (bytes([0, 255]), "model_index"),
        (bytes([1, ZERO_MODEL]), "step_index"),
    ],
)
def test_side_information_that_is_not_valid(side: bytes, field: str) -> None:
    with pytest.raises(CorruptError) as raised:
        decode_matrices(side, [(2, 2)], SymbolDecoder(b""))
    assert raised.value.field == field


@pytest.mark.parametrize("spread", [0.05, 0.5, 3.0, 100.0, 1500.0])
@pytest.mark.parametrize("kind", ["normal", "laplace"])
def test_the_best_model_is_about_the_best_there_is(kind: str, spread: float) -> None:
    generator = np.random.default_rng(0)
    levels = getattr(generator, kind)(0, spread, 500).round().clip(-LARGEST_LEVEL, LARGEST_LEVEL)
    levels = levels.astype(np.int32)
    levels[0] = 1  # so that they are not all zero
    model, bits = best_model(levels)
    all_bits = [
        float(code_lengths(other)[levels + largest_level(other)].sum())
        for other in range(NUM_MODELS)
        if np.abs(levels).max() <= largest_level(other)
    ]
    assert bits == pytest.approx(float(code_lengths(model)[levels + largest_level(model)].sum()))
    assert bits <= 1.005 * min(all_bits) + 1


def test_an_outlier_among_zeros_has_a_model() -> None:
    levels = np.zeros(1000, np.int32)
    levels[7] = -LARGEST_LEVEL
    model, bits = best_model(levels)
    assert largest_level(model) >= LARGEST_LEVEL == max(map(largest_level, range(NUM_MODELS)))
    assert np.isfinite(bits)
