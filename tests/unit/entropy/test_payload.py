"""Whole pictures <-> payloads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sirencodec.bitstream.architecture import Architecture
from sirencodec.bitstream.container import write_container
from sirencodec.bitstream.header import Header
from sirencodec.bitstream.quantize import QuantizedWeights
from sirencodec.bitstream.segments import Payload
from sirencodec.bitstream.tiling import Layout, Tiling
from sirencodec.bitstream.varint import write_varint
from sirencodec.entropy.matrices import MATRIX_BYTES
from sirencodec.entropy.payload import (
    QuantizedPicture,
    encode_payload,
    matrix_shapes,
)
from sirencodec.entropy.prior import prior_shapes
from sirencodec.errors import CorruptError
from tests.payloads import decode_payload
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


def test_matrices_that_are_none() -> None:
    shape = architecture()
    payload = encode_payload(picture(shape, 12, 9), shape)
    coded, side_bytes = payload.matrices, MATRIX_BYTES * len(matrix_shapes(shape))
    cut = [coded[:end] for end in (1, side_bytes - 1, side_bytes, len(coded) - 9)]
    for wrong in (*cut, coded + bytes(4), coded + bytes(1)):
        with pytest.raises(CorruptError):
            decode_payload(replace(payload, matrices=wrong), shape, 12, 9)


def test_latents_of_another_size_are_another_stream() -> None:
    shape = architecture()
    payload = encode_payload(picture(shape, 12, 9), shape)
    with pytest.raises(CorruptError):
        decode_payload(payload, shape, 13, 9)


TILINGS = [Tiling(6, shared) for shared in range(8)] + [Tiling(7, 2), Tiling(16, 7)]


@pytest.mark.parametrize("tiling", TILINGS, ids=str)
def test_any_tiling_gives_the_same_latents(tiling: Tiling) -> None:
    shape = architecture()
    original = picture(shape, 150, 70)
    payload = encode_payload(original, shape, tiling)
    assert len(payload.segments) == len(Layout(tiling, shape.grid_shapes(150, 70)))
    decoded = decode_payload(payload, shape, 150, 70)
    for ours, expected in zip(decoded.latents, original.latents, strict=True):
        np.testing.assert_array_equal(ours, expected)


def test_the_payload_counts_what_it_adds_to_a_file() -> None:
    shape = architecture()
    header = Header(150, 70, 8, shape)
    payload = encode_payload(picture(shape, 150, 70), shape, Tiling(6, 2))
    without = write_container(header, Payload(b"", payload.tiling))
    more = len(write_varint(len(payload.matrices))) - 1
    assert len(write_container(header, payload)) == len(without) + more + payload.num_bytes


def test_a_segment_of_zeros_has_no_bytes() -> None:
    shape = architecture()
    original = picture(shape, 150, 70)
    for grid in original.latents[:2]:
        grid[...] = 0
    payload = encode_payload(original, shape, Tiling(6, 3))
    assert payload.segments[2:] == (None,) * 8, "of grids 1 and 0"
    assert None not in payload.segments[:2]
    assert not any(grid.any() for grid in decode_payload(payload, shape, 150, 70).latents[:2])
