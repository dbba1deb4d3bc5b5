"""Runs -> the report: BD-rate tables, quality at rates, plots, notes on what to beware of."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measuring.codecs import OURS, OURS_FOR_PSNR, is_ours
from benchmarks.reporting import tables
from benchmarks.reporting.ablation_table import ablation_table
from benchmarks.reporting.bd_rate import Window
from benchmarks.reporting.content_table import alpha_table, content_table
from benchmarks.reporting.curves import (
    Curve,
    NoCurveError,
    curve_name,
    find_curve,
    measured_curves,
    published_curves,
)
from benchmarks.reporting.detail_table import detail_table
from benchmarks.reporting.panel_table import panel_table
from benchmarks.reporting.scale_table import scale_table
from benchmarks.reporting.size_table import size_table
from benchmarks.reporting.speed_tables import speed_tables

# Of everything published, what a plot can show and stay readable: the classical reference, the best
# overfitted codec, and those whose files are networks of sines as well.
PLOTTED = ("vtm", "cool-chic-5.0.1", "nif25", "struempler-meta", "coin")
DEFAULT_ANCHORS = ("vtm", "jpeg-420")  # the first of them that there is
KODAK_IMAGES = 24  # what published averages are over
RATES_BPP = (0.05, 0.1, 0.2, 0.4, 0.8, 1.5)
QUALITY_NAMES = {
    "psnr": "PSNR in dB",
    "ms-ssim": "MS-SSIM in dB",
    "ssimulacra2": "SSIMULACRA2",
    "psnr-hvs": "PSNR-HVS in dB",
}


@dataclass(frozen=True, slots=True)
class Options:
    """What to report.

    Attributes:
        anchor: name of the curve the others are compared with; of ``DEFAULT_ANCHORS`` if empty.
        measure: quality, a key of ``curves.MEASURES``.
        images: names to average over; all if empty.
        published: names of published curves; all if None.
        window_bpp, window_quality: see ``bd_rate.compare``.
        by_image: a table of every image, too.
    """

    anchor: str = ""
    measure: str = "psnr"
    images: tuple[str, ...] = ()
    published: tuple[str, ...] | None = None
    window_bpp: Window | None = None
    window_quality: Window | None = None
    by_image: bool = False


def collect_curves(runs: Sequence[dict[str, Any]], options: Options) -> list[Curve]:
    """Runs -> all their curves and the published ones for their data set.

    Published curves come in PSNR over the whole data set, so they are left out of other measures
    and of a selection of images, unless they are known image by image.

    Raises:
        NoCurveError: if runs are of different data sets.
    """
    if len(datasets := {run["dataset"] for run in runs}) > 1:
        raise NoCurveError(f"runs of different data sets: {', '.join(sorted(datasets))}")
    curves: dict[str, Curve] = {}
    for run in runs:
        for curve in measured_curves(run, options.images, options.measure):
            curves.setdefault(curve.name, curve)
    if options.measure == "psnr":
        for curve in published_curves(runs[0]["dataset"], options.published or ()):
            selected = _select_images(curve, _image_names(runs, options))
            if selected and options.published != ():
                curves.setdefault(curve.name, selected)
    return list(curves.values())


def _image_names(runs: Sequence[dict[str, Any]], options: Options) -> set[str]:
    return set(options.images) or {name for run in runs for name in run["images"]}


def _select_images(curve: Curve, names: set[str]) -> Curve | None:
    """Published curve -> over some images only; None if that cannot be told."""
    if len(names) == len(curve.images) or (not curve.images and len(names) == KODAK_IMAGES):
        return curve
    if not names <= set(curve.images):
        return None
    chosen = [curve.images[name] for name in sorted(names)]
    points = [
        (sum(bpp for bpp, _ in column) / len(column), sum(db for _, db in column) / len(column))
        for column in zip(*chosen, strict=True)
    ]
    images = {name: curve.images[name] for name in sorted(names)}
    return Curve(curve.name, curve.label, points, images, True, curve.source)


def write_other_report(run: dict[str, Any]) -> str:
    """Run of timings, of enlargements or of ablations -> its tables."""
    parts = [f"# {run['kind']}", *_notes([run])]
    if run["kind"] == "speed":
        parts += speed_tables(run).values()
    elif run["kind"] == "scale":
        parts.append(scale_table(run))
    elif run["kind"] == "size":
        parts.append(size_table(run))
    elif run["kind"] == "panel":
        parts.append(panel_table(run))
    elif run["kind"] == "detail":
        parts.append(detail_table(run))
    elif run["kind"] == "content":
        parts += [content_table(run), alpha_table(run)]
    elif run["kind"] == "ablation":
        parts.append(ablation_table(run))
    else:
        raise NoCurveError(f"nothing is known of runs of kind {run['kind']}")
    return "\n\n".join(parts) + "\n"


def write_report(runs: Sequence[dict[str, Any]], options: Options) -> str:
    """Runs -> report in Markdown.

    Raises:
        NoCurveError: if the anchor is not among the curves.
    """
    curves = collect_curves(runs, options)
    names = {curve.name for curve in curves}
    usual = next((name for name in DEFAULT_ANCHORS if name in names), DEFAULT_ANCHORS[0])
    anchor = find_curve(curves, options.anchor or usual)
    windows: dict[str, Window | None] = {
        "window_bpp": options.window_bpp,
        "window_quality": options.window_quality,
    }
    unit = "" if options.measure == "ssimulacra2" else "dB"
    title = f"# {runs[0]['dataset']}, {len(_image_names(runs, options))} images"
    parts = [title, *_notes(runs)]
    if limits := _window_text(options, anchor):
        parts.append(limits)
    parts.append(tables.bd_rate_table(curves, anchor, **windows, unit=unit))
    shown = [curve for curve in curves if not curve.is_published or curve.name in PLOTTED]
    parts.append(tables.quality_table(shown, RATES_BPP, QUALITY_NAMES[options.measure]))
    if options.by_image:
        parts.append(tables.image_table(curves, anchor, **windows))
    return "\n\n".join(parts) + "\n"


def plot_report(runs: Sequence[dict[str, Any]], options: Options, folder: Path) -> list[Path]:
    """Runs -> rate-distortion plot of what was measured and a few published curves."""
    from benchmarks.reporting.plots import plot_curves

    curves = collect_curves(runs, options)
    if options.published is None:
        curves = [curve for curve in curves if not curve.is_published or curve.name in PLOTTED]
    count = len(_image_names(runs, options))
    title = f"{runs[0]['dataset']}, mean of {count} images" if count > 1 else runs[0]["dataset"]
    stem = folder / f"{runs[0]['dataset']}-{options.measure}"
    return plot_curves(curves, stem, title, QUALITY_NAMES[options.measure])


def _window_text(options: Options, anchor: Curve) -> str:
    parts = []
    if options.window_bpp:
        low, high = options.window_bpp
        parts.append(f"at the quality that {anchor.label} reaches from {low:g} to {high:g} bpp")
    if options.window_quality:
        parts.append("of quality {:g} to {:g}".format(*options.window_quality))
    return f"Compared only {' and '.join(parts)}." if parts else ""


def _notes(runs: Sequence[dict[str, Any]]) -> list[str]:
    """What a reader must know about the figures."""
    points = [point for run in runs for point in run["points"]]
    notes = []
    if runs[0]["kind"] == "rate-distortion":
        notes.append(
            "Rates count whole files; rate and quality are averaged over the images at each "
            "setting. Published curves were not measured here."
        )
        if any(point["codec"] in (OURS, OURS_FOR_PSNR) for point in points):
            notes.append(
                f"{OURS} spends equal bits on all images, the others what equal settings ask for. "
                "Averages of these are not alike: see figures by image, too."
            )
        if missing := [part for run in runs for part in _incomplete_settings(run)]:
            notes.append(f"Not in averages yet, for lack of images: {', '.join(missing)}.")
    notes += _session_notes(runs)
    codes = {point["code"] for point in points if is_ours(point["codec"])}
    if len(codes) > 1:
        notes.append(f"**Points of {OURS} come from {len(codes)} different versions of its code.**")
    missed = [point for point in points if point.get("notes")]
    if missed:
        notes.append(f"{len(missed)} points came with a warning, such as a target out of reach.")
    return notes


def _session_notes(runs: Sequence[dict[str, Any]]) -> list[str]:
    """Where points were measured: a line for each day, commit, machine and share of it."""
    counts: Counter[str] = Counter()
    for run in runs:
        for point in run["points"]:
            session = run["sessions"][point["session"]]
            machine = session["machine"]
            loops = f"; loops of fits: {machine['loops']}" if "loops" in machine else ""
            counts[
                f"measured {session['started'][:10]} at commit {session['commit'] or 'unknown'} on "
                f"{machine['processor']}, {machine['cores']} cores; threads: "
                f"{session['threads']}, jobs at a time: {session['jobs']}{loops}."
            ] += 1
    return [f"{count} points {line}" for line, count in counts.items()]


def _incomplete_settings(run: dict[str, Any]) -> list[str]:
    """Curves with settings that some image of the run lacks: name, setting, how many it has."""
    counts: Counter[tuple[str, float]] = Counter(
        (curve_name(point), point["setting"]) for point in run["points"]
    )
    total = len(run["images"])
    return [
        f"{name} at {setting:g} ({count} of {total})"
        for (name, setting), count in counts.items()
        if count < total
    ]
