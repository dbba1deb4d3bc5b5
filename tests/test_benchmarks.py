"""The benchmarks: no finished point is lost, known figures come out, the README cannot drift."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from importlib.util import find_spec
from itertools import cycle
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from click.testing import CliRunner

from benchmarks import coding_process, readme, speed
from benchmarks.cli import main
from benchmarks.codecs import CODECS, Effort
from benchmarks.machine import ROOT, command_line
from benchmarks.measure import Job, MeasurementError
from benchmarks.measure import measure as measure_job
from benchmarks.pixels import find_images, read_pixels
from benchmarks.quality import psnr_db
from benchmarks.results import RunError, RunStore, read_run
from benchmarks.smoke import run_smoke, tiny_picture
from sirencodec.entropy.matrices import read_matrices
from sirencodec.entropy.prior import prior_shapes
from sirencodec.pyramid_planning import PRIOR
from sirencodec.starting_network import TRAINED_ARCHITECTURE

HAS_BJONTEGAARD = find_spec("bjontegaard") is not None
needs_bjontegaard = pytest.mark.skipif(not HAS_BJONTEGAARD, reason="needs the extra 'bench'")


@pytest.fixture
def dataset(tmp_path):
    folder = tmp_path / "tiny"
    folder.mkdir()
    for seed in range(2):
        PIL.Image.fromarray(tiny_picture(seed=seed)).save(folder / f"waves{seed}.png")
    return folder


def measure(dataset, output, *options):
    arguments = ["rate-distortion", "--dataset", str(dataset), "--output", str(output)]
    result = CliRunner().invoke(main, [*arguments, "--threads", "1", *options])
    assert result.exit_code == 0, result.output
    return read_run(output)


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
    assert 3 <= len(seen) <= len(left) < 16
    assert all(point in left for point in seen)
    resumed = measure(dataset, output, *options)
    assert [point for point in resumed["points"] if point["session"] == 0] == left
    keys = {(point["codec"], point["setting"], point["image"]) for point in resumed["points"]}
    assert len(keys) == len(resumed["points"]) == 16


def test_a_point_is_on_disk_before_the_next_begins(tmp_path):
    with RunStore(tmp_path / "run.json", "rate-distortion") as store:
        store.start_session({}, {"dataset": "none"})
        store.add({"codec": "webp", "setting": 1.0, "image": "a", "bytes": 7})
        [point] = read_run(tmp_path / "run.json")["points"]
        assert point["bytes"] == 7


def test_one_process_at_a_time_writes_to_a_run(tmp_path):
    path = tmp_path / "run.json"
    with RunStore(path, "rate-distortion") as store:
        store.start_session({}, {})
        store.add({"codec": "webp", "setting": 1.0, "image": "a"})
        with pytest.raises(RunError, match="another process"), RunStore(path, "rate-distortion"):
            pass
        store.add({"codec": "webp", "setting": 2.0, "image": "a"})
        stale = RunStore(path, "rate-distortion")
        store.add({"codec": "webp", "setting": 3.0, "image": "a"})
    with stale:
        assert len(stale.points) == 3
    assert len(read_run(path)["points"]) == 3


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


@pytest.mark.parametrize(
    ("decodes", "complaint"),
    [([(48, 64), (48, 64)], "two decodes of one file differ"), ([(64, 48)], "decoded to")],
    ids=["to-two-pictures", "to-another-size"],
)
def test_a_file_that_does_not_verify_is_a_failure_not_a_point(
    dataset, tmp_path, monkeypatch, decodes, complaint
):
    pictures = [np.full((*shape, 3), level, np.uint8) for level, shape in enumerate(decodes)]
    source = cycle(pictures)
    broken = replace(CODECS["webp"], decode=lambda data, threads: next(source))
    monkeypatch.setitem(CODECS, "webp", broken)

    def run_here(request):
        return getattr(coding_process, request["action"])(request)

    monkeypatch.setattr("benchmarks.measure._run", run_here)
    job = Job("webp", 20, None, dataset / "waves0.png")
    with pytest.raises(MeasurementError, match=complaint):
        measure_job(job)


def test_a_codec_that_fails_is_named_and_makes_no_point(dataset, tmp_path):
    arguments = ["rate-distortion", "--dataset", str(dataset), "--images", "waves0"]
    arguments += ["--codecs", "webp", "--settings", "-5,20", "--output", str(tmp_path / "run.json")]
    (tmp_path / "tiny" / "waves0.png").write_bytes(b"no image")
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "encode failed" in result.output
    assert not (tmp_path / "run.json").exists()


def test_unknown_codecs_and_images_are_named(dataset, tmp_path):
    for options, named in ((["--codecs", "gif"], "gif"), (["--images", "moon"], "moon")):
        arguments = ["rate-distortion", "--dataset", str(dataset), "--codecs", "webp", *options]
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code != 0
        assert named in result.output


def test_commands_are_recorded_without_folders_of_the_machine():
    recorded = command_line(["rate-distortion", "--dataset", "/home/someone/kodak", "--jobs", "1"])
    assert recorded == "python -m benchmarks rate-distortion --dataset kodak --jobs 1"


@pytest.mark.parametrize("name", [name for name in CODECS if name != "sirencodec"])
def test_rivals_spend_more_bytes_on_more_quality(name):
    codec = CODECS[name]
    if not codec.is_available:
        pytest.skip(f"{name} is not installed")
    pixels = tiny_picture(192, 128)
    low, high = codec.settings[4], codec.settings[-4]
    files = [codec.encode(pixels, setting, Effort()) for setting in (low, high)]
    decodes = [codec.decode(data, 1) for data in files]
    assert len(files[0]) < len(files[1])
    assert psnr_db(pixels, decodes[0]) < psnr_db(pixels, decodes[1])


def test_psnr_of_a_known_error():
    black = np.zeros((4, 4, 3), dtype=np.uint8)
    one_off = black.copy()
    one_off[0, 0, 0] = 48  # mean square 48
    assert psnr_db(black, one_off) == pytest.approx(10 * np.log10(255**2 / 48))
    assert psnr_db(black, black) == 100


@needs_bjontegaard
def test_bd_rate_of_a_known_pair():
    """Cool-chic 5.0.1 against 5.0.0 on Kodak: -1.2 % in its README."""
    from benchmarks.bd_rate import compare
    from benchmarks.curves import published_curves

    older, newer = published_curves("kodak", ("cool-chic-5.0.0", "cool-chic-5.0.1"))
    comparison = compare(older.points, newer.points)
    assert comparison.percent == pytest.approx(-1.2, abs=0.05)
    assert comparison.lowest == pytest.approx(27.4, abs=0.1)


@needs_bjontegaard
def test_bd_rate_of_a_curve_that_costs_half_as_much_again():
    from benchmarks.bd_rate import compare, quality_at, rate_at

    anchor = [(0.1, 28.0), (0.2, 30.5), (0.4, 33.0), (0.8, 36.5)]
    test = [(1.5 * bpp, quality) for bpp, quality in anchor]
    assert compare(anchor, test).percent == pytest.approx(50)
    windowed = compare(anchor, test, window_bpp=(0.1, 0.4))
    assert windowed.percent == pytest.approx(50, abs=0.1)
    assert (windowed.lowest, windowed.highest) == pytest.approx((28.0, 33.0))
    assert compare(anchor, test, window_quality=(40, 50)) is None
    assert compare(anchor, [(0.1, 20.0), (0.2, 22.0)]) is None
    assert quality_at(anchor, 0.2) == pytest.approx(30.5)
    assert rate_at(anchor, 33.0) == pytest.approx(0.4)
    assert quality_at(anchor, 2.0) is None


@needs_bjontegaard
def test_published_curves_rise_and_name_their_source():
    from benchmarks.curves import published_curves

    curves = published_curves("kodak")
    assert {"vtm", "coin", "cool-chic-5.0.1", "nif25", "bpg", "c3"} <= {c.name for c in curves}
    for curve in curves:
        assert curve.is_published
        assert curve.source.startswith("https://")
        assert len(curve.points) >= 4
        assert curve.points == sorted(curve.points)
        assert [quality for _, quality in curve.points] == sorted(q for _, q in curve.points)


def fake_run(**rates):
    """A run of two images in which each codec's rate is a multiple of the same curve's."""
    points = [
        {"codec": codec, "setting": float(step), "image": image, "bpp": factor * 0.1 * 2**step}
        | {"psnr_db": 26.0 + 3 * step + shift}
        for codec, factor in rates.items()
        for image, shift in (("a", 0.0), ("b", 1.0))
        for step in range(5)
    ]
    images = {"a": "", "b": ""}
    return {"kind": "rate-distortion", "dataset": "none", "images": images, "seed": 0} | {
        "sessions": [],
        "points": points,
    }


@needs_bjontegaard
def test_report_compares_averages_and_images(tmp_path):
    path = tmp_path / "run.json"
    path.write_text(json.dumps(fake_run(webp=1.0, **{"avif-444": 0.5})))
    arguments = ["report", str(path), "--anchor", "webp", "--by-image", "--plots", str(tmp_path)]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert "| AVIF 4:4:4 | −50.0 % | 26.5 to 38.5 dB | measured |" in result.output
    assert "| a | −50.0 % |" in result.output
    assert (tmp_path / "none-psnr.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "none-psnr.svg").read_text()
    missing = CliRunner().invoke(main, ["report", str(path), "--anchor", "moon"])
    assert missing.exit_code == 1
    assert "no curve moon" in missing.output


@needs_bjontegaard
def test_readme_tables_are_written_between_their_markers(tmp_path):
    (tmp_path / "tiny.json").write_text(json.dumps(fake_run(webp=1.0, **{"avif-444": 2.0})))
    text = (
        "before\n<!-- benchmarks:bd-rate tiny anchor=webp codecs=avif-444 -->\nold\n"
        "<!-- /benchmarks:bd-rate -->\nafter\n"
    )
    rendered = readme.render(text, tmp_path)
    assert "| AVIF 4:4:4 | +100.0 % |" in rendered
    assert "old" not in rendered
    assert rendered.startswith("before\n")
    assert rendered.endswith("after\n")
    assert readme.render(rendered, tmp_path) == rendered
    for wrong in (
        text.replace("tiny", "moon"),
        text.replace("bd-rate tiny", "no-table tiny").replace("/benchmarks:bd-rate", "x"),
        text.replace("<!-- /benchmarks:bd-rate -->", ""),
    ):
        with pytest.raises(readme.ReadmeError):
            readme.render(wrong, tmp_path)


def committed_results():
    """Results in git; outside of git, those on disk."""
    command = ["git", "ls-files", "--", "benchmarks/results/*.json"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        return listed.stdout.split()
    return [path.name for path in readme.RESULTS.glob("*.json")]


def test_the_readme_says_what_the_committed_results_say():
    text = Path(ROOT / "README.md").read_text(encoding="utf-8")
    if not committed_results():
        assert not readme.has_markers(text), "tables of results, but no results"
        return
    assert readme.has_markers(text), "results are committed, and the README shows none"
    if HAS_BJONTEGAARD:
        assert readme.render(text) == text, "out of date: run `python -m benchmarks readme`"


@needs_bjontegaard
@pytest.mark.skipif(find_spec("imagecodecs") is None, reason="needs the extra 'bench'")
def test_every_command_runs_and_verifies():
    run_smoke()


def test_ours_and_pillow_are_timed_in_turn_after_a_warm_up_and_never_twice(tmp_path, monkeypatch):
    PIL.Image.fromarray(tiny_picture()).save(tmp_path / "waves.png")
    asked = []

    def time_here(tasks, threads, repeats, warm_up=()):
        asked.append((tasks, repeats, warm_up))
        return {"seconds": [[0.5, 0.1, 0.3]] * len(tasks), "peak_bytes": 1}

    monkeypatch.setattr("benchmarks.speed.time_tasks", time_here)
    monkeypatch.setattr("benchmarks.timing.time_tasks", time_here)
    monkeypatch.setattr("benchmarks.speed._starts", lambda *arguments: iter(()))
    plan = speed.Plan(tmp_path / "waves.png", (16, 32), (64, 128), (1, 0), 2, (1,), ("cpu",), 5, 3)
    with RunStore(tmp_path / "speed.json", "speed") as store:
        store.start_session({}, {})
        speed.measure_speed(plan, store, lambda point: None)
        floor = 1 + len([name for name in speed.FLOOR if CODECS[name].is_available])
        assert len(store.points) == 4 * floor + 2  # ours at the other effort and both sizes
        rounds = [request for request in asked if request[1] > 1]
        assert [len(tasks) for tasks, _, _ in rounds] == [floor] * 6
        assert all(len(warm_up) == floor for _, _, warm_up in rounds)
        for point in store.points.values():
            assert (point["median_s"], point["fastest_s"], point["slowest_s"]) == (0.3, 0.1, 0.5)
        asked.clear()
        speed.measure_speed(plan, store, lambda point: None)
        assert not asked
        lost = ("decode", "webp", None, 128, 1, "cpu")  # a run that was cut off before this one
        del store.points[lost]
        speed.measure_speed(plan, store, lambda point: None)
        assert lost in store.points


def test_images_are_found_by_name(dataset):
    assert [path.stem for path in find_images(dataset)] == ["waves0", "waves1"]
    assert [path.stem for path in find_images(dataset, ("waves1",))] == ["waves1"]


@pytest.mark.parametrize("options", [(), ("--continue",)], ids=["from-nothing", "continued"])
def test_training_writes_what_the_package_could_ship(tmp_path, options):
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    for seed in range(2):
        PIL.Image.fromarray(tiny_picture(80, 72, seed)).save(photographs / f"{seed}.png")
    prior, network = tmp_path / "prior.bin", tmp_path / "network.bin"
    files = ["--dataset", photographs, "--prior", prior, "--network", network]
    amount = ["--crops", "2", "--side", "64", "--steps", "2,2,3", *options]
    result = CliRunner().invoke(main, ["train-prior", *map(str, files), *amount])
    assert result.exit_code == 0, result.output
    shapes = TRAINED_ARCHITECTURE.layer_shapes + TRAINED_ARCHITECTURE.kernel_shapes
    for path, expected in ((prior, prior_shapes(PRIOR)), (network, shapes)):
        levels = read_matrices(path.read_bytes(), expected).levels
        assert all(matrix.any() for matrix in levels)
