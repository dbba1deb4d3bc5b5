"""File, crops and threads -> what a decode takes, in a process of its own (see ``ask``)."""

import json
import math
import sys
import time
from typing import Any


def measure(request: dict[str, Any]) -> dict[str, float]:
    """Request -> seconds in the fastest round, and bytes of memory.

    Seconds are of the clock, of all processors, and of the calling thread's: what it does itself
    shows how the work is shared where other work keeps the clock from telling. Memory is that of
    the first decode, beyond what the process had before.
    """
    import sirencodec
    from benchmarks.measuring.memory import peak_memory_bytes
    from sirencodec.decoder import decode_samples  # and all that a decode imports

    del decode_samples
    start, memory = peak_memory_bytes(), 0
    clocks = {"clock_s": time.perf_counter, "processor_s": time.process_time}
    clocks["caller_s"] = time.thread_time
    fastest = dict.fromkeys(clocks, math.inf)
    crops = request["crops"]
    for _ in range(request["repeats"]):
        before = {name: now() for name, now in clocks.items()}
        for crop in crops:
            sirencodec.decode(request["file"], crop=crop, width=request["width"])
            memory = memory or peak_memory_bytes() - start
        for name, now in clocks.items():
            fastest[name] = min(fastest[name], (now() - before[name]) / len(crops))
    return fastest | {"memory_bytes": memory}


if __name__ == "__main__":
    json.dump(measure(json.load(sys.stdin)), sys.stdout)
