"""Points -> what they cost in time and memory, and what more time buys, in Markdown."""

from collections.abc import Collection, Sequence
from statistics import fmean, median
from typing import Any

from benchmarks.measuring.measure import Point
from benchmarks.reporting.bd_rate import Window, compare, rate_at
from benchmarks.reporting.curves import Curve, curve_label, curve_name, find_curve, measured_curves
from benchmarks.reporting.speed_tables import duration_text
from benchmarks.reporting.tables import markdown, percent_text


def effort_table(
    run: dict[str, Any], codec: str, anchor: Curve, window_bpp: Window | None = None
) -> str:
    """Run -> a row for each effort of a codec: its time, and bits against the anchor's.

    Compared image by image at equal PSNR, and averaged: at each rate where a file's quality lies on
    the anchor's curve, and over all of them as BD-rate, for images that have the lowest and the
    highest rate. A figure that lacks images says how many it has. Variants are left out; so are, of
    times, those of machines with a GPU.
    """
    points = [
        point for point in run["points"] if point["codec"] == codec and not point.get("variant")
    ]
    rates = sorted({point["setting"] for point in points})
    curves, rows = measured_curves(run), []
    for effort in sorted({point["effort"] for point in points}):
        of_effort = [point for point in points if point["effort"] == effort]
        cells = [
            _mean_text(_differences([p for p in of_effort if p["setting"] == rate], anchor), anchor)
            for rate in rates
        ]
        at_ends = [
            {point["image"] for point in of_effort if point["setting"] == rate}
            for rate in (rates[0], rates[-1])
        ]
        curve = find_curve(curves, curve_name(of_effort[0]))
        over_all = _bd_rates(curve, at_ends[0] & at_ends[1], anchor, window_bpp)
        times = [p["encode_s"] for p in of_effort if _on_cpu(run["sessions"][p["session"]])]
        rows.append([str(effort), _time(times), *cells, _mean_text(over_all, anchor)])
    header = ["effort", "encode", *(f"{rate:g} bpp" for rate in rates), "BD-rate"]
    return markdown(header, rows)


def cost_table(run: dict[str, Any], codecs: Sequence[str]) -> str:
    """Run -> what a file of each codec takes: time and memory of its encode and of its decode.

    Medians with their range over images and settings; machines with a GPU are left out.

    Args:
        run: of kind rate-distortion.
        codecs: names of curves.
    """
    rows = []
    for name in codecs:
        points = [
            point
            for point in run["points"]
            if curve_name(point) == name and _on_cpu(run["sessions"][point["session"]])
        ]
        cells = [
            form([point[f"{way}_{key}"] for point in points])
            for way in ("encode", "decode")
            for form, key in ((_duration, "s"), (_memory, "peak_bytes"))
        ]
        rows.append([curve_label(points[0]), *cells])
    return markdown(["Codec", "encode", "peak MiB", "decode", "peak MiB"], rows)


def _on_cpu(session: dict[str, Any]) -> bool:
    """Whether a session's machine had nothing but its processor to encode with."""
    return "accelerator" not in session["machine"]


def _time(seconds: Sequence[float]) -> str:
    """Median and range."""
    if not seconds:
        return "–"
    return f"{median(seconds):.0f} s ({min(seconds):.0f} to {max(seconds):.0f})"


def _duration(seconds: Sequence[float]) -> str:
    """Median and range."""
    middle, low, high = map(duration_text, (median(seconds), min(seconds), max(seconds)))
    return f"{middle} ({low} to {high})"


def _memory(sizes_bytes: Sequence[int]) -> str:
    """Median and range, in MiB."""
    mebibytes = [size / 2**20 for size in sizes_bytes]
    return f"{median(mebibytes):.0f} ({min(mebibytes):.0f} to {max(mebibytes):.0f})"


def _differences(points: Sequence[Point], anchor: Curve) -> list[float]:
    """Points -> percentages of bits more or less than the anchor needs for that quality."""
    expected = [rate_at(anchor.images.get(p["image"], []), p["psnr_db"]) for p in points]
    return [
        100 * (point["bpp"] / bpp - 1)
        for point, bpp in zip(points, expected, strict=True)
        if bpp is not None
    ]


def _bd_rates(
    curve: Curve, complete: Collection[str], anchor: Curve, window_bpp: Window | None
) -> list[float]:
    """Curve -> BD-rate of each image that is complete."""
    comparisons = [
        compare(anchor.images.get(image, []), points, window_bpp=window_bpp)
        for image, points in curve.images.items()
        if image in complete
    ]
    return [comparison.percent for comparison in comparisons if comparison]


def _mean_text(percents: Sequence[float], anchor: Curve) -> str:
    if not percents:
        return "–"
    count = len(percents)
    images = f" ({count} image{'s' if count > 1 else ''})" if count < len(anchor.images) else ""
    return percent_text(fmean(percents)) + images
