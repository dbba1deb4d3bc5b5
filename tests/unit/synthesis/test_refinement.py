"""Corrections of features: those of a plain loop, and nothing where they are to do nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from sirencodec.bitstream.architecture import REFINED
from sirencodec.bitstream.prior_file import PRIORS
from sirencodec.entropy.prior import refinement_shapes
from sirencodec.synthesis.refinement import HALO, corrections, num_refined
from tests.unit.builders import ALL_GRIDS, random_refinement

Floats = npt.NDArray[np.float64]
pytestmark = pytest.mark.usefixtures("one_thread")
GRIDS = [ALL_GRIDS, (0,), (1,), (0, 1), (1, 2, 3), (0, 1, 2)]


def random_features(grids: Sequence[int], rows: int = 6, columns: int = 9) -> Floats:
    """With their surroundings."""
    shape = (len(grids), rows + 2 * HALO, columns + 2 * HALO)
    return np.random.default_rng(len(grids)).normal(size=shape)


def correct(
    features: Floats, grids: Sequence[int], matrices: Sequence[Floats], dtype: torch.dtype
) -> Tensor:
    tensors = [torch.tensor(array, dtype=dtype) for array in (features, *matrices)]
    return corrections(tensors[0], grids, tensors[1:])


def ours(features: Floats, grids: Sequence[int], matrices: Sequence[Floats]) -> Floats:
    return correct(features, grids, matrices, torch.float64).numpy()


def slowly(features: Floats, grids: Sequence[int], matrices: Sequence[Floats]) -> Floats:
    """Weight by weight, pixel by pixel."""
    first, second = matrices

    def hidden(channel: int, row: int, column: int) -> float:
        total = first[channel, 63]
        for feature, exponent in zip(features, grids, strict=True):
            for tap in range(9):
                value = feature[row + tap // 3 - 1, column + tap % 3 - 1]
                total += first[channel, 9 * exponent + tap] * value
        return max(total, 0.0)

    finest = [exponent for exponent in grids if exponent <= 1]
    rows, columns = (side - 4 for side in features.shape[1:])
    result = np.zeros((len(finest), rows, columns))
    for number, exponent in enumerate(finest):
        for row, column in np.ndindex(rows, columns):
            result[number, row, column] = second[exponent, 72] + sum(
                second[exponent, 9 * channel + tap]
                * hidden(channel, row + 2 + tap // 3 - 1, column + 2 + tap % 3 - 1)
                for channel in range(8)
                for tap in range(9)
            )
    return result


def test_shapes() -> None:
    assert refinement_shapes(1) == ((8, 64), (2, 73))
    assert PRIORS[1].refinement_channels == 8
    assert [matrix.shape for matrix in random_refinement()] == list(refinement_shapes(1))
    assert REFINED == (0, 1)


@pytest.mark.parametrize(
    ("grids", "expected"),
    [(ALL_GRIDS, 2), ((0,), 1), ((1, 2), 1), ((0, 1), 2), ((2, 3), 0), ((6,), 0)],
    ids=str,
)
def test_which_features_are_refined(grids: tuple[int, ...], expected: int) -> None:
    assert num_refined(grids) == expected


@pytest.mark.parametrize("grids", GRIDS, ids=str)
def test_corrections_are_those_of_a_loop(grids: tuple[int, ...]) -> None:
    features, matrices = random_features(grids, 3, 4), random_refinement()
    expected = slowly(features, grids, matrices)
    assert expected.shape == (num_refined(grids), 3, 4)
    assert np.abs(expected).mean() > 0.1, "else this tells little"
    np.testing.assert_allclose(ours(features, grids, matrices), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("grids", GRIDS, ids=str)
def test_a_second_matrix_of_zeros_changes_nothing(grids: tuple[int, ...]) -> None:
    first, second = random_refinement()
    assert not ours(random_features(grids), grids, [first, 0 * second]).any()


@pytest.mark.parametrize("grids", GRIDS, ids=str)
def test_grids_that_are_not_there_count_as_nothing(grids: tuple[int, ...]) -> None:
    """As if their features were zero; what the matrices hold for them does not matter."""
    features, (first, second) = random_features(grids), random_refinement()
    expected = ours(features, grids, [first, second])
    everywhere = np.zeros((7, *features.shape[1:]))
    everywhere[list(grids)] = features
    own = [exponent for exponent in grids if exponent in REFINED]
    full = ours(everywhere, ALL_GRIDS, [first, second])
    np.testing.assert_allclose(full[own], expected, rtol=0, atol=1e-12)
    for exponent in set(ALL_GRIDS) - set(grids):
        first[:, 9 * exponent : 9 * exponent + 9] = np.nan
        if exponent in REFINED:
            second[exponent] = np.nan
    np.testing.assert_array_equal(ours(features, grids, [first, second]), expected)


@pytest.mark.parametrize("scale", [0.25, 3.0])
def test_without_biases_it_is_the_same_at_any_scale(scale: float) -> None:
    features, matrices = random_features(ALL_GRIDS), random_refinement()
    for matrix in matrices:
        matrix[:, -1] = 0
    scaled = ours(scale * features, ALL_GRIDS, matrices)
    expected = scale * ours(features, ALL_GRIDS, matrices)
    np.testing.assert_allclose(scaled, expected, rtol=1e-12, atol=1e-12)


def test_a_correction_sees_two_pixels_around() -> None:
    """All of them, and nothing further away."""
    features, matrices = random_features(ALL_GRIDS, 5, 5), random_refinement()
    features[:] = 0
    matrices[0][:, -1] = 10  # so that nothing is cut off
    before = ours(features, ALL_GRIDS, matrices)
    features[4, 4, 4] = 1  # the middle of rows 2 to 6 that are corrected
    reached = (ours(features, ALL_GRIDS, matrices) != before).any(0)
    assert reached.all()
    features[4, 4, 4], features[4, 1, 4] = 0, 1
    reached = (ours(features, ALL_GRIDS, matrices) != before).any(0)
    assert reached.any(1).tolist() == [True, True, False, False, False]


def test_single_precision_is_close() -> None:
    features, matrices = random_features(ALL_GRIDS, 40, 50), random_refinement()
    single = correct(features, ALL_GRIDS, matrices, torch.float32).numpy()
    np.testing.assert_allclose(single, ours(features, ALL_GRIDS, matrices), rtol=0, atol=1e-5)


@pytest.mark.gpu
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)], ids=str
)
def test_cuda_computes_the_same(dtype: torch.dtype, tolerance: float) -> None:
    """In single precision as well, and not in TF32."""
    features, matrices = random_features(ALL_GRIDS, 40, 50), random_refinement()
    tensors = [torch.tensor(array, dtype=dtype, device="cuda") for array in (features, *matrices)]
    found = corrections(tensors[0], ALL_GRIDS, tensors[1:]).cpu().numpy()
    np.testing.assert_allclose(found, ours(features, ALL_GRIDS, matrices), rtol=0, atol=tolerance)
