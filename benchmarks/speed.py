"""How long encoding, decoding and starting take, how much memory, and how each grows.

Everything is timed in processes of its own, in rounds (`timing_process.py`): the first round is
discarded, the median reported with the range of the others. Peak memory comes from a process that
does the thing exactly once, interpreter and libraries included.

The floor to compare decoding with is Pillow: what it takes to decode a JPEG, WebP or AVIF file
whose own size is the one asked for.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from benchmarks.codecs import CODECS, OURS, Effort
from benchmarks.machine import ROOT, code_fingerprint
from benchmarks.measure import MeasurementError, Point
from benchmarks.pixels import read_pixels
from benchmarks.results import RunStore

KIND = "speed"
FLOOR = {"jpeg-420": 75, "webp": 75, "avif-420": 60}  # codec -> quality of the file it decodes
STARTS = {
    "python, nothing else": ["-c", "pass"],
    "import PIL.Image": ["-c", "import PIL.Image"],
    "import sirencodec": ["-c", "import sirencodec"],
    "import torch": ["-c", "import torch"],
    "sirencodec info FILE": ["-m", "sirencodec", "info", "{file}"],
    "sirencodec decode FILE": ["-m", "sirencodec", "decode", "{file}", "-o", "{output}", "--force"],
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What to time.

    Attributes:
        image: file of the picture that is used, resized as needed.
        encode_widths: of images to encode.
        decode_widths: of outputs.
        efforts: of encodes; the first of them makes the file that is decoded.
        bpp: rate of all encodes.
        threads: numbers of threads to decode and encode with.
        devices: to decode on.
        repeats: rounds that count, of decodes and starts.
        encode_repeats: rounds that count, of encodes.
    """

    image: Path
    encode_widths: Sequence[int]
    decode_widths: Sequence[int]
    efforts: Sequence[int]
    bpp: float
    threads: Sequence[int]
    devices: Sequence[str]
    repeats: int
    encode_repeats: int


