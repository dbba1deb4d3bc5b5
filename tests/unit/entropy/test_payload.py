"""Whole pictures <-> payloads."""

from __future__ import annotations

import numpy as np
import pytest

from sirencodec.bitstream.architecture import Architecture
from sirencodec.bitstream.quantize import QuantizedWeights
from sirencodec.entropy.matrices import MATRIX_BYTES
from sirencodec.entropy.payload import (
    QuantizedPicture,
    decode_payload,
    encode_payload,
    matrix_shapes,
)
from sirencodec.entropy.prior import prior_shapes
from sirencodec.errors import CorruptError
from tests.unit.builders import architecture, random_latents

PURE = Architecture(5, 2, 3, 30)
ARCHITECTURES = [PURE, architecture(), architecture((0,)), architecture((2, 3)), architecture((6,))]


def picture(shape: Architecture, width: int, height: int) -> QuantizedPicture:
    generator = np.random.default_rng(0)
    shapes = matrix_shapes(shape)
    fixed = len(shapes) - (len(prior_shapes(shape.prior)) if shape.grids else 0)
    levels = [generator.normal(0, 20, s).round().astype(np.int32) for s in shapes]
    for difference in levels[fixed:]:
        difference[:] = np.clip(difference, -1, 1)
    weights = QuantizedWeights(tuple(levels), (90,) * len(shapes))
    return QuantizedPicture(weights, random_latents(width, height, shape.grids))


@pytest.mark.parametrize("shape", ARCHITECTURES, ids=lambda shape: str(shape.grids))
@pytest.mark.parametrize("size", [(1, 1), (30, 17)], ids=str)
def test_round_trip(shape: Architecture, size: tuple[int, int]) -> None:
    original = picture(shape, *size)
    decoded = decode_payload(encode_payload(original, shape), shape, *size)
    assert decoded.weights.step_indices == original.weights.step_indices
    for ours, expected in zip(
        decoded.weights.levels + decoded.latents,
        original.weights.levels + original.latents,
        strict=True,
    ):
        np.testing.assert_array_equal(ours, expected)


def test_matrices_of_a_payload() -> None:
    assert matrix_shapes(PURE) == PURE.layer_shapes
    shape = architecture((1, 2, 3))
    assert matrix_shapes(shape) == (*shape.layer_shapes, (3, 4), *prior_shapes(1))
    assert matrix_shapes(shape)[-2:] == ((8, 64), (2, 73)), "the refinement's come last"
    assert matrix_shapes(architecture((0,)))[3] == prior_shapes(1)[0], "nothing to upsample"


def test_payloads_that_are_none() -> None:
    shape = architecture()
    payload = encode_payload(picture(shape, 12, 9), shape)
    side_bytes = MATRIX_BYTES * len(matrix_shapes(shape))
    cut = [payload[:end] for end in (0, 1, side_bytes - 1, side_bytes, len(payload) - 4)]
    for wrong in (*cut, payload[:-1], payload + bytes(4), payload + bytes(1)):
        with pytest.raises(CorruptError):
            decode_payload(wrong, shape, 12, 9)


def test_latents_of_another_size_are_another_stream() -> None:
    shape = architecture()
    payload = encode_payload(picture(shape, 12, 9), shape)
    with pytest.raises(CorruptError):
        decode_payload(payload, shape, 13, 9)
