"""Reports say what a run holds and what they leave out."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks import readme
from benchmarks.cli import main
from tests.benchmarks.runs import fake_run, needs_bjontegaard


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


@needs_bjontegaard
def test_a_table_of_two_runs_compares_across_them(tmp_path):
    ours, rivals = fake_run(sirencodec=0.8), fake_run(webp=1.0)
    for point in ours["points"]:
        point |= {"effort": 4, "psnr_hvs_db": point["psnr_db"] + 3}
    for point in rivals["points"]:
        point["psnr_hvs_db"] = point["psnr_db"]
    for name, run in (("ours", ours), ("rivals", rivals)):
        (tmp_path / f"{name}.json").write_text(json.dumps(run))
    marker = "<!-- benchmarks:image-bd-rate ours+rivals anchor=webp measure={} -->\n"
    end = "<!-- /benchmarks:image-bd-rate -->"
    assert "| a | −20.0 % |" in readme.render(marker.format("psnr") + end, tmp_path)
    assert "| a | −60.0 % |" in readme.render(marker.format("psnr-hvs") + end, tmp_path)
    (tmp_path / "rivals.json").write_text(json.dumps(rivals | {"dataset": "another"}))
    with pytest.raises(readme.ReadmeError, match="different dataset"):
        readme.render(marker.format("psnr") + end, tmp_path)


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
