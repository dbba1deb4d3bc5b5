"""``sirencodec inspect``: its table, its JSON, its picture, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import PIL.Image
import pytest

from tests import command
from tests.paths import VALID

PURE, PYRAMID = VALID / "rgb.siren", VALID / "pyramid-half.siren"

# What README and scripts rely on.
KEYS = ["input", "info", "at_init", "points_across", "points_down", "layers", "frequencies", "bits"]
LAYER_KEYS = [
    *("kind", "inputs", "outputs", "pre_activations", "shape_ks_distance"),
    *("activations", "bits"),
]
HISTOGRAM_KEYS = ["mean", "standard_deviation", "edges", "density", "outside", "prediction"]
PREDICTION_KEYS = ["name", "standard_deviation", "ks_distance", "density"]
FREQUENCY_KEYS = ["x", "y", "largest", "nyquist", "beyond_nyquist"]
BIT_KEYS = ["payload", "layers", "kernels", "context", "refinement", "grids", "rest"]


run, ok = partial(command.run, "inspect"), partial(command.ok, "inspect")


@pytest.mark.parametrize("path", [PURE, PYRAMID], ids=lambda path: path.stem)
def test_table(path: Path) -> None:
    result = ok(path)
    assert "the fitted network" in result.stdout
    assert "beyond Nyquist" in result.stdout
    assert ("grid 1/64" in result.stdout) == (path == PYRAMID)
    assert "100.0%" in result.stdout
    assert "…" not in result.stdout  # nothing is cut off at 80 columns
    assert result.stderr == ""


def test_table_at_init() -> None:
    assert "a freshly initialised network" in ok(PURE, "--at-init").stdout


def test_json() -> None:
    record = json.loads(ok(PYRAMID, "--json").stdout)
    assert list(record) == KEYS
    assert record["input"] == str(PYRAMID)
    assert record["at_init"] is False
    sine, *_, linear = record["layers"]
    assert list(sine) == list(linear) == LAYER_KEYS
    assert (sine["kind"], linear["kind"]) == ("sine", "linear")
    for histogram in (sine["pre_activations"], sine["activations"]):
        assert list(histogram) == HISTOGRAM_KEYS
        assert list(histogram["prediction"]) == PREDICTION_KEYS
        assert len(histogram["edges"]) == len(histogram["density"]) + 1
    assert linear["activations"] is None
    assert linear["pre_activations"]["prediction"] is None
    assert list(record["frequencies"]) == FREQUENCY_KEYS
    assert list(record["bits"]) == BIT_KEYS
    assert len(record["bits"]["grids"]) == len(record["info"]["grids"]) == 6


def test_json_at_init_differs_in_the_network_alone() -> None:
    fitted, fresh = (json.loads(ok(PURE, "--json", *more).stdout) for more in ((), ("--at-init",)))
    assert fresh["at_init"] is True
    assert fresh["bits"] == fitted["bits"]
    assert fresh["layers"] != fitted["layers"]


def test_stdin() -> None:
    assert json.loads(ok("-", "--json", stdin=PURE.read_bytes()).stdout)["input"] == "-"


def test_picture(tmp_path: Path) -> None:
    output = tmp_path / "new" / "report.png"
    result = ok(PYRAMID, "-o", output)
    assert (result.stdout, result.stderr) == ("", f"{PYRAMID} -> {output}\n")
    with PIL.Image.open(output) as picture:
        assert min(picture.size) > 800
    before = output.read_bytes()
    refused = run(PURE, "-o", output)
    assert refused.exit_code == 1
    assert refused.stderr == f"sirencodec: {output}: exists already; --force replaces it\n"
    assert output.read_bytes() == before
    both = ok(PURE, "-o", output, "--force", "--json")
    assert output.read_bytes() != before
    assert list(json.loads(both.stdout)) == KEYS
    assert [path.name for path in output.parent.iterdir()] == ["report.png"]


@pytest.mark.parametrize(("suffix", "magic"), [("svg", b"<?xml"), ("PDF", b"%PDF")])
def test_other_formats(tmp_path: Path, suffix: str, magic: bytes) -> None:
    output = tmp_path / f"report.{suffix}"
    ok(PURE, "-o", output)
    assert output.read_bytes().startswith(magic)


@pytest.mark.parametrize("output", ["report.bmp", "report", "-", ".png/x"])
def test_other_names_are_a_usage_error(output: str) -> None:
    result = run(PURE, "-o", output)
    assert result.exit_code == 2
    assert "does not end in .png, .svg, .pdf" in result.stderr


def test_usage() -> None:
    assert run().exit_code == 2
    assert run(PURE, PYRAMID).exit_code == 2


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    missing = tmp_path / "missing.siren"
    result = run(missing, "-o", tmp_path / "report.png")
    assert result.exit_code == 1
    assert result.stderr == f"sirencodec: {missing}: No such file or directory\n"
    assert not list(tmp_path.iterdir())


def test_a_broken_file_leaves_no_picture(tmp_path: Path) -> None:
    broken = tmp_path / "broken.siren"
    broken.write_bytes(PURE.read_bytes()[:-1])
    result = run(broken, "-o", tmp_path / "report.png")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"sirencodec: {broken}: ")
    assert result.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["broken.siren"]


def test_limits() -> None:
    result = run(PURE, "--max-pixels", "10")
    assert result.exit_code == 1
    assert "exceed the limit of 10" in result.stderr


def test_only_the_picture_needs_matplotlib(tmp_path: Path) -> None:
    """In a process where it cannot be imported."""
    code = (
        "import sys; sys.modules['matplotlib.axes'] = None\n"
        "from sirencodec.cli import main; main(sys.argv[1:])"
    )
    command = [sys.executable, "-c", code, "inspect", str(PURE)]
    table = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (table.returncode, table.stderr) == (0, "")
    picture = [*command, "-o", str(tmp_path / "report.png")]
    result = subprocess.run(picture, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.endswith("pip install 'sirencodec[plots]'\n")
    assert result.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())
