"""Run at twice the stored size -> Markdown table."""

from collections import defaultdict
from statistics import fmean
from typing import Any

from benchmarks.measuring.measure import Point
from benchmarks.measuring.scale import WAYS
from benchmarks.reporting.tables import Rows, markdown


def scale_table(run: dict[str, Any]) -> str:
    """Run -> Markdown table: a row an effort and rate, mean PSNR of each way to the original size.

    The last column is what is gained by asking the file for twice its size over enlarging its
    decode by Lanczos: the mean of the images, and the smallest and the largest of them.
    """
    groups: dict[tuple[int, float], list[Point]] = defaultdict(list)
    for point in run["points"]:
        groups[point["effort"], point["setting"]].append(point)
    rows: Rows = []
    for (effort, _), points in sorted(groups.items()):
        means = [fmean(point[f"{way}_psnr_db"] for point in points) for way in WAYS]
        stored = fmean(point["stored_psnr_db"] for point in points)
        bpp = fmean(point["bpp"] for point in points)
        gains = [point["queried_psnr_db"] - point["lanczos_psnr_db"] for point in points]
        gain = f"{fmean(gains):+.2f} ({min(gains):+.2f} to {max(gains):+.2f})".replace("-", "−")
        name = f"{bpp:.3f} (effort {effort}, {len(points)} images)"
        rows.append([name, f"{stored:.2f}", *(f"{mean:.2f}" for mean in means), gain])
    header = ["bpp of the half-size image", "at stored size", *WAYS.values(), "gain over Lanczos"]
    return markdown(header, rows)
