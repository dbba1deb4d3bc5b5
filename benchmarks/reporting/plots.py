"""Curves -> rate-distortion plots, PNG and SVG."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt

from benchmarks.measuring.codecs import OURS
from benchmarks.reporting.curves import Curve

# Bits a pixel between which all codecs that can be compared lie.
RATES_BPP = (0.03, 2.0)
TICKS_BPP = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
COLOURS = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#8c6d31", "#7f7f7f", "#b3a100",
    "#5254a3", "#00798c", "#a05195", "#444444",
)  # fmt: skip
REDS = ("#d1242f", "#7d0b14", "#f0696f", "#a8441d", "#ff9f9a")


def plot_curves(
    curves: Sequence[Curve], stem: Path, title: str, quality: str = "PSNR in RGB, dB"
) -> list[Path]:
    """Curves -> ``stem``.png and ``stem``.svg.

    Ours is drawn thick and red, what was measured here with a solid line, what was published
    elsewhere with a dashed one.

    Returns:
        The files written.
    """
    plt.rcParams.update({"svg.hashsalt": "benchmarks", "font.size": 9})
    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    inside: list[float] = []
    for curve, colour in coloured(curves):
        shown = [point for point in curve.points if RATES_BPP[0] <= point[0] <= RATES_BPP[1]]
        if not shown:
            continue
        inside += [value for _, value in shown]
        is_ours = curve.name.startswith(OURS)
        axes.plot(
            [bpp for bpp, _ in shown],
            [value for _, value in shown],
            label=curve.label + (" (published)" if curve.is_published else ""),
            color=colour,
            linestyle="--" if curve.is_published else "-",
            linewidth=2.4 if is_ours else 1.1,
            marker="o" if is_ours else "" if curve.is_published else ".",
            markersize=4,
        )
    axes.set_xscale("log")
    axes.set_xlim(*RATES_BPP)
    axes.set_xticks(TICKS_BPP, [f"{tick:g}" for tick in TICKS_BPP])
    axes.minorticks_off()
    if inside:
        axes.set_ylim(min(inside) - 0.5, max(inside) + 0.5)
    axes.set_xlabel("bits a pixel, whole file")
    axes.set_ylabel(quality)
    axes.set_title(title)
    axes.grid(alpha=0.25)
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    paths = [stem.with_name(f"{stem.name}.{suffix}") for suffix in ("png", "svg")]
    stem.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(paths[0], dpi=130, metadata={"Software": ""})
    figure.savefig(paths[1], metadata={"Date": "", "Creator": ""})
    plt.close(figure)
    return paths


def coloured(curves: Sequence[Curve]) -> list[tuple[Curve, str]]:
    """Curves -> in drawing order, ours on top, each with its colour: reds are ours."""
    ours = [curve for curve in curves if curve.name.startswith(OURS)]
    others = [curve for curve in curves if not curve.name.startswith(OURS)]
    others.sort(key=lambda curve: curve.is_published)
    pairs = [(curve, COLOURS[index % len(COLOURS)]) for index, curve in enumerate(others)]
    pairs += [(curve, REDS[index % len(REDS)]) for index, curve in enumerate(reversed(ours))]
    return pairs
