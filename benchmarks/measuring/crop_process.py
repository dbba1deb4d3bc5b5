"""File, crops and threads -> what a decode takes, in a process of its own (see ``ask``)."""

import json
import sys
import time
from typing import Any


def measure(request: dict[str, Any]) -> dict[str, float]:
    """Request -> seconds of the clock and of processors in the fastest round; bytes of memory.

    Memory is that of the first decode, beyond what the process had before.
    """
    import sirencodec
    from benchmarks.measuring.memory import peak_memory_bytes
    from sirencodec.decoder import decode_samples  # and all that a decode imports

    del decode_samples
    start, memory = peak_memory_bytes(), 0
    clock, processor = [], []
    crops = request["crops"]
    for _ in range(request["repeats"]):
        before = time.perf_counter(), time.process_time()
        for crop in crops:
            sirencodec.decode(request["file"], crop=crop, width=request["width"])
            memory = memory or peak_memory_bytes() - start
        clock.append((time.perf_counter() - before[0]) / len(crops))
        processor.append((time.process_time() - before[1]) / len(crops))
    return {"clock_s": min(clock), "processor_s": min(processor), "memory_bytes": memory}


if __name__ == "__main__":
    json.dump(measure(json.load(sys.stdin)), sys.stdout)
