"""Timings -> Markdown tables of starting, decoding and encoding."""

import math
import statistics
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from benchmarks.measuring.codecs import CODECS, OURS, is_ours
from benchmarks.measuring.measure import Point
from benchmarks.measuring.speed import STARTS
from benchmarks.reporting.tables import Rows, markdown


def speed_tables(run: dict[str, Any]) -> dict[str, str]:
    """Run -> Markdown tables by name: starts, decodes, encodes."""
    return {
        "start": _start_table(_of_task(run, "start")),
        "decode": _decode_table(_of_task(run, "decode")),
        "encode": _encode_table(_of_task(run, "encode")),
    }


def _of_task(run: dict[str, Any], task: str) -> list[Point]:
    return [point for point in run["points"] if point["task"] == task]


def _start_table(points: Sequence[Point]) -> str:
    by_name = {point["codec"]: point for point in points}
    rows = [[name, _seconds(by_name[name])] for name in STARTS if name in by_name]
    return markdown(["Process", "wall time"], rows)


def _decode_table(points: Sequence[Point]) -> str:
    rows: Rows = []
    groups: dict[tuple[str, int, bool, str], list[Point]] = defaultdict(list)
    for point in points:
        codec = point["codec"]
        groups[point["device"], point["threads"], codec != OURS, codec].append(point)
    for (device, threads, _, codec), chosen in sorted(groups.items(), key=lambda item: item[0]):
        for point in sorted(chosen, key=lambda point: point["width"]):
            rows.append(
                [
                    _label(codec),
                    f"{device}, {threads}",
                    f"{point['width']} x {point['height']}",
                    _seconds(point),
                    f"{point['megapixels'] / max(point['median_s'], 1e-9):.2f}",
                    f"{point['peak_bytes'] / 2**20:.0f}",
                ]
            )
        rows.append([_label(codec), f"{device}, {threads}", "growth", *_growth(chosen)])
    header = ["Decoder", "device, threads", "output", "time", "megapixels a second", "peak MiB"]
    return markdown(header, rows)


def _encode_table(points: Sequence[Point]) -> str:
    rows: Rows = []
    keys = sorted(
        {(not is_ours(p["codec"]), p["codec"], p["effort"] or 0, p["threads"]) for p in points}
    )
    for _, codec, effort, threads in keys:
        chosen = [
            point
            for point in points
            if (point["codec"], point["effort"] or 0, point["threads"]) == (codec, effort, threads)
        ]
        name = _label(codec) + (f", effort {effort}" if is_ours(codec) else "")
        for point in sorted(chosen, key=lambda point: point["width"]):
            size = f"{point['width']} x {point['height']}"
            peak = f"{point['peak_bytes'] / 2**20:.0f}"
            rows.append([name, str(threads), size, _seconds(point), peak])
        seconds, _, peak = _growth(chosen)
        rows.append([name, str(threads), "growth", seconds, peak])
    return markdown(["Encoder", "threads", "image", "time", "peak MiB"], rows)


def _label(codec: str) -> str:
    return CODECS[codec].label + ("" if is_ours(codec) else ", Pillow")


def _seconds(point: Point) -> str:
    """Median, and the range where there is one."""
    median = duration_text(point["median_s"])
    if point["repeats"] < 2:
        return median
    return f"{median} ({duration_text(point['fastest_s'])} to {duration_text(point['slowest_s'])})"


def duration_text(seconds: float) -> str:
    """Seconds -> text with a unit, milliseconds below one second."""
    if seconds < 1:
        return f"{seconds * 1000:.{2 if seconds < 0.01 else 0}f} ms"
    return f"{seconds:.1f} s"


def _growth(points: Sequence[Point]) -> list[str]:
    """Points by size -> exponents: time, speed and memory as powers of the number of pixels.

    Over the larger half of the sizes: below the stored size, a decode looks at every stored pixel.
    """
    ordered = sorted(points, key=lambda point: point["megapixels"])
    ordered = ordered[min(len(ordered) // 2, max(0, len(ordered) - 2)) :]
    if len(ordered) < 2:
        return ["–", "–", "–"]
    time_power = _power(ordered, "median_s")
    memory_power = _power(ordered, "peak_bytes")
    return [
        f"pixels^{time_power:.2f}",
        f"pixels^{1 - time_power:.2f}",
        f"pixels^{memory_power:.2f}",
    ]


def _power(points: Sequence[Point], field: str) -> float:
    """Slope of a straight line through the logarithms, by least squares."""
    x = [math.log(point["megapixels"]) for point in points]
    y = [math.log(max(point[field], 1e-6)) for point in points]
    return statistics.linear_regression(x, y).slope
