"""Weights <-> levels and steps."""

from __future__ import annotations

import numpy as np

from sirencodec.bitstream.format import LARGEST_LEVEL
from sirencodec.bitstream.quantize import (
    NUM_STEPS,
    STEP_SIZES,
    STEPS_AN_OCTAVE,
    dequantize,
    nearest_step_index,
    quantize,
    step_size,
)


def test_steps_double_every_octave_and_are_even_within() -> None:
    assert (STEP_SIZES[0], STEP_SIZES[-1]) == (2.0**-24, 240)
    np.testing.assert_array_equal(STEP_SIZES[STEPS_AN_OCTAVE:], 2 * STEP_SIZES[:-STEPS_AN_OCTAVE])
    octave = STEP_SIZES[: STEPS_AN_OCTAVE + 1]
    assert len(set(np.diff(octave))) == 1


def test_the_nearest_step() -> None:
    for index in range(NUM_STEPS):
        assert nearest_step_index(step_size(index)) == index
    assert nearest_step_index(0.0) == 0
    assert nearest_step_index(1e9) == NUM_STEPS - 1


def test_levels_are_the_nearest_and_stay_in_range() -> None:
    index = nearest_step_index(0.25)
    quantized = quantize([np.array([[0.3, -0.4, 0.0, 1e9, -1e9]])], [index])
    expected = [[1, -2, 0, LARGEST_LEVEL, -LARGEST_LEVEL]]
    assert quantized.levels[0].tolist() == expected
    assert quantized.levels[0].dtype == np.int32


def test_numbers_that_are_levels_times_a_step_come_back() -> None:
    """In single precision too: a decode in float32 starts from the same network."""
    levels = np.random.default_rng(0).integers(-LARGEST_LEVEL, LARGEST_LEVEL + 1, (7, 9))
    for index in range(0, NUM_STEPS, 17):
        matrix = levels * STEP_SIZES[index]
        quantized = quantize([matrix], [index])
        np.testing.assert_array_equal(quantized.levels[0], levels)
        np.testing.assert_array_equal(dequantize(quantized)[0], matrix)
        np.testing.assert_array_equal(np.float32(matrix), matrix)
