"""Runs at twice the stored size: they go on, and enlarge what was shrunk."""

import pytest
from click.testing import CliRunner

from benchmarks.cli import main
from benchmarks.measuring import scale
from benchmarks.measuring.codecs import Effort
from benchmarks.measuring.pixels import tiny_picture
from benchmarks.measuring.quality import psnr_db
from benchmarks.measuring.results import read_run
from benchmarks.reporting.scale_table import scale_table


def test_a_scale_run_that_is_cut_off_goes_on_where_it_was(dataset, tmp_path, monkeypatch):
    finished = []

    def measure_here(original, target_bpp, effort):
        if len(finished) == 3:
            raise KeyboardInterrupt
        finished.append((original.shape, target_bpp, effort.level))
        gain = 0.3 if len(finished) % 2 else -0.1
        ways = {f"{way}_psnr_db": 30.0 for way in scale.WAYS} | {"queried_psnr_db": 30 + gain}
        return ways | {"bpp": target_bpp, "stored_psnr_db": 35.0}

    monkeypatch.setattr(scale, "_measure", measure_here)
    output = tmp_path / "scale.json"
    arguments = ["scale", "--dataset", str(dataset), "--bpp", "0.3,0.8", "--effort", "0"]
    arguments += ["--threads", "1", "--output", str(output)]
    assert CliRunner().invoke(main, arguments).exit_code == 1
    assert len(read_run(output)["points"]) == 3
    finished.clear()
    assert CliRunner().invoke(main, arguments).exit_code == 0
    assert len(finished) == 1
    run = read_run(output)
    assert [point["session"] for point in run["points"]].count(1) == 1
    assert "| 0.300 (effort 0, 2 images) | 35.00 |" in scale_table(run)
    assert "| +0.30 (+0.30 to +0.30) |" in scale_table(run)


def test_the_scale_run_enlarges_what_was_shrunk():
    original = scale._even(tiny_picture(65, 49))
    assert original.shape == (48, 64, 3)
    point = scale._measure(original, 4, Effort(0))
    assert point["bpp"] == pytest.approx(8 * point["bytes"] / (32 * 24), abs=1e-6)
    shrunk = scale.resize(original, 32, 24, scale.LANCZOS)
    uncoded = psnr_db(original, scale.resize(shrunk, 64, 48, scale.LANCZOS))
    assert point["uncoded_psnr_db"] == pytest.approx(uncoded, abs=1e-4)
    assert {f"{way}_psnr_db" for way in scale.WAYS} <= set(point)
