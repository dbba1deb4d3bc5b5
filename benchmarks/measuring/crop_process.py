"""File, crop and threads -> what its decode takes, in a process of its own (see ``ask``)."""

import json
import sys
import time
from typing import Any


def measure(request: dict[str, Any]) -> dict[str, float]:
    """Request -> seconds of the clock and of processors, the fastest of some; bytes of memory."""
    import sirencodec
    from benchmarks.measuring.memory import peak_memory_bytes
    from sirencodec.decoder import decode_samples  # and all that a decode imports

    del decode_samples
    start = peak_memory_bytes()
    clock, processor = [], []
    for _ in range(request["repeats"]):
        before = time.perf_counter(), time.process_time()
        sirencodec.decode(request["file"], crop=request["crop"], width=request["width"])
        clock.append(time.perf_counter() - before[0])
        processor.append(time.process_time() - before[1])
    memory = peak_memory_bytes() - start
    return {"clock_s": min(clock), "processor_s": min(processor), "memory_bytes": memory}


if __name__ == "__main__":
    json.dump(measure(json.load(sys.stdin)), sys.stdout)
