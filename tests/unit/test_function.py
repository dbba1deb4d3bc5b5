"""A file as a function of coordinates."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

import sirencodec
from sirencodec.errors import LimitError, ParameterError
from sirencodec.function import SirenFunction
from tests.paths import VALID

RGBA, GRAY, METADATA = (VALID / f"{name}.siren" for name in ("rgba-16", "gray-4x4", "metadata"))


@pytest.fixture(scope="module")
def function() -> SirenFunction:
    return sirencodec.open(RGBA, exact=True, device="cpu")


def test_facts(function: SirenFunction) -> None:
    assert (function.width, function.height, function.mode) == (10, 6, "RGBA;16")
    assert sirencodec.open(GRAY).mode == "L"
    assert not function.metadata
    assert sirencodec.open(METADATA).metadata == sirencodec.decode(METADATA).metadata


def test_the_worked_example() -> None:
    """FORMAT.md, section 9, by hand."""
    x, y = 0.25, -0.75
    first = np.sin(24 / 16 * x + 8 / 16 * y + 3 / 16)
    second = np.sin(-8 / 16 * x + 24 / 16 * y + 11 / 16)
    expected = 9 / 32 * first - 7 / 32 * second + 16 / 32
    assert sirencodec.open(GRAY, exact=True)([x, y]) == pytest.approx([expected], abs=1e-12)


@pytest.mark.parametrize("shape", [(2,), (1, 2), (5, 2), (3, 4, 2), (0, 2), (3, 0, 2)], ids=str)
def test_shapes(function: SirenFunction, shape: tuple[int, ...]) -> None:
    coordinates = np.linspace(-1, 1, int(np.prod(shape))).reshape(shape)
    assert function(coordinates).shape == (*shape[:-1], 4)
    assert function.gradient(coordinates).shape == (*shape[:-1], 4, 2)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)], ids=str)
def test_coordinates_of_another_form_are_refused(
    function: SirenFunction, shape: tuple[int, ...]
) -> None:
    with pytest.raises(ParameterError, match="coordinates"):
        function(np.zeros(shape))
    with pytest.raises(ParameterError, match="coordinates"):
        function.gradient(np.zeros(shape))


def test_any_memory_layout(function: SirenFunction) -> None:
    coordinates = np.random.default_rng(0).uniform(-1, 1, (6, 2))
    expected = function(coordinates)
    read_only = coordinates.copy()
    read_only.flags.writeable = False
    for same in (read_only, np.asfortranarray(coordinates), coordinates.tolist()):
        np.testing.assert_array_equal(function(same), expected)
    np.testing.assert_array_equal(function(coordinates[::-1]), expected[::-1])
    np.testing.assert_allclose(function(coordinates.astype(np.float32)), expected, atol=1e-4)


def central_differences(
    function: SirenFunction, coordinates: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    step = 1e-6
    sides = [
        (function(coordinates + offset) - function(coordinates - offset)) / (2 * step)
        for offset in ([step, 0], [0, step])
    ]
    return np.stack(sides, -1)


def test_gradient(function: SirenFunction) -> None:
    coordinates = np.random.default_rng(0).uniform(-1, 1, (4, 5, 2))
    expected = central_differences(function, coordinates)
    np.testing.assert_allclose(function.gradient(coordinates), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "size", [{}, {"width": 7}, {"width": 3, "height": 20}, {"crop": (1, 2, 3.5, 2), "height": 9}]
)
def test_sample_is_what_decode_gives(function: SirenFunction, size: dict[str, object]) -> None:
    sampled = function.sample(**size)
    decoded = sirencodec.decode(RGBA, exact=True, device="cpu", **size)
    np.testing.assert_array_equal(sampled.samples, decoded.samples)


def test_sample_keeps_to_the_limits() -> None:
    function = sirencodec.open(RGBA, limits=sirencodec.Limits(max_pixels=1000))
    assert function.sample(width=40, height=25).width == 40
    with pytest.raises(LimitError):
        function.sample(width=40, height=26)


def test_single_precision_is_close(function: SirenFunction) -> None:
    coordinates = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    single = sirencodec.open(RGBA, device="cpu")(coordinates)
    assert single.dtype == np.float64
    np.testing.assert_allclose(single, function(coordinates), atol=1e-4)


def test_moving_to_a_device(function: SirenFunction) -> None:
    assert function.to("cpu") is function
    with pytest.raises(ParameterError, match="device"):
        function.to("abacus")


@pytest.mark.parametrize("x", [float("nan"), float("inf")])
def test_coordinates_are_finite(function: SirenFunction, x: float) -> None:
    for ask in (function, function.gradient):
        with pytest.raises(ParameterError, match="finite"):
            ask([[0.0, 0.0], [x, 0.0]])


def test_the_function_continues_beyond_the_image(function: SirenFunction) -> None:
    assert np.isfinite(function([[2.0, -3.0]])).all()
