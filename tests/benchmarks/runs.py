"""Runs to test with: one that is measured, and one that is made up."""

from importlib.util import find_spec

import pytest
from click.testing import CliRunner

from benchmarks.cli import main
from benchmarks.measuring.results import read_run

needs_bjontegaard = pytest.mark.skipif(
    find_spec("bjontegaard") is None, reason="needs the extra 'bench'"
)


def measure(dataset, output, *options):
    arguments = ["rate-distortion", "--dataset", str(dataset), "--output", str(output)]
    result = CliRunner().invoke(main, [*arguments, "--threads", "1", *options])
    assert result.exit_code == 0, result.output
    return read_run(output)


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
