"""The benchmarks: no finished point is lost, known figures come out, the README cannot drift."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from importlib.util import find_spec
from io import BytesIO
from itertools import cycle
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from click.testing import CliRunner

import sirencodec
from benchmarks import readme
from benchmarks.cli import main
from benchmarks.measuring import coding_process, scale, speed
from benchmarks.measuring.codecs import CODECS, Effort, is_ours
from benchmarks.measuring.fresh_process import MeasurementError
from benchmarks.measuring.machine import ROOT, command_line
from benchmarks.measuring.measure import Job
from benchmarks.measuring.measure import measure as measure_job
from benchmarks.measuring.pixels import find_images, read_pixels
from benchmarks.measuring.quality import ms_ssim, psnr_db, psnr_hvs_db, ssimulacra2
from benchmarks.measuring.rate_distortion import Plan
from benchmarks.measuring.results import RunError, RunStore, read_run
from benchmarks.reporting.scale_table import scale_table
from benchmarks.reporting.sheet import ENLARGED, TILE, make_sheet
from benchmarks.smoke import run_smoke, tiny_picture
from sirencodec.entropy.matrices import read_matrices
from sirencodec.entropy.prior import prior_shapes
from sirencodec.fitting.pyramid.planning import PRIOR
from sirencodec.fitting.start import TRAINED_ARCHITECTURE

pytestmark = pytest.mark.slow
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

    monkeypatch.setattr("benchmarks.measuring.measure._run", run_here)
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


@pytest.mark.parametrize("name", [name for name in CODECS if not is_ours(name)])
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


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("jpeg-420", {"format": "JPEG", "subsampling": "4:2:0", "optimize": True}),
        ("jpeg-444", {"format": "JPEG", "subsampling": "4:4:4", "optimize": True}),
        ("webp", {"format": "WEBP", "method": 6}),
        ("avif-420", {"format": "AVIF", "subsampling": "4:2:0", "speed": 4}),
        ("avif-444", {"format": "AVIF", "subsampling": "4:4:4", "speed": 4}),
        (
            "avif-444-psnr",
            {"format": "AVIF", "subsampling": "4:4:4", "speed": 4, "advanced": {"tune": "psnr"}},
        ),
    ],
)
def test_rivals_are_what_their_names_say(name, options):
    if not CODECS[name].is_available:
        pytest.skip(f"{name} is not installed")
    pixels = tiny_picture(96, 64)
    if options["format"] == "JPEG":
        options = options | {"progressive": True}
    buffer = BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, quality=60, **options)
    assert CODECS[name].encode(pixels, 60, Effort()) == buffer.getvalue()


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


@needs_bjontegaard
def test_bd_rate_of_a_known_pair():
    """Cool-chic 5.0.1 against 5.0.0 on Kodak: -1.2 % in its README."""
    from benchmarks.reporting.bd_rate import compare
    from benchmarks.reporting.curves import published_curves

    older, newer = published_curves("kodak", ("cool-chic-5.0.0", "cool-chic-5.0.1"))
    comparison = compare(older.points, newer.points)
    assert comparison.percent == pytest.approx(-1.2, abs=0.05)
    assert comparison.lowest == pytest.approx(27.4, abs=0.1)


@needs_bjontegaard
def test_bd_rate_of_a_curve_that_costs_half_as_much_again():
    from benchmarks.reporting.bd_rate import compare, quality_at, rate_at

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
    from benchmarks.reporting.curves import published_curves

    for curve in published_curves("kodak"):
        assert curve.is_published
        assert curve.source.startswith("https://")
        assert len(curve.points) >= 4
        assert curve.points == sorted(curve.points)
        assert [quality for _, quality in curve.points] == sorted(q for _, q in curve.points)


# BD-rates against VTM on Kodak, computed by others than this code from the curves' sources.
@needs_bjontegaard
@pytest.mark.parametrize(
    ("name", "point", "percent"),
    [
        ("mlic+", (0.1124, 29.198), -13.2),
        ("cool-chic-5.0.1", (0.2186, 30.859), -6.6),
        ("lotterycodec", (0.5204, 34.526), -0.4),
        ("c3", (0.3506, 32.395), 5.3),
        ("bpg", (0.161, 28.682), 22),
        ("recombiner", (0.3162, 30.439), 61.5),
        ("nif25", (0.4451, 31.218), 87),
        ("struempler-meta", (0.2489, 28.280), 138),
        ("coin++", (0.1325, 24.927), 488),
        ("coin", (0.1604, 24.641), 464),
        ("vtm", (0.2458, 31.2), None),
    ],
)
def test_published_curves_are_those_that_others_know(name, point, percent):
    from benchmarks.reporting.bd_rate import compare
    from benchmarks.reporting.curves import published_curves

    curve, vtm = published_curves("kodak", (name, "vtm"))
    assert any(pair == pytest.approx(point, abs=6e-4) for pair in curve.points)
    if percent is not None:
        assert compare(vtm.points, curve.points).percent == pytest.approx(
            percent, abs=0.5, rel=0.02
        )


def fake_run(**rates):
    """A run of two images in which each codec's rate is a multiple of the same curve's."""
    points = [
        {"codec": codec, "setting": float(step), "image": image, "bpp": factor * 0.1 * 2**step}
        | {"psnr_db": 26.0 + 3 * step + shift, "session": 0}
        for codec, factor in rates.items()
        for image, shift in (("a", 0.0), ("b", 1.0))
        for step in range(5)
    ]
    machine = {"processor": "abacus", "cores": 1}
    session = {"started": "2026-01-02T03:04:05Z", "commit": "c0ffee", "machine": machine}
    images = {"a": "", "b": ""}
    return {"kind": "rate-distortion", "dataset": "none", "images": images, "seed": 0} | {
        "sessions": [session | {"threads": 1, "jobs": 1}],
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
    assert "20 points measured 2026-01-02 at commit c0ffee on abacus, 1 cores" in result.output
    assert "lack of images" not in result.output
    missing = CliRunner().invoke(main, ["report", str(path), "--anchor", "moon"])
    assert missing.exit_code == 1
    assert "no curve moon" in missing.output


@needs_bjontegaard
def test_the_report_tells_what_it_leaves_out(tmp_path):
    run = fake_run(webp=1.0, **{"avif-444": 0.5, "jpeg-xl": 1.0})
    run["points"] = [point for point in run["points"] if point["codec"] != "jpeg-xl"] + [
        point | {"psnr_db": point["psnr_db"] - 30}
        for point in run["points"]
        if point["codec"] == "jpeg-xl"
    ]
    del run["points"][0]  # the first setting of WebP on image a
    path, other = tmp_path / "run.json", tmp_path / "other.json"
    path.write_text(json.dumps(run))
    result = CliRunner().invoke(main, ["report", str(path), "--anchor", "webp"])
    assert "Not in averages yet, for lack of images: webp at 0 (1 of 2)." in result.output
    assert "| JPEG XL | – | no common quality | measured |" in result.output
    other.write_text(json.dumps(run | {"dataset": "another"}))
    result = CliRunner().invoke(main, ["report", str(path), str(other), "--anchor", "webp"])
    assert "Error: runs of different data sets: another, none" in result.output


def test_on_the_sheet_no_rival_has_more_bytes_than_ours(tmp_path):
    pixels = tiny_picture(192, 128)
    original, file, output = (tmp_path / name for name in ("a.png", "a.siren", "sheet.png"))
    PIL.Image.fromarray(pixels).save(original)
    file.write_bytes(sirencodec.encode(pixels, bpp=1.0, effort=0, profile="pure"))
    rivals = ("jpeg-420", "webp")
    lines = make_sheet(original, file, output, rivals)
    sizes = [int(line.split(": ")[1].split(" bytes")[0].replace(",", "")) for line in lines]
    assert sizes[0] == file.stat().st_size
    assert all(0.8 * sizes[0] < size <= sizes[0] for size in sizes[1:])
    with PIL.Image.open(output) as sheet:
        assert sheet.width > (2 + len(rivals)) * TILE * ENLARGED


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


@needs_bjontegaard
def test_efforts_are_compared_at_equal_quality_where_measured(tmp_path):
    run = fake_run(webp=1.0, quick=1.2, slow=0.8)
    efforts = {"quick": 1, "slow": 7}
    for point in run["points"]:
        if point["codec"] in efforts:
            effort = efforts[point["codec"]]
            point |= {"effort": effort, "encode_s": 10.0 * effort + point["setting"]}
            point |= {"codec": "sirencodec"}
    missing = [("b", 2.0), ("a", 4.0), ("b", 4.0)]  # of the slow effort
    run["points"] = [
        point
        for point in run["points"]
        if point.get("effort") != 7 or (point["image"], point["setting"]) not in missing
    ]
    (tmp_path / "tiny.json").write_text(json.dumps(run))
    text = "<!-- benchmarks:efforts tiny anchor=webp -->\n<!-- /benchmarks:efforts -->"
    quick, slow = readme.render(text, tmp_path).splitlines()[3:5]
    assert quick == "| 1 | 12 s (10 to 14) |" + 5 * " +20.0 % |" + " +20.0 % |"
    assert (
        slow == "| 7 | 71 s (70 to 73) | −20.0 % | −20.0 % | −20.0 % (1 image) | −20.0 % | – | – |"
    )


@needs_bjontegaard
def test_a_codec_is_compared_by_every_measure(tmp_path):
    """0.8 times WebP's bits by PSNR, 1.25 times by MS-SSIM, twice by SSIMULACRA2."""
    run = fake_run(webp=1.0, sirencodec=0.8, **{"avif-444": 0.4})
    for point in run["points"]:
        quality, ours = point["psnr_db"], point["codec"] == "sirencodec"
        octaves = {"ms_ssim": np.log2(0.64), "ssimulacra2": np.log2(0.4)} if ours else {}
        point |= {"effort": 4} if ours else {}
        similarity = quality + 3 * octaves.get("ms_ssim", 0)
        point["ms_ssim"] = 1 - 10 ** (-similarity / 10)
        point["ssimulacra2"] = quality + 3 * octaves.get("ssimulacra2", 0)
    (tmp_path / "tiny.json").write_text(json.dumps(run))
    text = (
        "<!-- benchmarks:measures tiny codec=sirencodec-e4 against=webp,avif-444 bpp=0.1,1.6 -->\n"
        "<!-- /benchmarks:measures -->"
    )
    assert readme.render(text, tmp_path).splitlines()[1:-1] == [
        "| BD-rate, mean of the images | against WebP | against AVIF 4:4:4 |",
        "| :-- | --: | --: |",
        "| PSNR | −20.0 % | +100.0 % |",
        "| MS-SSIM | +25.0 % | +212.5 % |",
        "| SSIMULACRA2 | +100.0 % | +400.0 % |",
    ]


