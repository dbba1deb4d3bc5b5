"""Several ways to do a thing, timed in turn in one process.

`python -m benchmarks.measuring.timing_process` reads a request from standard input: tasks, how
often to repeat them, threads, and tasks that come first to warm up, whose times are discarded. In
each round every task runs once, so that a change in the machine's mood hits all alike.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measuring.codecs import CODECS, Effort, is_ours
from benchmarks.measuring.memory import peak_memory_bytes
from benchmarks.measuring.pixels import read_pixels


def make_task(task: dict[str, Any], threads: int) -> Callable[[], object]:
    """Description of a task -> function that does it once, its input already in memory."""
    codec = CODECS[task["codec"]]
    if is_ours(task["codec"]):
        import sirencodec.encoder
    if task["do"] == "encode":
        pixels = read_pixels(Path(task["image"]))
        effort = Effort(task["effort"], threads=threads)
        return lambda: codec.encode(pixels, task["setting"], effort)
    data = Path(task["file"]).read_bytes()
    if not is_ours(task["codec"]):
        return lambda: codec.decode(data, threads)

    import torch

    import sirencodec

    torch.set_num_threads(threads)
    return lambda: sirencodec.decode(data, width=task["width"], device=task["device"])


def main() -> None:
    """Request on standard input -> reply on standard output."""
    request = json.load(sys.stdin)
    warm_up, tasks = (
        [make_task(task, request["threads"]) for task in request[name]]
        for name in ("warm_up", "tasks")
    )
    for task in warm_up:
        task()
    seconds: list[list[float]] = [[] for _ in tasks]
    for _ in range(request["repeats"]):
        for task, times in zip(tasks, seconds, strict=True):
            started = time.perf_counter()
            task()
            times.append(time.perf_counter() - started)
    json.dump({"seconds": seconds, "peak_bytes": peak_memory_bytes()}, sys.stdout)


if __name__ == "__main__":
    main()
