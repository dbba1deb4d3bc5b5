"""Tiny pictures -> the commands that measure and report, once: they run, and files verify.

`kills`, `readme` and `train-prior` are not run here.

Figures of such pictures mean nothing, and nothing is timed against a bound.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import PIL.Image

from benchmarks.measuring.browser import CHROMIUM
from benchmarks.measuring.codecs import CODECS, OURS
from benchmarks.measuring.machine import ROOT
from benchmarks.measuring.measure import kept_file
from benchmarks.measuring.pixels import tiny_picture


def run_smoke() -> None:
    """Run them.

    Raises:
        RuntimeError: if one fails.
    """
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        images = folder / "tiny"
        images.mkdir()
        PIL.Image.fromarray(tiny_picture()).save(images / "waves.png")
        PIL.Image.fromarray(tiny_picture(32, 24)).save(images / "dot.png")
        dataset = ["--dataset", str(images), "--threads", "1"]
        fast = ["--efforts", "0", "--jobs", "2"]
        run, kept = folder / "run.json", folder / "files"
        available = ",".join(codec.name for codec in CODECS.values() if codec.is_available)
        measure = ["rate-distortion", *dataset, *fast, "--images", "waves", "--codecs", available]
        measure += ["--bpp", "2", "--settings", "25,40"]
        measure += ["--keep-files", str(kept), "--output", str(run)]
        _command(measure)
        finished = run.read_text()
        _command(measure)
        if run.read_text() != finished:
            raise RuntimeError("a finished run was changed by running it again")

        original, file = images / "waves.png", kept_file(kept, OURS, 2, 0, "waves")
        report = ["report", str(run), "--anchor", "jpeg-420", "--by-image"]
        report += ["--plots", name]
        _command([*report, "--sheet", str(original), str(file), "--sheets", name])
        others = [folder / f"{kind}.json" for kind in ("ablation", "scale", "speed")]
        ablation, scale, speed = (["--output", str(path)] for path in others)
        # Small pictures get no pyramid by themselves; variants of it are pyramids at every size.
        small = [*dataset, *fast, "--images", "dot", "--bpp", "12"]
        _command(["ablate", *small, "--variants", "usual-steps", *ablation])
        _command(["scale", *dataset, "--images", "waves", "--bpp", "2", "--effort", "0", *scale])
        sizes = ["--sizes", "32", "--widths", "64", "--efforts", "0", "--threads", "1"]
        rounds = ["--bpp", "2", "--repeats", "1", "--encode-repeats", "1"]
        _command(["speed", "--image", str(original), *sizes, *rounds, *speed])
        panel = folder / "panel.json"
        broad = images / "broad"  # five scales of MS-SSIM need 161 pixels
        broad.mkdir()
        PIL.Image.fromarray(tiny_picture(164, 162)).save(broad / "broad.png")
        only = ["--side", "161", "--efforts", "0", "--bpp", "0.3"]
        _command(["panel", "--dataset", str(broad), *only, "--jobs", "2", "--output", str(panel)])
        detail = folder / "detail.json"
        only = ["--images", "waves", "--codecs", "sirencodec,webp", "--efforts", "0"]
        _command(["detail", *dataset, *only, "--bpp", "2", "--output", str(detail)])
        _command(["report", *map(str, others), str(detail), str(panel)])
        served = ["--requests", "40", "--clients", "4", "--rounds", "2"]
        _command(["serve", "--file", str(file), *served, "--output", str(folder / "serve.json")])
        if CHROMIUM is not None:
            timed = ["--repeats", "1", "--output", str(folder / "web.json")]
            _command(["web", "--file", str(file), *timed])
        study = ["--output", str(folder / "study.json"), "--plots", name]
        _command(["activations", "--quick", "--parts", "arcsine,depth", *study])


def _command(arguments: list[str]) -> None:
    """Run a command as a user does, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        output = done.stdout + done.stderr
        raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}:\n{output}")