def test_what_a_file_costs_leaves_out_machines_with_a_gpu(tmp_path):
    run = fake_run(webp=1.0, sirencodec=0.8)
    (session,) = run["sessions"]
    with_gpu = session["machine"] | {"accelerator": "slate"}
    run["sessions"].append(session | {"machine": with_gpu})
    for point in run["points"]:
        on_gpu = point["image"] == "b"
        point |= {"session": int(on_gpu), "encode_s": 0.1 if on_gpu else 20.0 + point["setting"]}
        point |= {"decode_s": 0.25, "encode_peak_bytes": 3 * 2**20, "decode_peak_bytes": 2**20}
    (tmp_path / "tiny.json").write_text(json.dumps(run))
    text = "<!-- benchmarks:costs tiny codecs=webp -->\n<!-- /benchmarks:costs -->"
    row = readme.render(text, tmp_path).splitlines()[3]
    assert row.startswith("| WebP | 22.0 s (20.0 s to 24.0 s) | 3 (3 to 3) | 250 ms (250 ms to")


@needs_bjontegaard
def test_times_of_machines_with_a_gpu_are_left_out(tmp_path):
    run = fake_run(webp=1.0, sirencodec=0.8)
    (session,) = run["sessions"]
    with_gpu = session["machine"] | {"accelerator": "slate"}
    run["sessions"].append(session | {"machine": with_gpu})
    for point in run["points"]:
        if point["codec"] == "sirencodec":
            on_gpu = point["image"] == "b"
            point |= {"effort": 4, "session": int(on_gpu), "encode_s": 1.0 if on_gpu else 30.0}
    (tmp_path / "tiny.json").write_text(json.dumps(run))
    text = "<!-- benchmarks:efforts tiny anchor=webp -->\n<!-- /benchmarks:efforts -->"
    assert "| 4 | 30 s (30 to 30) | −20.0 % |" in readme.render(text, tmp_path)


