"""Two rate-distortion curves -> Bjøntegaard's rate difference.

The average distance of two curves in log rate, over the range of quality that both cover, as a
percentage: -10 % means a tenth fewer bits for the same quality. Integrated by the package
`bjontegaard` under piecewise cubic (PCHIP) interpolation; the check that it is used rightly is a
known pair, Cool-chic 5.0.1 against 5.0.0 on Kodak, by its authors -1.2 % (see the tests).

The figure depends on the range that is compared, so it never comes without it.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.reporting.curves import RatePoints

RESAMPLED = 65  # points of a curve cut to a window; PCHIP through them is the curve itself
SLACK = 1.02  # files that were to have 0.4 bits a pixel have 0.398, and that is what is meant
Window = tuple[float, float]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many more bits a codec needs than the anchor, and where that holds.

    Attributes:
        percent: BD-rate, negative for fewer bits.
        lowest, highest: range of quality compared.
    """

    percent: float
    lowest: float
    highest: float


def compare(
    anchor: RatePoints,
    test: RatePoints,
    *,
    window_bpp: Window | None = None,
    window_quality: Window | None = None,
) -> Comparison | None:
    """Anchor and test -> BD-rate of the test.

    Args:
        anchor: (bits a pixel, quality) of the codec compared with.
        test: (bits a pixel, quality) of the codec that is compared.
        window_bpp: compare only the quality that the *anchor* reaches at these rates.
        window_quality: compare only this range of quality.

    Returns:
        None if there is nothing to compare: fewer than two points, or no common quality.
    """
    anchor, test = rising(anchor), rising(test)
    if min(len(anchor), len(test)) < 2:
        return None
    lowest = max(anchor[0][1], test[0][1])
    highest = min(anchor[-1][1], test[-1][1])
    if window_quality:
        lowest, highest = max(lowest, window_quality[0]), min(highest, window_quality[1])
    if window_bpp:
        below, above = (_quality_inside(anchor, bpp) for bpp in window_bpp)
        lowest, highest = max(lowest, below), min(highest, above)
    if lowest >= highest:
        return None
    if window_bpp or window_quality:
        anchor, test = _cut(anchor, lowest, highest), _cut(test, lowest, highest)
    return Comparison(_bd_rate(anchor, test), lowest, highest)


def _bd_rate(anchor: RatePoints, test: RatePoints) -> float:
    os.environ.setdefault("MPLBACKEND", "Agg")  # bjontegaard imports pyplot
    from bjontegaard import bd_rate  # type: ignore[import-untyped]

    columns = [list(column) for points in (anchor, test) for column in zip(*points, strict=True)]
    return float(bd_rate(*columns, "pchip", require_matching_points=False, min_overlap=0))


def rising(points: RatePoints) -> RatePoints:
    """Points -> those whose quality exceeds that of all cheaper ones, as interpolation needs."""
    kept: RatePoints = []
    for bpp, quality in sorted(points):
        if not kept or (quality > kept[-1][1] and bpp > kept[-1][0]):
            kept.append((bpp, quality))
    return kept


def quality_at(points: RatePoints, bpp: float) -> float | None:
    """Curve and rate -> quality there; None outside of the curve by more than ``SLACK``."""
    points = rising(points)
    if len(points) < 2 or not points[0][0] / SLACK <= bpp <= points[-1][0] * SLACK:
        return None
    rates, qualities = _columns(points)
    return float(_interpolate(np.log(rates), qualities, np.log([bpp]))[0])


def rate_at(points: RatePoints, quality: float) -> float | None:
    """Curve and quality -> bits a pixel; None outside of the curve."""
    points = rising(points)
    if len(points) < 2 or not points[0][1] <= quality <= points[-1][1]:
        return None
    return float(_rates_at(points, [quality])[0])


def _quality_inside(points: RatePoints, bpp: float) -> float:
    """Quality at a rate, the rate first moved into the curve's range."""
    inside = min(max(bpp, points[0][0]), points[-1][0])
    quality = quality_at(points, inside)
    assert quality is not None
    return quality


def _cut(points: RatePoints, lowest: float, highest: float) -> RatePoints:
    qualities = np.linspace(lowest, highest, RESAMPLED)
    return list(zip(_rates_at(points, qualities).tolist(), qualities.tolist(), strict=True))


def _rates_at(points: RatePoints, qualities: Sequence[float] | Numbers) -> Numbers:
    rates, known = _columns(points)
    result: Numbers = np.exp(_interpolate(known, np.log(rates), np.asarray(qualities)))
    return result


def _interpolate(x: Numbers, y: Numbers, wanted: Numbers) -> Numbers:
    from scipy.interpolate import PchipInterpolator  # type: ignore[import-untyped]

    result: Numbers = PchipInterpolator(x, y)(wanted)
    return result


def _columns(points: RatePoints) -> tuple[Numbers, Numbers]:
    table = np.asarray(points, dtype=np.float64)
    return table[:, 0], table[:, 1]
