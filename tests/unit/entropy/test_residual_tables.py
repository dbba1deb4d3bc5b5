"""Tables of residuals: valid, and close to the distribution they stand for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from sirencodec.entropy.range_coder import TOTAL
from sirencodec.entropy.residual_tables import (
    CENTRE_PARTS,
    LARGEST_RESIDUAL,
    NUM_SCALES,
    NUM_TABLES,
    SCALE_PARTS,
    UNIT_SCALE,
    residual_table,
)

RESIDUALS = np.arange(-LARGEST_RESIDUAL, LARGEST_RESIDUAL + 1)


def masses(scale: float, centre: float) -> npt.NDArray[np.float64]:
    """Mass of a Laplace distribution around each residual, the last ones with what is beyond."""

    def beyond(edges: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return 0.5 * np.exp(-np.abs(edges - centre) / scale)

    lower, upper = RESIDUALS - 0.5, RESIDUALS + 0.5
    lower[0], upper[-1] = -np.inf, np.inf
    inside = (lower < centre) & (centre < upper)
    return np.where(inside, 1 - beyond(lower) - beyond(upper), abs(beyond(lower) - beyond(upper)))


def test_every_table_is_valid() -> None:
    """What the coder asks for, and every residual can be coded."""
    for index in range(NUM_TABLES):
        table = residual_table(index)
        assert table.shape == RESIDUALS.shape
        assert table.dtype == np.int64
        assert table.min() >= 1
        assert table.sum() == TOTAL


def test_tables_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        residual_table(0)[0] = 2


@pytest.mark.parametrize("part", range(CENTRE_PARTS))
def test_frequencies_are_those_of_a_laplace_distribution(part: int) -> None:
    centre = part / CENTRE_PARTS - 0.5
    for index in range(NUM_SCALES):
        scale = 2.0 ** ((index - UNIT_SCALE) / SCALE_PARTS)
        table = residual_table(CENTRE_PARTS * index + part)
        expected = masses(scale, centre)
        frequencies = 1 + expected * (TOTAL - len(table))
        np.testing.assert_allclose(table, frequencies, rtol=0.02, atol=300)
        likely = expected > 0
        ratios = expected[likely] * TOTAL / table[likely]
        wasted_bits = float(expected[likely] @ np.log2(ratios))
        assert 0 <= wasted_bits < 2e-4


@pytest.mark.parametrize("part", range(1, CENTRE_PARTS))
def test_opposite_centres_have_mirrored_tables(part: int) -> None:
    for scale in range(NUM_SCALES):
        table = residual_table(CENTRE_PARTS * scale + part)
        opposite = residual_table(CENTRE_PARTS * scale + CENTRE_PARTS - part)
        np.testing.assert_array_equal(table[::-1], opposite)


def test_the_centre_shifts_the_table() -> None:
    """A centre half a level below zero makes -1 as likely as 0."""
    table = residual_table(CENTRE_PARTS * UNIT_SCALE)
    assert table[LARGEST_RESIDUAL - 1] == pytest.approx(table[LARGEST_RESIDUAL], rel=1e-3)
    assert table[LARGEST_RESIDUAL - 2] > table[LARGEST_RESIDUAL + 2]
