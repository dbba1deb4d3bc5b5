"""Run with variants -> what each replacement costs, in decibels at equal bytes and in bits."""

from collections import defaultdict
from collections.abc import Sequence
from math import log2
from statistics import fmean
from typing import Any

from benchmarks.bd_rate import compare, quality_at
from benchmarks.curves import RatePoints
from benchmarks.measure import Point
from benchmarks.tables import Rows, markdown, percent_text
from benchmarks.variants import BASELINE, VARIANTS

KIND = "ablation"
DB_PER_OCTAVE = 2.0  # what twice the bits bring on photographs, where there is one rate only


def ablation_table(run: dict[str, Any]) -> str:
    """Run -> Markdown table, one line a variant, every effort of the run on its own."""
    parts = []
    for effort in sorted({point["effort"] for point in run["points"]}):
        points = [point for point in run["points"] if point["effort"] == effort]
        images = len({point["image"] for point in points})
        rates = ", ".join(f"{rate:g}" for rate in sorted({point["setting"] for point in points}))
        parts.append(f"Effort {effort}, {images} images at {rates} bpp:\n\n{_table(points)}")
    return "\n\n".join(parts)


def _table(points: Sequence[Point]) -> str:
    by_variant: dict[str, list[Point]] = defaultdict(list)
    for point in points:
        by_variant[point.get("variant", "")].append(point)
    as_it_is = by_variant.pop("", [])
    # The codec as it is was the pure profile until there was another.
    defaults = by_variant.pop(BASELINE, as_it_is)
    rows: Rows = []
    for name, variant in VARIANTS.items():
        if name not in by_variant:
            continue
        differences = [
            difference
            for point in by_variant[name]
            if (difference := quality_difference(point, defaults)) is not None
        ]
        rates = _bd_rates(by_variant[name], defaults)
        rows.append(
            [
                variant.switch,
                name,
                f"{fmean(differences):+.2f} dB".replace("-", "−") if differences else "–",
                f"{min(differences):+.2f}".replace("-", "−") if differences else "–",
                percent_text(fmean(rates)) if rates else "–",
                f"{_time_ratio(by_variant[name], defaults):.2f}",
            ]
        )
    header = ["Ingredient", "replaced by", "PSNR at equal bytes", "worst", "BD-rate", "encode time"]
    return markdown(header, rows)


def quality_difference(point: Point, defaults: Sequence[Point]) -> float | None:
    """Point of a variant -> its PSNR less the default's of that image at the same bytes.

    Between the default's rates by its own curve; beyond them, or where it has one rate only, from
    the nearest one at ``DB_PER_OCTAVE``.
    """
    same = [other for other in defaults if other["image"] == point["image"]]
    if not same:
        return None
    curve: RatePoints = [(other["bpp"], other["psnr_db"]) for other in same]
    expected = quality_at(curve, point["bpp"])
    if expected is None:
        bpp, quality = min(curve, key=lambda pair: abs(log2(point["bpp"] / pair[0])))
        expected = quality + DB_PER_OCTAVE * log2(point["bpp"] / bpp)
    return float(point["psnr_db"]) - expected


def _bd_rates(points: Sequence[Point], defaults: Sequence[Point]) -> list[float]:
    """BD-rate of each image that has at least two rates in common quality."""
    rates = []
    for image in {point["image"] for point in points}:
        anchor = [(other["bpp"], other["psnr_db"]) for other in defaults if other["image"] == image]
        test = [(other["bpp"], other["psnr_db"]) for other in points if other["image"] == image]
        if comparison := compare(anchor, test):
            rates.append(comparison.percent)
    return rates


def _time_ratio(points: Sequence[Point], defaults: Sequence[Point]) -> float:
    """Encode time against the default's, over the points that both have."""
    times = {(other["image"], other["setting"]): other["encode_s"] for other in defaults}
    pairs = [
        (point["encode_s"], times[point["image"], point["setting"]])
        for point in points
        if (point["image"], point["setting"]) in times
    ]
    if not pairs:
        return float("nan")
    ratio: float = sum(pair[0] for pair in pairs) / max(sum(pair[1] for pair in pairs), 1e-9)
    return ratio
