"""Interpolation between pixels: through them, of constants exactly, and smooth."""

from __future__ import annotations

import numpy as np
import pytest

from sirencodec.synthesis.lanczos import lanczos_derivatives, lanczos_taps, lanczos_weights

OFFSETS = np.concatenate([[0.0, 1e-9, 1e-5, 1 - 1e-9], np.linspace(0.01, 0.99, 50)])


def test_it_passes_through_the_pixels() -> None:
    np.testing.assert_array_equal(lanczos_weights(np.zeros(1))[:, 0], [0, 0, 1, 0, 0, 0])


def test_weights_add_up_to_one() -> None:
    np.testing.assert_allclose(lanczos_weights(OFFSETS).sum(0), 1, rtol=1e-14)
    np.testing.assert_allclose(lanczos_derivatives(OFFSETS).sum(0), 0, atol=1e-13)


def test_weights_are_the_kernel_s_but_for_their_sum() -> None:
    distance = np.array([2.3, 1.3, 0.3, -0.7, -1.7, -2.7])
    kernel = np.sinc(distance) * np.sinc(distance / 3)
    np.testing.assert_allclose(lanczos_weights(np.array([0.3]))[:, 0], kernel / kernel.sum())


def test_mirrored_distances_have_mirrored_weights() -> None:
    np.testing.assert_allclose(
        lanczos_weights(1 - OFFSETS[4:]), lanczos_weights(OFFSETS[4:])[::-1], atol=1e-14
    )


def test_derivatives_are_those_of_finite_differences() -> None:
    step, inside = 1e-6, np.concatenate([[2e-6, 0.9e-4, 1.1e-4], OFFSETS[4:]])
    rise = lanczos_weights(inside + step) - lanczos_weights(inside - step)
    np.testing.assert_allclose(lanczos_derivatives(inside), rise / (2 * step), atol=1e-8)


@pytest.mark.parametrize("first_pixel", [0, 3])
def test_pixels_around_a_position(first_pixel: int) -> None:
    """Position 4.6 lies past the centre of pixel 4; beyond the edge stands the outermost."""
    pixels, weights = lanczos_taps(np.array([4.6, 0.2]), 6, lanczos_weights, first_pixel)
    expected = np.array([[2, 3, 4, 5, 5, 5], [0, 0, 0, 0, 1, 2]]) - first_pixel
    np.testing.assert_array_equal(pixels.T, expected)
    np.testing.assert_allclose(weights[:, 0], lanczos_weights(np.array([0.1]))[:, 0])
