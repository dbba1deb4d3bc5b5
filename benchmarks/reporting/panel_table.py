"""Run of a panel -> bits against AVIF's at equal quality, by every measure and rate.

Each measure's rival is the AVIF that tries to win by it: tune=psnr for PSNR, else tune=iq.
"""

from collections.abc import Sequence
from statistics import fmean
from typing import Any, Final

from benchmarks.measuring.codecs import CODECS, is_ours
from benchmarks.reporting.bd_rate import rate_at
from benchmarks.reporting.curves import MEASURES, Curve, find_curve, measured_curves
from benchmarks.reporting.tables import Rows, markdown, percent_text

KIND: Final = "panel"
FOR_EYES, FOR_PSNR = RIVALS = ("avif-444", "avif-444-psnr")
HEADER: Final = ["PSNR", "MS-SSIM", "SSIMULACRA2", "PSNR-HVS"]  # as MEASURES


def panel_table(run: dict[str, Any]) -> str:
    """Run -> Markdown table: a row a codec of ours and effort, a column a measure.

    A cell has the mean over the images at each rate; "–" where none lies on the rival's curve.
    """
    points = [point for point in run["points"] if is_ours(point["codec"])]
    rates = sorted({point["setting"] for point in points})
    cells: dict[str, list[list[str]]] = {}
    for measure in MEASURES:
        rivals = measured_curves(run, measure=measure)
        rival = find_curve(rivals, FOR_PSNR if measure == "psnr" else FOR_EYES)
        for rate in rates:
            of_rate = [point for point in points if point["setting"] == rate]
            for curve in measured_curves(run | {"points": of_rate}, measure=measure):
                columns = cells.setdefault(curve.label, [[] for _ in MEASURES])
                columns[list(MEASURES).index(measure)].append(_mean(_percents(curve, rival)))
    rows: Rows = [[label, *map(", ".join, columns)] for label, columns in cells.items()]
    names = ", ".join(f"{rate:g}" for rate in rates)
    against = (
        f"Against {CODECS[FOR_EYES].label}, tune=iq; by PSNR against {CODECS[FOR_PSNR].label}."
    )
    return f"{against}\n\n{markdown([f'Bits a pixel: {names}', *HEADER], rows)}"


def _percents(ours: Curve, rival: Curve) -> list[float]:
    """One file an image -> bits against those that the rival needs for the same quality."""
    return [
        100 * (bpp / expected - 1)
        for image, points in ours.images.items()
        for bpp, quality in points
        if (expected := rate_at(rival.images[image], quality)) is not None
    ]


def _mean(percents: Sequence[float]) -> str:
    return percent_text(fmean(percents)) if percents else "–"
