"""Scores asked for and reached."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.cli import main
from benchmarks.measuring.scores import middle
from benchmarks.reporting.score_table import is_kept, score_table


def point(quality, score, **facts):
    usual = {"variant": "psnr", "effort": 0, "bpp": 0.5, "psnr_db": 30.0}
    return usual | {"setting": quality, "ssimulacra2": score} | facts


@pytest.mark.parametrize(("score", "kept"), [(57.9, False), (58, True), (62, True), (62.1, False)])
def test_two_points_are_promised(score, kept):
    assert is_kept(point(60, score)) == kept


def test_the_table_has_a_line_a_quality():
    points = [point(60, 59.0), point(60, 63.0, bpp=0.75), point(80, 80.5)]
    table = score_table({"points": points})
    assert "| psnr | 0 | 60 | 59.0 to 63.0 | 1 of 2 | 0.50 to 0.75 | 30.0 to 30.0 |" in table
    assert "| psnr | 0 | 80 | 80.5 to 80.5 | 1 of 1 |" in table
    assert table.endswith("2 of 3 files are within 2 points.")


def test_the_middle_of_an_image():
    pixels = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(5, 4, 3)
    np.testing.assert_array_equal(middle(pixels, 3), pixels[1:4, :3])
    np.testing.assert_array_equal(middle(pixels, 9), pixels)


@pytest.mark.slow
def test_the_command_measures_and_goes_on(dataset, tmp_path):
    output = tmp_path / "scores.json"
    arguments = ["scores", "--dataset", str(dataset), "--images", "waves0", "--effort", "0"]
    arguments += ["--qualities", "40", "--side", "32", "--output", str(output)]
    first = CliRunner().invoke(main, arguments, catch_exceptions=False)
    run = json.loads(output.read_text())
    assert score_table(run) in first.output
    (found,) = run["points"]
    assert (found["setting"], found["image"]) == (40, "waves0")
    assert found["warned"] or found["ssimulacra2"] > 37  # of so small a picture it may be more
    again = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert json.loads(output.read_text()) == run
    assert "image=waves0" not in again.stderr
