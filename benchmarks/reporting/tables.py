"""Curves -> Markdown tables."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from benchmarks.reporting.bd_rate import Window, compare, quality_at
from benchmarks.reporting.curves import Curve, find_curve

Rows = list[list[str]]


def markdown(header: Sequence[str], rows: Rows) -> str:
    """Header and rows -> Markdown table, first column to the left, the others to the right."""
    rule = [":--", *("--:" for _ in header[1:])]
    lines = [header, rule, *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def bd_rate_table(
    curves: Sequence[Curve],
    anchor: Curve,
    *,
    window_bpp: Window | None = None,
    window_quality: Window | None = None,
    unit: str = "dB",
) -> str:
    """Curves -> BD-rate of each against the anchor, best first, with the range it holds for."""
    compared, others = [], []
    for curve in curves:
        if curve.name == anchor.name:
            continue
        comparison = compare(
            anchor.points, curve.points, window_bpp=window_bpp, window_quality=window_quality
        )
        figures = "published" if curve.is_published else "measured"
        if comparison is None:
            others.append([curve.label, "–", "no common quality", figures])
            continue
        span = f"{comparison.lowest:.1f} to {comparison.highest:.1f} {unit}".rstrip()
        row = [curve.label, percent_text(comparison.percent), span, figures]
        compared.append((comparison.percent, row))
    rows = [row for _, row in sorted(compared, key=lambda entry: entry[0])] + others
    origin = "published" if anchor.is_published else "measured"
    header = ["Codec", f"BD-rate against {anchor.label} ({origin})", "compared over", "figures"]
    return markdown(header, rows)


def image_table(
    curves: Sequence[Curve],
    anchor: Curve,
    *,
    window_bpp: Window | None = None,
    window_quality: Window | None = None,
) -> str:
    """Curves -> BD-rate against the anchor image by image, and the mean of these."""
    shown = [curve for curve in curves if curve.images and curve.name != anchor.name]
    if not anchor.images or not shown:
        return f"(no figures by image for {anchor.label})"
    columns = [
        _image_percents(curve, anchor, window_bpp=window_bpp, window_quality=window_quality)
        for curve in shown
    ]
    rows = [
        [image, *(percent_text(column[image]) if image in column else "–" for column in columns)]
        for image in anchor.images
    ]
    means = [_mean_text(column) for column in columns]
    rows.append(["**mean**", *(f"**{mean}**" for mean in means)])
    return markdown(["BD-rate, by image", *(curve.label for curve in shown)], rows)


def measures_table(
    curves: Mapping[str, Sequence[Curve]],
    codec: str,
    anchors: Sequence[str],
    window_bpp: Window | None = None,
) -> str:
    """Curves by each measure of quality -> BD-rate of a codec by it, mean over the images.

    Args:
        curves: name of a measure, as the table shows it -> all curves in that measure.
        codec: name of the curve that is compared.
        anchors: names of the curves it is compared with, a column each.
        window_bpp: see ``bd_rate.compare``.
    """
    rows, labels = [], []
    for measure, known in curves.items():
        compared = find_curve(known, codec)
        against = [find_curve(known, name) for name in anchors]
        labels = [f"against {anchor.label}" for anchor in against]
        percents = [_image_percents(compared, anchor, window_bpp=window_bpp) for anchor in against]
        rows.append([measure, *map(_mean_text, percents)])
    return markdown(["BD-rate, mean of the images", *labels], rows)


def _image_percents(
    curve: Curve,
    anchor: Curve,
    *,
    window_bpp: Window | None = None,
    window_quality: Window | None = None,
) -> dict[str, float]:
    """Curve -> BD-rate against the anchor, of each image where the two can be compared."""
    comparisons = {
        image: compare(
            points,
            curve.images.get(image, []),
            window_bpp=window_bpp,
            window_quality=window_quality,
        )
        for image, points in anchor.images.items()
    }
    return {image: found.percent for image, found in comparisons.items() if found}


def _mean_text(percents: Mapping[str, float]) -> str:
    return percent_text(fmean(percents.values())) if percents else "–"


def quality_table(
    curves: Sequence[Curve], rates_bpp: Sequence[float], measure: str = "PSNR in dB"
) -> str:
    """Curves -> quality at some rates, between measured points by PCHIP over log rate."""
    rows = []
    for curve in curves:
        values = [quality_at(curve.points, bpp) for bpp in rates_bpp]
        cells = ["–" if value is None else f"{value:.2f}" for value in values]
        rows.append([curve.label + (" (published)" if curve.is_published else ""), *cells])
    return markdown([measure, *(f"{bpp:g} bpp" for bpp in rates_bpp)], rows)


def percent_text(percent: float) -> str:
    """Percentage -> text with a sign, a real minus."""
    return f"{percent:+.1f} %".replace("-", "−")
