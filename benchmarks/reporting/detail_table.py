"""Run that asked which detail is kept -> Markdown table."""

from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from benchmarks.measuring.detail import FIELDS
from benchmarks.measuring.measure import Point
from benchmarks.reporting.curves import curve_label
from benchmarks.reporting.tables import markdown

HEADER = ["Codec", "images", "bpp", "light, correlation", "red-green, correlation", "its energy"]


def detail_table(run: dict[str, Any]) -> str:
    """Run -> a row a codec and rate: means over the images, fifths from low contrast to high."""
    groups: dict[tuple[float, str], list[Point]] = defaultdict(list)
    for point in run["points"]:
        groups[point["setting"], curve_label(point)].append(point)
    rows = [
        [
            label,
            str(len(points)),
            f"{fmean(point['bpp'] for point in points):.3f}",
            *(_means([point[field] for point in points]) for field in FIELDS),
        ]
        for (_, label), points in groups.items()
    ]
    return markdown(HEADER, rows)


def _means(rows: Sequence[Sequence[float]]) -> str:
    """Fifths of each image -> their means, without the zero in front."""
    means = [fmean(column) for column in zip(*rows, strict=True)]
    return " ".join(f"{mean:.2f}".removeprefix("0") for mean in means)