def committed_results():
    """Results in git; outside of git, those on disk."""
    command = ["git", "ls-files", "--", "benchmarks/results/*.json"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        return listed.stdout.split()
    return [path.name for path in readme.RESULTS.glob("*.json")]


def test_every_committed_result_is_shown_on_a_page():
    text = "".join(page.read_text(encoding="utf-8") for page in readme.PAGES)
    shown = {block["result"] for block in readme.BLOCK.finditer(text)}
    assert {Path(result).stem for result in committed_results()} <= shown


@needs_bjontegaard
@pytest.mark.parametrize("page", readme.PAGES, ids=lambda page: page.name)
def test_pages_say_what_the_committed_results_say(page):
    text = page.read_text(encoding="utf-8")
    assert readme.has_markers(text) or page.name not in ("README.md", "measurements.md")
    assert readme.render(text) == text, "out of date: run `python -m benchmarks readme`"


@needs_bjontegaard
def test_every_page_is_filled_and_none_by_a_check(tmp_path, monkeypatch):
    block = "<!-- benchmarks:quality six codecs=webp bpp=0.2 -->\n<!-- /benchmarks:quality -->\n"
    pages = [tmp_path / "README.md", tmp_path / "other.md"]
    for page in pages:
        page.write_text(block)
    monkeypatch.setattr(readme, "PAGES", pages)
    assert CliRunner().invoke(main, ["readme", "--check"]).exit_code == 1
    assert [page.read_text() for page in pages] == [block, block]
    assert CliRunner().invoke(main, ["readme", "--file", str(pages[1])]).exit_code == 0
    assert pages[0].read_text() == block
    assert CliRunner().invoke(main, ["readme"]).exit_code == 0
    assert ["| WebP |" in page.read_text() for page in pages] == [True, True]
    assert CliRunner().invoke(main, ["readme", "--check"]).exit_code == 0


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

    monkeypatch.setattr("benchmarks.measuring.speed.time_tasks", time_here)
    monkeypatch.setattr("benchmarks.measuring.timing.time_tasks", time_here)
    monkeypatch.setattr("benchmarks.measuring.speed._starts", lambda *arguments: iter(()))
    monkeypatch.setattr(
        "benchmarks.measuring.speed._siren_file", lambda *arguments: tmp_path / "none.siren"
    )
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


def test_ours_can_be_measured_by_quality_at_the_settings_of_the_others(dataset):
    images = find_images(dataset, ("waves0",))
    plan = Plan(images, ("sirencodec-q", "sirencodec", "webp"), (0,), (2.0,), (50.0,))
    assert sorted((job.codec, job.setting, job.effort) for job in plan.jobs()) == [
        ("sirencodec", 2.0, 0), ("sirencodec-q", 50.0, 0), ("webp", 50.0, None),
    ]  # fmt: skip
    pixels = tiny_picture(24, 16)
    encoded = CODECS["sirencodec-q"].encode(pixels, 50, Effort(0))
    assert encoded == sirencodec.encode(pixels, quality=50, effort=0)


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
