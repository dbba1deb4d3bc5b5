"""How long encoding, decoding and starting take, how much memory, and how each grows.

Everything is timed in processes of its own, in rounds in which ours and Pillow's take turns
(`timing_process.py`): what comes first is discarded, the median reported with the range of the
others. Peak memory comes from a process that does the thing exactly once, interpreter and libraries
included.

The floor to compare decoding with is Pillow: what it takes to decode a JPEG, WebP or AVIF file
whose own size is the one asked for. An encode of ours takes minutes, so what warms up for it is one
of the smallest picture at the lowest effort.
"""

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

from benchmarks.measuring.codecs import CODECS, OURS, OURS_FOR_PSNR, Effort, is_ours
from benchmarks.measuring.fresh_process import MeasurementError
from benchmarks.measuring.machine import ROOT, code_fingerprint
from benchmarks.measuring.measure import Point
from benchmarks.measuring.pixels import Pixels, read_pixels
from benchmarks.measuring.results import RunStore
from benchmarks.measuring.timing import Place, summarise, time_tasks

KIND = "speed"
FLOOR = {"jpeg-420": 75, "webp": 75, "avif-420": 60}  # codec -> quality of the file it decodes
PILLOW_DECODE = "import sys, PIL.Image as i; i.open(sys.argv[1]).save(sys.argv[2])"
STARTS = {
    "python, nothing else": ["-c", "pass"],
    "import PIL.Image": ["-c", "import PIL.Image"],
    "import sirencodec": ["-c", "import sirencodec"],
    "import torch": ["-c", "import torch"],
    "Pillow, JPEG to PNG": ["-c", PILLOW_DECODE, "{jpeg}", "{output}"],
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
                if is_ours(point["codec"]):
                    point["code"] = code_fingerprint()
                store.add(point)
                on_point(point)


def _starts(plan: Plan, store: RunStore, folder: Path) -> Iterator[Point]:
    """Wall time of whole processes."""
    keys = [("start", name, None, None, None, None) for name in STARTS]
    if all(key in store.points for key in keys):
        return
    paths = {"file": str(_siren_file(plan, folder)), "output": str(folder / "out.png")}
    jpeg = CODECS["jpeg-420"].encode(read_pixels(plan.image), FLOOR["jpeg-420"], Effort())
    (folder / "picture.jpg").write_bytes(jpeg)
    paths["jpeg"] = str(folder / "picture.jpg")
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
    for device in plan.devices:
        for threads in plan.threads:
            for width in plan.decode_widths:
                place = Place("decode", _size(original, width), threads, device)
                codecs = [OURS, *(_floor() if device == "cpu" else ())]
                if all(place.key(codec) in store.points for codec in codecs):
                    continue
                tasks = [_our_decode(plan, folder, width, device)]
                if device == "cpu":
                    tasks += _floor_decodes(original, place.size, folder)
                times = time_tasks(tasks, threads, plan.repeats, warm_up=tasks)["seconds"]
                for task, seconds in zip(tasks, times, strict=True):
                    yield place.point(task, seconds)


def _encodes(plan: Plan, store: RunStore, folder: Path) -> Iterator[Point]:
    """Encoding at each width and effort, rivals in turn with ours."""
    original = read_pixels(plan.image)
    images = {width: folder / f"original-{width}.png" for width in plan.encode_widths}
    for width, path in images.items():
        _resized(original, _size(original, width)).save(path)
    smallest = {"image": str(images[min(images)]), "setting": plan.bpp}
    first = {"do": "encode", "codec": OURS, "effort": min(plan.efforts)} | smallest
    for threads in plan.threads:
        for width, path in images.items():
            place = Place("encode", _size(original, width), threads, "cpu")
            for effort in plan.efforts:
                knobs: list[tuple[str, int | None, float]]
                knobs = [(codec, effort, plan.bpp) for codec in (OURS, OURS_FOR_PSNR)]
                knobs += [(codec, None, quality) for codec, quality in _floor().items()]
                missing = [place.key(codec, level) not in store.points for codec, level, _ in knobs]
                if not any(missing):
                    continue
                tasks = [
                    {"do": "encode", "codec": codec, "effort": level, "setting": setting}
                    | {"image": str(path)}
                    for codec, level, setting in knobs
                ]
                times = time_tasks(tasks, threads, plan.encode_repeats, [first, *tasks[2:]])[
                    "seconds"
                ]
                for task, seconds, is_missing in zip(tasks, times, missing, strict=True):
                    if is_missing:  # rivals are timed beside each effort, and kept from the first
                        yield place.point(task, seconds)


def _size(pixels: Pixels, width: int) -> tuple[int, int]:
    """Picture and a width -> width and height of it at that width."""
    return width, max(1, round(width * pixels.shape[0] / pixels.shape[1]))


def _floor() -> dict[str, int]:
    """Pillow's codecs that there are -> quality of their files."""
    return {name: quality for name, quality in FLOOR.items() if CODECS[name].is_available}


def _our_decode(plan: Plan, folder: Path, width: int, device: str) -> dict[str, Any]:
    file = str(_siren_file(plan, folder))
    return {"do": "decode", "codec": OURS, "file": file, "width": width, "device": device}


def _floor_decodes(original: Pixels, size: tuple[int, int], folder: Path) -> list[dict[str, Any]]:
    """Pillow's tasks: files of the wanted size in other formats."""
    tasks = []
    pixels = np.asarray(_resized(original, size))
    for name, quality in _floor().items():
        codec = CODECS[name]
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


def _resized(pixels: Pixels, size: tuple[int, int]) -> PIL.Image.Image:
    return PIL.Image.fromarray(pixels).resize(size, PIL.Image.Resampling.LANCZOS)
