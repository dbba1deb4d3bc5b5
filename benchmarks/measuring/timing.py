"""Tasks -> how long they take, and points of that; each measurement in a process of its own."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.measuring.fresh_process import ask
from benchmarks.measuring.measure import Key, Point


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is timed: what is done, (width, height), threads and device."""

    what: str
    size: tuple[int, int]
    threads: int
    device: str

    def key(self, codec: str, effort: int | None = None) -> Key:
        """Codec and effort -> the point's key in a run."""
        return (self.what, codec, effort, self.size[0], self.threads, self.device)

    def point(self, task: dict[str, Any], seconds: Sequence[float]) -> Point:
        """Task and its times -> the point, with the memory of a process that does it once."""
        width, height = self.size
        effort = {"effort": task["effort"]} if "effort" in task else {}
        return {
            "task": self.what,
            "codec": task["codec"],
            **effort,
            "width": width,
            "height": height,
            "threads": self.threads,
            "device": self.device,
            "peak_bytes": time_tasks([task], self.threads, 1)["peak_bytes"],
            "megapixels": round(width * height / 1e6, 4),
        } | summarise(seconds)


def summarise(seconds: Sequence[float]) -> dict[str, Any]:
    """Times -> median, range and number of them."""
    return {
        "median_s": round(statistics.median(seconds), 5),
        "fastest_s": round(min(seconds), 5),
        "slowest_s": round(max(seconds), 5),
        "repeats": len(seconds),
    }


def time_tasks(
    tasks: Sequence[dict[str, Any]],
    threads: int,
    repeats: int,
    warm_up: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Tasks -> seconds of each, and peak memory, from a fresh process."""
    request = {"warm_up": list(warm_up), "tasks": tasks, "threads": threads, "repeats": repeats}
    return ask("benchmarks.measuring.timing_process", request, str(tasks[0]))
