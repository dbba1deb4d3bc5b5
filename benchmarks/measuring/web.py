"""A `.siren` file -> how long the decoder for browsers takes, beside the compiled one, in one run.

They have the machine in turn: in a round each opens the file, asks for all of the picture and for a
tile. Chromium runs the WebAssembly in the page itself, on one thread; so does the package here.
"""

import base64
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import sirencodec
from benchmarks.measuring.browser import CHROMIUM, browser
from benchmarks.measuring.fresh_process import MeasurementError
from benchmarks.measuring.serving import served

TILE = 256  # output pixels each way
ZOOM = 8  # of them for a stored one
KINDS = ("simd128", "plain")
NATIVE = "native"
PARTS = ("open_ms", "picture_ms", "tile_ms")
_CACHE_BYTES = 2**20
# The page's decoders, with vectors and without, and a function that times a round of one.
_SCRIPT = """(async () => {
  const { Decoder } = await import("/drop/src/index.js");
  const bytes = async (name) =>
    new Uint8Array(await (await fetch(`/drop/dist/${name}`)).arrayBuffer());
  const data = Uint8Array.from(atob("DATA"), (letter) => letter.charCodeAt());
  const decoders = {};
  for (const kind of ["simd128", "plain"]) {
    const loops = await bytes(`siren-${kind}.wasm`);
    decoders[kind] = await Decoder.create(loops, await bytes("prior-1.bin"));
  }
  window.measure = (kind, side, crop) => {
    const times = [performance.now()];
    const picture = decoders[kind].open(data);
    times.push(performance.now());
    picture.sample(picture.header.width, picture.header.height);
    times.push(performance.now());
    picture.sample(side, side, crop);
    times.push(performance.now());
    picture.free();
    return times.slice(1).map((end, at) => end - times[at]);
  };
})()"""


def measure_web(file: Path, repeats: int) -> dict[str, Any]:
    """File -> median milliseconds of each part, by each decoder; the first round does not count.

    Raises:
        MeasurementError: if there is no Chromium.
    """
    if CHROMIUM is None:
        raise MeasurementError("Chromium is not here")
    data, info = file.read_bytes(), sirencodec.read_info(file)
    side = min(TILE, ZOOM * info.width, ZOOM * info.height)
    stored = side / ZOOM
    crop = ((info.width - stored) // 2, (info.height - stored) // 2, stored, stored)
    os.environ["OMP_NUM_THREADS"] = "1"  # of the package's decodes
    with tempfile.TemporaryDirectory(prefix="web-") as name:
        folder = Path(name)
        with served(folder, _CACHE_BYTES) as (_, address), browser(folder / "profile") as chromium:
            page = chromium.page(f"{address}/drop/")
            page.wait_for("document.readyState === 'complete' && location.protocol === 'http:'")
            page.evaluate(_SCRIPT.replace("DATA", base64.b64encode(data).decode()))
            decoders: dict[str, Callable[[], list[float]]] = {
                NATIVE: lambda: _native(data, side, crop)
            }
            for kind in KINDS:
                asked = f"measure('{kind}', {side}, {list(crop)})"
                decoders[kind] = lambda asked=asked: page.evaluate(asked)  # type: ignore[misc]
            rounds = [
                {decoder: measure() for decoder, measure in decoders.items()}
                for _ in range(1 + repeats)
            ]
    medians = {
        decoder: {
            part: round(statistics.median(each[decoder][at] for each in rounds[1:]), 1)
            for at, part in enumerate(PARTS)
        }
        for decoder in decoders
    }
    return {
        "width": info.width,
        "height": info.height,
        "file_bytes": info.file_bytes,
        "tile": side,
        "repeats": repeats,
        "decoders": medians,
    }


def _native(data: bytes, side: int, crop: tuple[float, float, float, float]) -> list[float]:
    """File -> milliseconds of its parts by the compiled decoder."""
    times = [time.perf_counter()]
    function = sirencodec.open(data)
    times.append(time.perf_counter())
    function.sample()
    times.append(time.perf_counter())
    function.sample(side, side, crop=crop)
    times.append(time.perf_counter())
    return [1000 * (end - start) for start, end in pairwise(times)]
