"""A run loses no finished point, and is never turned into another."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import PIL.Image
import pytest
from click.testing import CliRunner

from benchmarks.cli import main
from benchmarks.measuring.codecs import CODECS
from benchmarks.measuring.machine import ROOT
from benchmarks.measuring.pixels import read_pixels, tiny_picture
from benchmarks.measuring.quality import psnr_db
from benchmarks.measuring.results import RunStore, read_run
from tests.benchmarks.runs import measure

pytestmark = pytest.mark.slow


def test_points_hold_what_was_written_and_decoded(dataset, tmp_path):
    kept = tmp_path / "files"
    options = ("--codecs", "jpeg-420,webp", "--settings", "20,60", "--keep-files", str(kept))
    run = measure(dataset, tmp_path / "run.json", *options)

    assert len(run["points"]) == 8
    for point in run["points"]:
        codec = CODECS[point["codec"]]
        original = read_pixels(dataset / f"{point['image']}.png")
        file = kept / codec.name / f"{point['image']}-{point['setting']:g}{codec.suffix}"
        assert point["bytes"] == file.stat().st_size
        assert point["bpp"] == pytest.approx(8 * point["bytes"] / (64 * 48), abs=1e-6)
        decoded = np.asarray(PIL.Image.open(file).convert("RGB"))
        assert point["psnr_db"] == pytest.approx(psnr_db(original, decoded), abs=1e-4)
        assert min(point["encode_s"], point["decode_s"]) >= 0
        assert min(point["encode_peak_bytes"], point["decode_peak_bytes"]) > 2**20
    session = run["sessions"][0]
    assert set(session) >= {"command", "commit", "machine", "versions", "started", "threads"}
    assert set(session["machine"]) >= {"processor", "cores", "memory_gib", "loops"}
    assert str(tmp_path) not in json.dumps(run)


def test_an_interrupted_run_goes_on_without_repeating_or_losing_points(dataset, tmp_path):
    output = tmp_path / "run.json"
    options = ("--codecs", "jpeg-420", "--settings", "20,60")
    whole = measure(dataset, output, *options)
    journal = output.with_suffix(".jsonl")
    run = {name: value for name, value in whole.items() if name != "points"}
    entries = [{"run": run}, *({"point": point} for point in whole["points"][:3])]
    output.unlink()
    cut_off = json.dumps({"point": whole["points"][3]})[:40]  # the machine went down here
    journal.write_text("\n".join(map(json.dumps, entries)) + "\n" + cut_off)

    assert len(read_run(output)["points"]) == 3
    resumed = measure(dataset, output, *options)

    assert not journal.exists()
    assert resumed["points"][:3] == whole["points"][:3]
    assert [point["session"] for point in resumed["points"]] == [0, 0, 0, 1]
    assert resumed["points"][3]["sha256"] == whole["points"][3]["sha256"]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_a_run_that_is_ended_from_outside_loses_no_finished_point(dataset, tmp_path, how):
    output = tmp_path / "run.json"
    options = ["--codecs", "jpeg-420,webp", "--settings", "10,30,50,70"]
    command = [sys.executable, "-m", "benchmarks", "rate-distortion", "--dataset", str(dataset)]
    command += [*options, "--threads", "1", "--jobs", "2", "--output", str(output)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, process_group=0)
    journal = output.with_suffix(".jsonl")
    while not journal.exists() or journal.read_text().count("\n") < 4:  # its head, three points
        assert process.poll() is None
        time.sleep(0.01)
    seen = read_run(output)["points"]
    os.killpg(process.pid, how)  # with the processes that encode and decode
    process.wait()

    assert journal.exists() == (how == signal.SIGKILL)
    left = read_run(output)["points"]
    assert 3 <= len(seen) <= len(left)  # on a busy machine, all may be done by now
    assert all(point in left for point in seen)
    resumed = measure(dataset, output, *options)
    assert [point for point in resumed["points"] if point["session"] == 0] == left
    keys = {(point["codec"], point["setting"], point["image"]) for point in resumed["points"]}
    assert len(keys) == len(resumed["points"]) == 16


def test_a_session_that_brings_nothing_leaves_the_run_as_it_was(dataset, tmp_path):
    output = tmp_path / "run.json"
    options = ("--codecs", "jpeg-420", "--settings", "20")
    measure(dataset, output, *options)
    before = output.read_text()
    arguments = ["rate-distortion", "--dataset", str(dataset), "--output", str(output)]
    result = CliRunner().invoke(main, [*arguments, "--codecs", "webp", "--seed", "7"])
    assert result.exit_code == 1
    assert "Error: the run has seed 0, not 7" in result.output
    result = CliRunner().invoke(main, [*arguments, "--codecs", "webp", "--settings", "-5"])
    assert "encode failed" in result.output
    PIL.Image.fromarray(tiny_picture(seed=2)).save(dataset / "waves1.png")
    result = CliRunner().invoke(main, [*arguments, "--codecs", "webp"])
    assert "Error: image waves1 is another one" in result.output
    assert output.read_text() == before


def test_a_run_can_be_extended_but_not_turned_into_another(dataset, tmp_path):
    output = tmp_path / "run.json"
    measure(dataset, output, "--codecs", "webp", "--settings", "20", "--images", "waves0")
    run = measure(dataset, output, "--codecs", "webp", "--settings", "20")
    assert [point["image"] for point in run["points"]] == ["waves0", "waves1"]
    assert len(run["sessions"]) == 2
    with pytest.raises(ValueError, match="kind rate-distortion, not speed"):
        RunStore(output, "speed")


def test_a_codec_that_fails_is_named_and_makes_no_point(dataset, tmp_path):
    arguments = ["rate-distortion", "--dataset", str(dataset), "--images", "waves0"]
    arguments += ["--codecs", "webp", "--settings", "-5,20", "--output", str(tmp_path / "run.json")]
    (tmp_path / "tiny" / "waves0.png").write_bytes(b"no image")
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "encode failed" in result.output
    assert not (tmp_path / "run.json").exists()
