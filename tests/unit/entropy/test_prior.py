"""Shipped priors and what files may make of them."""

from __future__ import annotations

import zlib
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from sirencodec.bitstream.format import LARGEST_EXPONENT, PRIOR_RANGE
from sirencodec.bitstream.prior_file import PRIORS, prior_bytes, prior_checksum
from sirencodec.bitstream.quantize import QuantizedWeights, step_size
from sirencodec.entropy.context_model import COARSER_SOURCES, NEIGHBOURS, PHASES
from sirencodec.entropy.latents import LARGEST_WEIGHT
from sirencodec.entropy.payload import QuantizedPicture, encode_payload
from sirencodec.entropy.prior import (
    LARGEST_REFINEMENT_WEIGHT,
    adapted_context,
    adapted_refinement,
    context_shapes,
    prior_context,
    prior_refinement,
    prior_shapes,
    refinement_shapes,
)
from sirencodec.errors import CorruptError
from tests.payloads import decode_payload
from tests.unit.builders import architecture, random_latents

CONTEXT_MATRICES = 12  # of prior 1; two of the refinement follow
UNIT_STEP = 88  # 2^-13, or 8 units of a weight: the finest step that is whole units
NUMBERS = sorted(PRIORS)


def no_differences(number: int) -> QuantizedWeights:
    shapes = prior_shapes(number)
    return QuantizedWeights(tuple(np.zeros(s, np.int32) for s in shapes), (0,) * len(shapes))


def one_difference(level: int, step_index: int, matrix: int = 2) -> QuantizedWeights:
    weights = no_differences(1)
    weights.levels[matrix][1, 3] = level
    steps = tuple(step_index if number == matrix else 0 for number in range(len(weights.levels)))
    return QuantizedWeights(weights.levels, steps)


@pytest.mark.parametrize("number", NUMBERS)
def test_shapes(number: int) -> None:
    assert PRIOR_RANGE[0] <= number <= PRIOR_RANGE[1]
    shapes = context_shapes(number)
    layers = len(PRIORS[number].hidden_widths) + 1
    assert len(shapes) == layers * len(PHASES)
    for phase in range(len(PHASES)):
        network = shapes[layers * phase : layers * (phase + 1)]
        inputs = NEIGHBOURS * (COARSER_SOURCES + phase)
        assert network[0] == (PRIORS[number].hidden_widths[0], inputs + LARGEST_EXPONENT + 1)
        for below, above in pairwise(network):
            assert above[1] == below[0] + 1
        assert network[-1][0] == 2
    assert [matrix.shape for matrix in prior_context(number)] == list(shapes)
    refinement = refinement_shapes(number)
    assert [matrix.shape for matrix in prior_refinement(number)] == list(refinement)
    assert prior_shapes(number) == shapes + refinement


@pytest.mark.parametrize("number", NUMBERS)
def test_shipped_weights_are_whole_units_within_bounds(number: int) -> None:
    for matrix in prior_context(number):
        np.testing.assert_array_equal(matrix, np.rint(matrix))
        assert np.abs(matrix).max() <= LARGEST_WEIGHT
        assert not matrix.flags.writeable


@pytest.mark.parametrize("number", NUMBERS)
def test_shipped_refinement_is_within_bounds(number: int) -> None:
    for matrix in prior_refinement(number):
        assert matrix.dtype == np.float64
        assert np.abs(matrix).max() <= LARGEST_REFINEMENT_WEIGHT
        assert not matrix.flags.writeable


@pytest.mark.parametrize("number", NUMBERS)
def test_checksum(number: int) -> None:
    assert prior_checksum(number) == zlib.crc32(prior_bytes(number)) % 65536


@pytest.mark.parametrize("number", NUMBERS)
def test_without_differences_it_is_the_shipped_one(number: int) -> None:
    networks = adapted_context(number, no_differences(number))
    flat = [matrix for network in networks for matrix in network]
    assert len(networks) == len(PHASES)
    for ours, shipped in zip(flat, prior_context(number), strict=True):
        np.testing.assert_array_equal(ours, shipped)
    refinement = adapted_refinement(number, no_differences(number))
    for ours, shipped in zip(refinement, prior_refinement(number), strict=True):
        np.testing.assert_array_equal(ours, shipped)


@pytest.mark.parametrize(("level", "step_index"), [(3, UNIT_STEP), (-5, 117), (1, 160)])
def test_differences_are_added(level: int, step_index: int) -> None:
    networks = adapted_context(1, one_difference(level, step_index))
    change = networks[0][2] - prior_context(1)[2]
    assert change[1, 3] == level * step_size(step_index) * 2**16
    assert np.count_nonzero(change) == 1


