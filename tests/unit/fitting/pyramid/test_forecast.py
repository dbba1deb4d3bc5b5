"""Rate and quality foreseen from an image's spectrum."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sirencodec.fitting.pyramid.forecast import (
    LAMBDA_RANGE,
    Spectrum,
    lambda_where,
)
from sirencodec.fitting.pyramid.plan_settings import ForecastSettings
from tests.pictures import make_clouds

SETTINGS = ForecastSettings()

LAMBDAS = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1]


def spectrum_of(samples: np.ndarray) -> Spectrum:
    return Spectrum(samples, SETTINGS)


def noise(sigma: float, width: int = 256, height: int = 192, channels: int = 3) -> np.ndarray:
    generator = np.random.default_rng(0)
    values = generator.normal(128, sigma, (height, width, channels))
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_dearer_bit_is_used_less(channels: int) -> None:
    spectrum = spectrum_of(noise(20, channels=channels))
    rates = [spectrum.bpp(lambda_) for lambda_ in LAMBDAS]
    qualities = [spectrum.psnr_db(lambda_) for lambda_ in LAMBDAS]
    assert rates == sorted(rates, reverse=True)
    assert qualities == sorted(qualities, reverse=True)
    assert rates[0] > 2 * rates[2]


def test_busier_images_take_more() -> None:
    rates = [spectrum_of(noise(sigma)).bpp(1e-4) for sigma in (2, 5, 20, 40)]
    assert rates == sorted(set(rates))


def test_error_of_white_noise() -> None:
    """Below its variance the error is the water level, lambda * channels / (2 ln 2)."""
    spectrum = spectrum_of(noise(40, channels=1))
    high, low = (10 ** (-spectrum.psnr_db(lambda_) / 10) for lambda_ in (2e-5, 1e-5))
    assert high / low == pytest.approx(2**SETTINGS.psnr_factor, rel=0.05)
    level = 1e-5 / (2 * math.log(2))
    assert low == pytest.approx(
        level**SETTINGS.psnr_factor * 10 ** (-SETTINGS.psnr_offset_db / 10), rel=0.05
    )


def test_flat_images_take_nothing() -> None:
    spectrum = spectrum_of(np.full((30, 50, 3), 77, np.uint8))
    assert spectrum.bpp(LAMBDA_RANGE[0]) < 1e-6
    assert spectrum.psnr_db(1e-3) > 100


@pytest.mark.parametrize("side", [2, 4, 8, 16])
def test_edges_are_seen_wherever_they_lie(side: int) -> None:
    """Squares as large as a block, and in step with its blocks, looked flat to it."""
    rows, columns = np.indices((256, 256)) // side
    squares = np.random.default_rng(0).integers(0, 256, (128, 128))[rows, columns]
    samples = np.repeat(squares[..., None], 3, 2).astype(np.uint8)
    assert spectrum_of(samples).bpp(1e-3) > 1 / side


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (8, 8), (17, 5)], ids=str)
def test_any_size(size: tuple[int, int]) -> None:
    spectrum = spectrum_of(make_clouds(*size))
    assert math.isfinite(spectrum.bpp(1e-3))
    assert math.isfinite(spectrum.psnr_db(1e-3))


def test_depth_does_not_matter() -> None:
    fine = spectrum_of(noise(20).astype(np.uint16) * 257)
    assert fine.bpp(1e-3) == pytest.approx(spectrum_of(noise(20)).bpp(1e-3))


def test_a_large_image_is_judged_by_some_of_its_blocks() -> None:
    part = noise(20, 512, 512, 1)
    large = spectrum_of(np.tile(part, (4, 6, 1)))
    assert large.bpp(1e-3) == pytest.approx(spectrum_of(part).bpp(1e-3), rel=0.02)


def test_what_changes_slowly_takes_little() -> None:
    """A block's mean follows from those around it, as coarse grids tell of fine ones."""
    down, across = np.mgrid[:256, :256] / 256
    slope = np.rint(255 * (down + across) / 2).astype(np.uint8)[..., None]
    assert spectrum_of(slope).bpp(1e-3) < 0.1 * spectrum_of(noise(20, 256, 256, 1)).bpp(1e-3)


@pytest.mark.parametrize("wanted", [0.05, 0.3, 2.0])
def test_search(wanted: float) -> None:
    spectrum = spectrum_of(noise(30))
    assert spectrum.bpp(lambda_where(spectrum.bpp, wanted)) == pytest.approx(wanted, rel=1e-3)


def test_what_is_out_of_reach_gives_the_end_of_the_range() -> None:
    spectrum = spectrum_of(noise(30))
    low, high = LAMBDA_RANGE
    assert lambda_where(spectrum.bpp, 1e9) == pytest.approx(low)
    assert lambda_where(spectrum.bpp, -1.0) == pytest.approx(high)
