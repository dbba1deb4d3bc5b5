"""One encode or one decode in a process of its own, so that its memory is its own as well.

`python -m benchmarks.measuring.coding_process` reads a request, one JSON object, from standard
input and writes the reply to standard output. `measure.py` is the caller.
"""

import json
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.measuring.codecs import CODECS, Effort, is_ours
from benchmarks.measuring.machine import code_fingerprint
from benchmarks.measuring.memory import peak_memory_bytes
from benchmarks.measuring.pixels import read_pixels

if TYPE_CHECKING:
    from benchmarks.ablations.variant import Variant

Request = dict[str, Any]
Reply = dict[str, Any]


def encode(request: Request) -> Reply:
    """Image file -> coded file; the clock runs from pixels in memory to bytes in memory."""
    codec = CODECS[request["codec"]]
    pixels = read_pixels(Path(request["image"]))
    variant = _variant(request)
    own = None if variant is None else variant.encode
    effort = Effort(request["effort"], request["seed"], request["threads"], own)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        started = time.perf_counter()
        data = codec.encode(pixels, request["setting"], effort)
        seconds = time.perf_counter() - started
    Path(request["file"]).write_bytes(data)
    notes = sorted({str(warning.message) for warning in caught})
    return {"seconds": seconds, "peak_bytes": peak_memory_bytes(), "notes": notes}


def decode(request: Request) -> Reply:
    """Coded file -> pixels as .npy; decoded twice, to see whether both agree."""
    codec = CODECS[request["codec"]]
    data = Path(request["file"]).read_bytes()
    times = []
    decodes = []
    for _ in range(2):
        started = time.perf_counter()
        decodes.append(codec.decode(data, request["threads"]))
        times.append(time.perf_counter() - started)
    peak = peak_memory_bytes()
    np.save(request["pixels"], decodes[0])
    agree = bool(np.array_equal(decodes[0], decodes[1]))
    return {"seconds": min(times), "peak_bytes": peak, "agree": agree}


def prepare(request: Request) -> None:
    """Import what the codec needs before any clock runs."""
    if is_ours(request["codec"]):
        import sirencodec.encoder  # noqa: F401


def _variant(request: Request) -> "Variant | None":
    """Variant of our codec that is asked for, if one is."""
    if not request.get("variant"):
        return None
    from benchmarks.ablations.variants import VARIANTS

    return VARIANTS[request["variant"]]


def main() -> None:
    """Request on standard input -> reply on standard output."""
    request = json.load(sys.stdin)
    code = code_fingerprint()  # before any of it is imported: an encode may outlive an edit
    prepare(request)
    reply = encode(request) if request["action"] == "encode" else decode(request)
    json.dump(reply | {"code": code}, sys.stdout)


if __name__ == "__main__":
    main()
