"""A finished study -> its plots, PNG."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from benchmarks.studies.activations import (
    arcsine,
    bias,
    central_limit,
    depth,
    folding,
    omega_0,
    rivals,
)
from benchmarks.studies.activations.derivatives import PICTURE, Sheet
from benchmarks.studies.activations.drawing import save_figure
from benchmarks.studies.activations.plots_of_fits import draw_folding, draw_omega, draw_rivals
from benchmarks.studies.activations.plots_of_theory import (
    draw_bias,
    draw_depth,
    draw_histograms,
    draw_lemmas,
)
from benchmarks.studies.activations.summary import Run

# Name of the file -> the parts it shows, and what draws it.
PLOTS: dict[str, tuple[set[str], Callable[[Run], Figure]]] = {
    "lemmas": ({arcsine.PART, central_limit.PART, depth.SAMPLE_PART}, draw_lemmas),
    "depth": ({depth.PART}, draw_depth),
    "histograms": ({depth.PART}, draw_histograms),
    "bias": ({bias.PART}, draw_bias),
    "folding": ({folding.PART, folding.RATE_PART}, draw_folding),
    "omega": ({omega_0.PART}, draw_omega),
    "rivals": ({rivals.PART, rivals.WEIGHT_PART}, draw_rivals),
}
SHEET_DPI = 72  # photographs take more bytes than lines


def draw_plots(run: Run, folder: Path) -> list[Path]:
    """Study -> a file for each plot whose parts it has."""
    plt.rcParams.update({"font.size": 9, "axes.grid": True, "grid.alpha": 0.25})
    parts = {point["part"] for point in run["points"]}
    return [
        save_figure(draw(run), folder / f"{name}.png")
        for name, (needed, draw) in PLOTS.items()
        if needed <= parts
    ]


def draw_sheet(sheet: Sheet, folder: Path) -> Path:
    """Derivatives side by side -> a file; each plane in the picture's range."""
    figure, grid = plt.subplots(
        3, len(sheet.columns), figsize=(1.75 * len(sheet.columns), 5.3), layout="constrained"
    )
    reference = next(iter(sheet.columns.values()))
    rows = ("value", "size of gradient", "Laplacian")
    for column, (name, planes) in enumerate(sheet.columns.items()):
        for row, (plane, model) in enumerate(zip(planes, reference, strict=True)):
            axes = grid[row, column]
            low, high = np.percentile(model.numpy(), [2, 98])
            if row == 2:
                low, high = -max(-low, high), max(-low, high)
            axes.imshow(plane.numpy(), cmap="gray", vmin=low, vmax=high)
            axes.set(xticks=[], yticks=[])
            if row == 0:
                axes.set_title("the picture" if name == PICTURE else name)
            if column == 0:
                axes.set_ylabel(rows[row])
    return save_figure(figure, folder / "derivatives.png", SHEET_DPI)
