"""Which detail is kept: all, none, the weak lost, colour made up; and files of equal rates."""

import hashlib
import json

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.cli import main
from benchmarks.measuring.codecs import CODECS, Effort
from benchmarks.measuring.detail import PARTS, encode_near, measure_detail
from benchmarks.measuring.measure import kept_file
from benchmarks.measuring.pixels import read_pixels, tiny_picture
from benchmarks.reporting.detail_table import detail_table

LUMA, COLOUR, ENERGY = "luma_correlation", "red_green_correlation", "red_green_energy"


@pytest.fixture(scope="module")
def textured():
    """Gray noise, stronger to the right, and red waves, stronger to the bottom."""
    noise = np.random.default_rng(0).normal(0, 1, (80, 160, 1))
    y, x = np.mgrid[:80, :160]
    waves = (np.sin(x / 3) * y / 4)[..., None] * [1, 0, 0]
    return np.clip(128 + noise * (1 + x[..., None] / 8) + waves, 0, 255).astype(np.uint8)


def test_a_perfect_decode_keeps_everything(textured):
    assert measure_detail(textured, textured) == {
        field: pytest.approx([1.0] * PARTS) for field in (LUMA, COLOUR, ENERGY)
    }


def test_a_flat_decode_keeps_nothing(textured):
    detail = measure_detail(textured, np.full_like(textured, 128))
    assert detail == {field: pytest.approx([0.0] * PARTS) for field in (LUMA, COLOUR, ENERGY)}


def test_a_gray_decode_keeps_light_and_no_colour(textured):
    gray = np.repeat(textured.mean(2, keepdims=True), 3, 2).astype(np.uint8)
    detail = measure_detail(textured, gray)
    assert min(detail[LUMA]) > 0.5
    assert max(detail[ENERGY]) < 0.05


def test_coarse_levels_lose_weak_detail_first(textured):
    coarse = np.round(textured / 32) * 32  # 128 is a level
    kept = measure_detail(textured, np.minimum(coarse, 255).astype(np.uint8))[LUMA]
    assert kept == sorted(kept)
    assert kept[-1] > kept[0] + 0.2


def test_false_colour_is_energy_without_correlation(textured):
    gray = np.repeat(textured[..., 1:2], 3, 2)
    tinted = gray.astype(float)
    tinted[..., 0] += 20 * np.random.default_rng(1).normal(0, 1, gray.shape[:2])
    detail = measure_detail(textured, np.clip(tinted, 0, 255).astype(np.uint8))
    assert detail[ENERGY][0] > 1
    assert abs(detail[COLOUR][0]) < 0.3


@pytest.mark.parametrize("name", ["webp", "jpeg-420"])
def test_a_rival_comes_as_near_to_a_rate_as_its_settings_allow(name):
    pixels = tiny_picture(96, 64)
    codec = CODECS[name]
    sizes = [len(codec.encode(pixels, quality, Effort())) for quality in range(1, 96)]
    found = len(encode_near(pixels, 2.0, codec, Effort()))
    wanted = 2.0 * 96 * 64 / 8
    assert abs(np.log(found / wanted)) <= 1.05 * min(abs(np.log(np.array(sizes) / wanted))) + 0.01


def test_the_command_shows_means_and_goes_on(dataset, tmp_path):
    output = tmp_path / "detail.json"
    arguments = ["detail", "--dataset", str(dataset), "--codecs", "webp", "--bpp", "3"]
    arguments += ["--threads", "1", "--output", str(output)]
    first = CliRunner().invoke(main, arguments, catch_exceptions=False)
    run = json.loads(output.read_text())
    assert len(run["points"]) == 2
    assert detail_table(run) in first.output
    assert "| WebP | 2 | " in first.output
    again = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert "image=waves" not in again.stderr
    assert json.loads(output.read_text()) == run


def test_kept_files_need_no_encoding(dataset, tmp_path):
    """Whatever lies there is measured."""
    images, sums = sorted(dataset.iterdir()), set()
    for image in images:
        path = kept_file(tmp_path / "kept", "sirencodec", 3.0, 9, image.stem)
        path.parent.mkdir(parents=True, exist_ok=True)
        data = CODECS["sirencodec"].encode(read_pixels(image), 0.5, Effort(0))
        path.write_bytes(data)
        sums.add(hashlib.sha256(data).hexdigest()[:16])
    output = tmp_path / "detail.json"
    arguments = ["detail", "--dataset", str(dataset), "--codecs", "sirencodec", "--bpp", "3"]
    arguments += ["--efforts", "9", "--kept", str(tmp_path / "kept"), "--output", str(output)]
    CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert {point["sha256"] for point in json.loads(output.read_text())["points"]} == sums
