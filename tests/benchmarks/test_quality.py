"""Measures of quality: known errors, and more noise is worse."""

import numpy as np
import pytest

from benchmarks.measuring.pixels import tiny_picture
from benchmarks.measuring.quality import ms_ssim, psnr_db, psnr_hvs_db, ssimulacra2
from tests.benchmarks.runs import needs_bjontegaard


@needs_bjontegaard
def test_measures_of_eyes_fall_with_noise():
    pixels = tiny_picture(176, 168)
    noise = np.random.default_rng(0).normal(0, 1, pixels.shape)
    noisy = [np.clip(pixels + level * noise, 0, 255).astype(np.uint8) for level in (4, 16)]
    for measure_of, best in ((ms_ssim, 1), (ssimulacra2, 100), (psnr_hvs_db, 100)):
        values = [measure_of(pixels, decoded) for decoded in (pixels, *noisy)]
        assert values == sorted(values, reverse=True)
        assert values[0] == pytest.approx(best, abs=1e-4)
    assert psnr_hvs_db(pixels[:13, :9], pixels[:13, :9]) == 100
    assert ms_ssim(pixels[:160], pixels[:160]) is None


def test_psnr_of_a_known_error():
    black = np.zeros((4, 4, 3), dtype=np.uint8)
    one_off = black.copy()
    one_off[0, 0, 0] = 48  # mean square 48
    assert psnr_db(black, one_off) == pytest.approx(10 * np.log10(255**2 / 48))
    assert psnr_db(black, black) == 100