def measure_speed(plan: Plan, store: RunStore, on_point: Callable[[Point], None]) -> None:
    """Everything in the plan that the store does not have yet."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        for measure in (_starts, _decodes, _encodes):
            for point in measure(plan, store, folder):
                if point["codec"] == OURS:
                    point["code"] = code_fingerprint()
                store.add(point)
                on_point(point)


def _starts(plan: Plan, store: RunStore, folder: Path) -> Iterator[Point]:
    """Wall time of whole processes."""
    keys = [("start", name, None, None, None, None) for name in STARTS]
    if all(key in store.points for key in keys):
        return
    paths = {"file": str(_siren_file(plan, folder)), "output": str(folder / "out.png")}
    commands = {
        name: [sys.executable, *(part.format(**paths) for part in arguments)]
        for name, arguments in STARTS.items()
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for round_ in range(1 + plan.repeats):
        for name, command in commands.items():
            started = time.perf_counter()
            completed = subprocess.run(
                command, cwd=ROOT, capture_output=True, text=True, check=False
            )
            if completed.returncode:
                raise MeasurementError(f"{name} failed: {completed.stderr.strip()[-200:]}")
            if round_:
                seconds[name].append(time.perf_counter() - started)
    for name, times in seconds.items():
        yield {"task": "start", "codec": name} | summarise(times)


def _decodes(plan: Plan, store: RunStore, folder: Path) -> Iterator[Point]:
    """Decoding to each width, on each number of threads and device, the floor in turn with ours."""
    original = read_pixels(plan.image)
    height, width, _ = original.shape
    for device in plan.devices:
        for threads in plan.threads:
            for wanted in plan.decode_widths:
                key = ("decode", OURS, None, wanted, threads, device)
                if key in store.points:
                    continue
                size = (wanted, max(1, round(wanted * height / width)))
                tasks = [_our_decode(plan, folder, wanted, device)]
                if device == "cpu":
                    tasks += _floor_decodes(original, size, folder)
                times = _time(tasks, threads, plan.repeats)["seconds"]
                for task, seconds in zip(tasks, times, strict=True):
                    peak = _time([task], threads, 1, warm_up=0)["peak_bytes"]
                    yield {
                        "task": "decode",
                        "codec": task["codec"],
                        "width": wanted,
                        "height": size[1],
                        "threads": threads,
                        "device": device,
                        "peak_bytes": peak,
                        "megapixels": round(size[0] * size[1] / 1e6, 4),
                    } | summarise(seconds)


def _encodes(plan: Plan, store: RunStore, folder: Path) -> Iterator[Point]:
    """Encoding at each width and effort, rivals beside ours at the first effort."""
    original = read_pixels(plan.image)
    height, width, _ = original.shape
    for threads in plan.threads:
        for wanted in plan.encode_widths:
            size = (wanted, max(1, round(wanted * height / width)))
            path = folder / f"original-{wanted}.png"
            _resized(original, size).save(path)
            tasks = [
                {"do": "encode", "codec": OURS, "effort": effort, "setting": plan.bpp}
                for effort in plan.efforts
            ]
            tasks += [
                {"do": "encode", "codec": codec, "effort": None, "setting": quality}
                for codec, quality in FLOOR.items()
            ]
            for task in tasks:
                if (
                    "encode",
                    task["codec"],
                    task["effort"],
                    wanted,
                    threads,
                    "cpu",
                ) in store.points:
                    continue
                is_slow = task["codec"] == OURS
                repeats = plan.encode_repeats if is_slow else plan.repeats
                request = [task | {"image": str(path)}]
                reply = _time(request, threads, repeats, warm_up=0 if is_slow else 1)
                yield {
                    "task": "encode",
                    "codec": task["codec"],
                    "effort": task["effort"],
                    "width": wanted,
                    "height": size[1],
                    "threads": threads,
                    "device": "cpu",
                    "peak_bytes": reply["peak_bytes"],
                    "megapixels": round(size[0] * size[1] / 1e6, 4),
                } | summarise(reply["seconds"][0])


def summarise(seconds: Sequence[float]) -> dict[str, Any]:
    """Times -> median, range and number of them."""
    return {
        "median_s": round(statistics.median(seconds), 5),
        "fastest_s": round(min(seconds), 5),
        "slowest_s": round(max(seconds), 5),
        "repeats": len(seconds),
    }


def _our_decode(plan: Plan, folder: Path, width: int, device: str) -> dict[str, Any]:
    file = str(_siren_file(plan, folder))
    return {"do": "decode", "codec": OURS, "file": file, "width": width, "device": device}


def _floor_decodes(original: Any, size: tuple[int, int], folder: Path) -> list[dict[str, Any]]:
    """Pillow's tasks: files of the wanted size in other formats."""
    tasks = []
    pixels = np.asarray(_resized(original, size))
    for name, quality in FLOOR.items():
        codec = CODECS[name]
        if not codec.is_available:
            continue
        path = folder / f"floor-{name}-{size[0]}{codec.suffix}"
        path.write_bytes(codec.encode(pixels, quality, Effort()))
        tasks.append({"do": "decode", "codec": name, "file": str(path)})
    return tasks


def _siren_file(plan: Plan, folder: Path) -> Path:
    """The file that is decoded: the picture as it is, at the plan's rate and first effort."""
    path = folder / "picture.siren"
    if not path.exists():
        effort = Effort(plan.efforts[0], threads=max(plan.threads))
        path.write_bytes(CODECS[OURS].encode(read_pixels(plan.image), plan.bpp, effort))
    return path


def _resized(pixels: Any, size: tuple[int, int]) -> PIL.Image.Image:
    return PIL.Image.fromarray(pixels).resize(size, PIL.Image.Resampling.LANCZOS)


def _time(
    tasks: Sequence[dict[str, Any]], threads: int, repeats: int, warm_up: int = 1
) -> dict[str, Any]:
    """Tasks -> seconds of each, and peak memory, from a fresh process."""
    request = {"tasks": tasks, "threads": threads, "repeats": repeats, "warm_up": warm_up}
    completed = subprocess.run(
        [sys.executable, "-m", "benchmarks.timing_process"],
        input=json.dumps(request),
        env=os.environ | {"OMP_NUM_THREADS": str(threads)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if completed.returncode:
        reason = completed.stderr.strip().splitlines() or ["no message"]
        raise MeasurementError(f"{tasks[0]}: {reason[-1]}")
    reply: dict[str, Any] = json.loads(completed.stdout)
    return reply
