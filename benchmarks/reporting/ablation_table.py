"""Run with variants -> what each replacement costs, in decibels at equal bytes and in bits."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import log2
from statistics import fmean
from typing import Any

from benchmarks.ablations.variants import VARIANTS
from benchmarks.measuring.measure import Point
from benchmarks.reporting.bd_rate import compare, quality_at
from benchmarks.reporting.curves import RatePoints
from benchmarks.reporting.tables import Rows, markdown, percent_text

KIND = "ablation"
DB_PER_OCTAVE = 2.0  # what twice the bits bring on photographs, where there is one rate only


def ablation_table(run: dict[str, Any]) -> str:
    """Run -> Markdown tables, one for each effort and base, a line a variant."""
    parts = []
    for effort in sorted({point["effort"] for point in run["points"]}):
        by_variant: dict[str, list[Point]] = defaultdict(list)
        for point in run["points"]:
            if point["effort"] == effort:
                by_variant[point["variant"]].append(point)
        for base in dict.fromkeys(variant.base for variant in VARIANTS.values()):
            names = [name for name in VARIANTS if name in by_variant]
            names = [name for name in names if VARIANTS[name].base == base != name]
            if names:
                head = f"Effort {effort}, {_amount(by_variant[base])}, compared with `{base}`:"
                parts.append(f"{head}\n\n{_table(names, by_variant, by_variant[base])}")
    return "\n\n".join(parts)


def _amount(points: Sequence[Point]) -> str:
    """Points -> how many images, at which rates."""
    images = len({point["image"] for point in points})
    rates = ", ".join(f"{rate:g}" for rate in sorted({point["setting"] for point in points}))
    return f"{images} images at {rates} bpp"


def _table(
    names: Sequence[str], by_variant: Mapping[str, Sequence[Point]], base: Sequence[Point]
) -> str:
    rows: Rows = []
    for name in names:
        differences = [
            difference
            for point in by_variant[name]
            if (difference := quality_difference(point, base)) is not None
        ]
        rates = _bd_rates(by_variant[name], base)
        rows.append(
            [
                VARIANTS[name].switch,
                name,
                f"{fmean(differences):+.2f} dB".replace("-", "−") if differences else "–",
                _range(differences) if differences else "–",
                percent_text(fmean(rates)) if rates else "–",
                _time_ratio(by_variant[name], base),
            ]
        )
    header = [
        "Ingredient",
        "replaced by",
        "PSNR at equal bytes",
        "from, to",
        "BD-rate",
        "encode time",
    ]
    return markdown(header, rows)


def _range(differences: Sequence[float]) -> str:
    """Differences -> the smallest and the largest."""
    return f"{min(differences):+.2f}, {max(differences):+.2f}".replace("-", "−")


def quality_difference(point: Point, base: Sequence[Point]) -> float | None:
    """Point of a variant -> its PSNR less its base's of that image at the same bytes.

    Between the base's rates by its own curve; beyond them, or where it has one rate only, from
    the nearest one at ``DB_PER_OCTAVE``.
    """
    same = [other for other in base if other["image"] == point["image"]]
    if not same:
        return None
    curve: RatePoints = [(other["bpp"], other["psnr_db"]) for other in same]
    expected = quality_at(curve, point["bpp"])
    if expected is None:
        bpp, quality = min(curve, key=lambda pair: abs(log2(point["bpp"] / pair[0])))
        expected = quality + DB_PER_OCTAVE * log2(point["bpp"] / bpp)
    return float(point["psnr_db"]) - expected


def _bd_rates(points: Sequence[Point], base: Sequence[Point]) -> list[float]:
    """BD-rate of each image that has at least two rates in common quality."""
    rates = []
    for image in {point["image"] for point in points}:
        anchor = [(other["bpp"], other["psnr_db"]) for other in base if other["image"] == image]
        test = [(other["bpp"], other["psnr_db"]) for other in points if other["image"] == image]
        if comparison := compare(anchor, test):
            rates.append(comparison.percent)
    return rates


def _time_ratio(points: Sequence[Point], base: Sequence[Point]) -> str:
    """Encode time relative to the base's, over the points that both have."""
    times = {(other["image"], other["setting"]): other["encode_s"] for other in base}
    pairs = [
        (point["encode_s"], times[point["image"], point["setting"]])
        for point in points
        if (point["image"], point["setting"]) in times
    ]
    if not pairs:
        return "–"
    return f"{sum(pair[0] for pair in pairs) / max(sum(pair[1] for pair in pairs), 1e-9):.2f}"
