"""What all plots of the study share: colours, means with their range, small files."""

import io
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import PIL.Image
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's colours, which tell apart for nearly everybody; markers differ as well.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
MARKERS = "osD^vP"
PALETTE_SIZE = 64  # of the files: lines and text need no more, and are a third as large
DPI = 110


def save_figure(figure: Figure, path: Path, dpi: int = DPI) -> Path:
    """Figure -> PNG file of few colours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=dpi, metadata={"Software": ""})
    plt.close(figure)
    image = PIL.Image.open(drawn).convert("RGB")
    image.quantize(PALETTE_SIZE, dither=PIL.Image.Dither.NONE).save(path, optimize=True)
    return path


def draw_range(
    axes: Axes, x: Sequence[float], groups: Sequence[Sequence[float]], index: int, label: str
) -> None:
    """Add a line of means by x, and the range of each group around it."""
    colour = COLOURS[index % len(COLOURS)]
    axes.plot(
        x,
        [fmean(group) for group in groups],
        color=colour,
        marker=MARKERS[index % len(MARKERS)],
        markersize=4,
        label=label,
    )
    lows, highs = [min(group) for group in groups], [max(group) for group in groups]
    axes.fill_between(x, lows, highs, color=colour, alpha=0.15, linewidth=0)