@pytest.mark.parametrize(("level", "step_index"), [(3, 0), (-5, 87), (7, 130), (-1, 160)])
@pytest.mark.parametrize("matrix", [0, 1])
def test_differences_of_the_refinement_are_added(matrix: int, level: int, step_index: int) -> None:
    """Of any step: these numbers need not be whole units."""
    weights = one_difference(level, step_index, CONTEXT_MATRICES + matrix)
    shipped, adapted = prior_refinement(1), adapted_refinement(1, weights)
    assert adapted[matrix][1, 3] == shipped[matrix][1, 3] + level * step_size(step_index)
    assert adapted[matrix][1, 3] != shipped[matrix][1, 3]
    adapted[matrix][1, 3] = shipped[matrix][1, 3]
    for ours, expected in zip(adapted, shipped, strict=True):
        np.testing.assert_array_equal(ours, expected)
    for network, plain in zip(
        adapted_context(1, weights), adapted_context(1, no_differences(1)), strict=True
    ):
        np.testing.assert_array_equal(network[0], plain[0], "the context model stays")


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("matrix", [0, 1])
def test_a_number_of_the_refinement_too_large(matrix: int, sign: int) -> None:
    """Up to the bound, and no further."""
    step_index = 128
    room = LARGEST_REFINEMENT_WEIGHT - sign * prior_refinement(1)[matrix][1, 3]
    fits = int(room // step_size(step_index))
    place = CONTEXT_MATRICES + matrix
    adapted_refinement(1, one_difference(sign * fits, step_index, place))
    with pytest.raises(CorruptError, match="refinement is too large") as raised:
        adapted_refinement(1, one_difference(sign * (fits + 1), step_index, place))
    assert raised.value.field == "refinement"


def test_other_matrices_of_the_file_come_first() -> None:
    context = one_difference(2, UNIT_STEP)
    layers = (np.full((3, 3), 9, np.int32),)
    weights = QuantizedWeights(layers + context.levels, (99, *context.step_indices))
    networks = adapted_context(1, weights)
    assert networks[0][2][1, 3] - prior_context(1)[2][1, 3] == 16
    for ours, shipped in zip(adapted_refinement(1, weights), prior_refinement(1), strict=True):
        np.testing.assert_array_equal(ours, shipped)


def test_a_step_finer_than_a_unit() -> None:
    adapted_context(1, one_difference(1, UNIT_STEP))
    adapted_context(1, one_difference(0, UNIT_STEP - 1))  # no weight changes
    with pytest.raises(CorruptError, match="too fine") as raised:
        adapted_context(1, one_difference(1, UNIT_STEP - 1))
    assert raised.value.field == "step_index"


@pytest.mark.parametrize("sign", [1, -1])
def test_a_weight_too_large(sign: int) -> None:
    """Up to the bound, and no further."""
    room = LARGEST_WEIGHT - sign * prior_context(1)[2][1, 3]
    step_index, step_units = 160, step_size(160) * 2**16
    fits = int(room // step_units)
    adapted_context(1, one_difference(sign * fits, step_index))
    with pytest.raises(CorruptError, match="too large"):
        adapted_context(1, one_difference(sign * (fits + 1), step_index))


def test_a_payload_with_such_a_context_model_is_corrupt() -> None:
    """The encoder does not check what only a decoder must."""
    shape = architecture()
    layers = tuple(np.ones(s, np.int32) for s in (*shape.layer_shapes, *shape.kernel_shapes))
    context = one_difference(1, UNIT_STEP)
    steps = (90,) * len(layers)
    good = QuantizedWeights(layers + context.levels, steps + context.step_indices)
    picture = QuantizedPicture(good, random_latents(9, 7))
    payload = encode_payload(picture, shape)
    decode_payload(payload, shape, 9, 7)
    for step_index in (UNIT_STEP - 1, 255):
        wrong = bytearray(payload.matrices)
        wrong[2 * (len(layers) + 2)] = step_index
        with pytest.raises(CorruptError):
            decode_payload(replace(payload, matrices=bytes(wrong)), shape, 9, 7)


def test_a_payload_with_such_a_refinement_is_corrupt() -> None:
    shape = architecture()
    layers = tuple(np.ones(s, np.int32) for s in (*shape.layer_shapes, *shape.kernel_shapes))
    steps = (90,) * len(layers)
    refined = one_difference(200, 96, CONTEXT_MATRICES)
    good = QuantizedWeights(layers + refined.levels, steps + refined.step_indices)
    payload = encode_payload(QuantizedPicture(good, random_latents(9, 7)), shape)
    decode_payload(payload, shape, 9, 7)
    wrong = bytearray(payload.matrices)
    wrong[2 * (len(layers) + CONTEXT_MATRICES)] = 176
    with pytest.raises(CorruptError, match="refinement is too large"):
        decode_payload(replace(payload, matrices=bytes(wrong)), shape, 9, 7)
