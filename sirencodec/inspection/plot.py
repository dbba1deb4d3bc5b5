"""Inspection -> a picture that explains itself. Needs matplotlib, the extra ``plots``."""

import math
import textwrap
from collections.abc import Sequence
from typing import Final

from sirencodec.errors import DependencyError
from sirencodec.inspection.panels import (
    plot_activations,
    plot_bits,
    plot_deviations,
    plot_distances,
    plot_frequencies,
    plot_phases,
    plot_values,
)
from sirencodec.inspection.report import Inspection

try:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import GridSpec
except ImportError as error:
    raise DependencyError(
        "plots need matplotlib: pip install 'sirencodec[plots]'", name=error.name
    ) from error

COLUMNS: Final = 4
MOST_SINE_LAYERS: Final = 12  # of a deeper network only the first and last ones are drawn

EXPLANATION: Final = (
    "How to read this. A layer adds up its inputs under its weights, which gives a phase, and "
    "hands on the sine of it. Theory (Sitzmann et al., NeurIPS 2020, supplement) says of a network "
    "as it is initialised: sums of many inputs are normal, N(0, v) with the v that the bounds of "
    "weights and biases give (Lemma 1.5); the sine of a phase spread over a whole period or more "
    "is arcsine (Lemmas 1.1 and 1.6); so depth changes nothing. KS is the largest difference "
    "between the measured distribution function and theory's: 0 is agreement. 'Shape' forgives "
    "mean and scale. The dotted line is the sine of theory's normal exactly; in the lemmas its "
    "phase is pi/2 times larger, which brings it close to arcsine. A fit is free to leave theory: "
    "what differs from the curves is what the fit has done."
)


def plot_inspection(inspection: Inspection, title: str = "") -> Figure:
    """Inspection -> matplotlib figure: a summary, then two panels for each sine layer.

    Args:
        inspection: from ``sirencodec.inspect``.
        title: name to put in front, such as the file's.

    Returns:
        The figure; its ``savefig`` writes it.
    """
    sines = inspection.layers[:-1]
    shown = _shown(len(sines))
    rows = 1 + math.ceil((2 * len(shown) + 1) / COLUMNS)
    figure = Figure(figsize=(13, 1.0 + 2.75 * rows), dpi=110, layout="constrained")
    figure.suptitle(_title(inspection, title, shown), fontsize=10, parse_math=False)
    grid = GridSpec(rows, COLUMNS, figure=figure)
    axes = [figure.add_subplot(grid[0, column]) for column in range(COLUMNS)]
    plot_deviations(axes[0], sines)
    plot_distances(axes[1], sines)
    plot_frequencies(axes[2], inspection)
    plot_bits(axes[3], inspection, shown)
    cells = ((row, column) for row in range(1, rows) for column in range(COLUMNS))
    for index in shown:
        is_first = index == shown[0]
        plot_phases(figure.add_subplot(grid[next(cells)]), sines[index], index, is_first)
        plot_activations(figure.add_subplot(grid[next(cells)]), sines[index], index, is_first)
    plot_values(figure.add_subplot(grid[next(cells)]), inspection.layers[-1])
    row, column = next(cells)
    _write(figure.add_subplot(grid[row, column:]), COLUMNS - column)
    return figure


def _shown(count: int) -> list[int]:
    """Number of sine layers -> indices of those that are drawn."""
    if count <= MOST_SINE_LAYERS:
        return list(range(count))
    half = MOST_SINE_LAYERS // 2
    return [*range(half), *range(count - half, count)]


def _title(inspection: Inspection, title: str, shown: Sequence[int]) -> str:
    info, count = inspection.info, len(inspection.layers) - 1
    network = "a freshly initialised network" if inspection.at_init else "the fitted network"
    parts = [
        f"{title}: {network}" if title else network.capitalize(),
        f"{info.width} x {info.height} {info.mode}",
        f"{info.profile}, {info.hidden_features} wide, {count} sine layers, omega_0 {info.omega_0}",
        f"{inspection.points_across} x {inspection.points_down} pixels asked",
    ]
    if len(shown) < count:
        parts.append(f"{len(shown)} layers shown")
    return "; ".join(parts)


def _write(axes: Axes, columns: int) -> None:
    """What the panels mean, in the cells that are left."""
    axes.axis("off")
    text = textwrap.fill(EXPLANATION, 52 * columns)
    axes.text(0, 1, text, fontsize=8, va="top", transform=axes.transAxes, color="#222222")
