"""Runs and published data -> rate-distortion curves.

A curve of a data set is averaged at each setting over all images, rate and quality both: the usual
definition, and the one that published curves follow. A setting that lacks an image is left out.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.measuring.codecs import CODECS, is_ours
from benchmarks.measuring.decibels import similarity_db
from benchmarks.measuring.measure import Point

PUBLISHED = Path(__file__).parent.parent / "published"
# Of quality: name on the command line -> field of a point.
MEASURES = {
    "psnr": "psnr_db",
    "ms-ssim": "ms_ssim",
    "ssimulacra2": "ssimulacra2",
    "psnr-hvs": "psnr_hvs_db",
}

RatePoints = list[tuple[float, float]]  # (bits a pixel, quality), by rate


class NoCurveError(Exception):
    """A curve that was asked for does not exist."""


@dataclass(frozen=True, slots=True)
class Curve:
    """What a codec reaches on a set of images.

    Attributes:
        name: such as jpeg-420, sirencodec-e4 or vtm.
        label: as in tables and plots.
        points: averaged over the images.
        images: of each image; empty if only averages are known.
        is_published: taken from elsewhere, not measured here.
        source: where from, if it is.
    """

    name: str
    label: str
    points: RatePoints
    images: dict[str, RatePoints] = field(default_factory=dict)
    is_published: bool = False
    source: str = ""


def measured_curves(
    run: dict[str, Any], images: Sequence[str] = (), measure: str = "psnr"
) -> list[Curve]:
    """Run -> one curve a codec, effort and variant.

    Args:
        run: as `results.read_run` gives it.
        images: names to average over; all of the run if empty.
        measure: a key of ``MEASURES``. MS-SSIM is put in decibels.
    """
    names = set(images or run["images"])
    groups: dict[str, list[Point]] = defaultdict(list)
    for point in run["points"]:
        if point["image"] in names and MEASURES[measure] in point:
            groups[curve_name(point)].append(point)
    curves = []
    for name, points in groups.items():
        by_image = _rate_points(points, "image", measure)
        averages = average_points(points, len(names), measure)
        curves.append(Curve(name, curve_label(points[0]), averages, by_image))
    return curves


def average_points(points: Sequence[Point], count: int, measure: str = "psnr") -> RatePoints:
    """Points of one codec -> averages of the settings that have all ``count`` images."""
    settings: dict[float, list[tuple[float, float]]] = defaultdict(list)
    for point in points:
        settings[point["setting"]].append((point["bpp"], _quality(point, measure)))
    return sorted(
        (fmean(bpp for bpp, _ in pairs), fmean(quality for _, quality in pairs))
        for pairs in settings.values()
        if len(pairs) == count
    )


def curve_name(point: Point) -> str:
    """Point -> name of the curve it lies on."""
    effort = f"-e{point['effort']}" if point.get("effort") is not None else ""
    variant = f"+{point['variant']}" if point.get("variant") else ""
    return f"{point['codec']}{effort}{variant}"


def curve_label(point: Point) -> str:
    """Point -> what tables and plots call its curve."""
    label = CODECS[point["codec"]].label if point["codec"] in CODECS else point["codec"]
    effort = f", effort {point['effort']}" if point.get("effort") is not None else ""
    variant = f", {point['variant']}" if point.get("variant") else ""
    return f"{label}{effort}{variant}"


def published_curves(dataset: str, names: Sequence[str] = ()) -> list[Curve]:
    """Data set -> curves published for it, in PSNR; those of ``names``, or all.

    Raises:
        NoCurveError: if a name is unknown.
    """
    paths = {path.stem: path for path in sorted((PUBLISHED / dataset).glob("*.json"))}
    if missing := [name for name in names if name not in paths]:
        raise NoCurveError(f"nothing published for {', '.join(missing)} on {dataset}")
    return [_read_published(paths[name]) for name in names or paths]


def find_curve(curves: Sequence[Curve], name: str) -> Curve:
    """Curves -> the one of that name; a codec of ours alone means its highest effort.

    Raises:
        NoCurveError: if there is none.
    """
    candidates = [curve for curve in curves if curve.name == name]
    if is_ours(name):
        candidates = sorted(
            (curve for curve in curves if curve.name.startswith(f"{name}-e")),
            key=lambda curve: curve.name,
        )
    if not candidates:
        known = ", ".join(sorted(curve.name for curve in curves))
        raise NoCurveError(f"no curve {name}; there are {known}")
    return candidates[-1]


def _read_published(path: Path) -> Curve:
    data = json.loads(path.read_text(encoding="utf-8"))
    images = {name: _sorted_points(points) for name, points in data.get("images", {}).items()}
    if images:  # settings in the same order for every image
        columns = zip(*images.values(), strict=True)
        points = [
            (fmean(bpp for bpp, _ in column), fmean(quality for _, quality in column))
            for column in columns
        ]
    else:
        points = _sorted_points(data["points"])
    return Curve(path.stem, data["label"], points, images, True, data["source"])


def _sorted_points(points: Sequence[Sequence[float]]) -> RatePoints:
    return sorted((bpp, quality) for bpp, quality in points)


def _rate_points(points: Sequence[Point], by: str, measure: str) -> dict[str, RatePoints]:
    groups: dict[str, RatePoints] = defaultdict(list)
    for point in points:
        groups[point[by]].append((point["bpp"], _quality(point, measure)))
    return {name: sorted(pairs) for name, pairs in sorted(groups.items())}


def _quality(point: Point, measure: str) -> float:
    value = float(point[MEASURES[measure]])
    return similarity_db(value) if measure == "ms-ssim" else value
