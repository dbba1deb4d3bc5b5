"""Plots of fits: parametrisations, omega_0, alternatives."""

from statistics import fmean

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from benchmarks.measuring.measure import Point
from benchmarks.studies.activations import folding, omega_0, rivals
from benchmarks.studies.activations.drawing import COLOURS, MARKERS, draw_range
from benchmarks.studies.activations.networks import KINDS
from benchmarks.studies.activations.summary import Run, distinct, select, values
from benchmarks.studies.activations.tables_of_fits import omega_conditions, omega_means


def draw_folding(run: Run) -> Figure:
    """The same function written in several ways."""
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11.5, 3.7), layout="constrained")
    for axes, rescaled in ((left, False), (middle, True)):
        shown = [c for c in folding.cases() if c.optimizer == "Adam"]
        shown = [c for c in shown if c.rescaled is rescaled or c.form == "inside"]
        for index, case in enumerate(shown):
            points = _case_points(run, case)
            steps = [step for step, _ in points[0]["curve"]]
            groups = list(
                zip(*([quality for _, quality in p["curve"]] for p in points), strict=True)
            )
            name = case.form + (", biases not amplified" if case.plain_biases else "")
            draw_range(axes, steps, groups, index, name)
        axes.set(xlabel="updates", ylabel="PSNR, dB")
        axes.legend(frameon=False, fontsize=7, title="ω0 is", loc="center right")
    left.set_title("Adam, the same learning rate for all")
    middle.set_title("Adam, rates times 30 for what is folded")
    for index, form in enumerate(folding.FORMS):
        points = select(run, folding.RATE_PART, form=form)
        points.sort(key=lambda point: float(point["learning_rate"]))
        rates = [point["learning_rate"] for point in points]
        draw_range(right, rates, [[point["psnr_db"]] for point in points], index, form)
    right.set(xscale="log", xlabel="learning rate", title="Adam, PSNR by learning rate")
    right.legend(frameon=False, fontsize=7, title="ω0 is")
    return figure


def _case_points(run: Run, case: folding.Case) -> list[Point]:
    return select(
        run,
        folding.PART,
        optimizer=case.optimizer,
        form=case.form,
        rescaled=case.rescaled,
        plain_biases=case.plain_biases,
    )


def draw_omega(run: Run) -> Figure:
    """Omega_0: what is lost beside the best, and the best against the size of the network."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.9), layout="constrained")
    conditions = omega_conditions(run)
    sizes = sorted({int(points[0]["parameters"]) for points in conditions})
    tried = sorted(set.intersection(*(set(omega_means(points)) for points in conditions)))
    for index, size in enumerate(sizes):
        alike = [omega_means(c) for c in conditions if c[0]["parameters"] == size]
        losses = [[means[w] - max(means.values()) for means in alike] for w in tried]
        draw_range(left, tried, losses, index, f"{size:,} weights")
        best = [max(means, key=means.__getitem__) for means in alike]
        right.plot([size] * len(best), best, MARKERS[index], color=COLOURS[index], alpha=0.7)
    left.set(xscale="log", xlabel="ω0 of the first layer", ylim=(-8, 0.3))
    left.set_title("PSNR less the best, dB; shaded: sizes, bandwidths, rates")
    left.legend(frameon=False, loc="lower left")
    span = np.geomspace(sizes[0], max(sizes[-1], 12_000), 100)
    right.plot(span, omega_0.rule(span), color="#222222", label="the rule the encoder uses")
    right.axhline(omega_0.OLD_OMEGA_0, color="#888888", linestyle="--", label="30, as before")
    right.set(xscale="log", yscale="log", xlabel="weights of the network")
    right.set_title("best ω0 of those tried, each size, bandwidth and rate")
    ticks = [str(omega) for omega in tried]
    left.set_xticks(tried, ticks)
    right.set_yticks(tried, ticks)
    for axes in (left, right):
        axes.minorticks_off()
    right.legend(frameon=False)
    return figure


def draw_rivals(run: Run) -> Figure:
    """Alternatives: fit curves, and what is left at a few bits a weight."""
    signals = distinct(select(run, rivals.PART), "signal")
    figure, grid = plt.subplots(
        2, len(signals), figsize=(3.7 * len(signals), 6), layout="constrained", squeeze=False
    )
    for column, signal in enumerate(signals):
        for index, kind in enumerate(KINDS):
            fits = select(
                run, rivals.PART, signal=signal, kind=kind, optimizer="SOAP", equal="parameters"
            )
            steps = [step for step, _ in fits[0]["curve"]]
            groups = list(zip(*([db for _, db in p["curve"]] for p in fits), strict=True))
            draw_range(grid[0, column], steps, groups, index, kind)
            rounded = select(run, rivals.WEIGHT_PART, signal=signal, kind=kind)
            bits = distinct(rounded, "bits")
            for name, line in (("refitted_psnr_db", "-"), ("rounded_psnr_db", ":")):
                means = [fmean(values([p for p in rounded if p["bits"] == b], name)) for b in bits]
                marker = MARKERS[index]
                grid[1, column].plot(
                    bits, means, line, color=COLOURS[index], marker=marker, markersize=4
                )
        grid[0, column].set(title=signal, xlabel="updates (SOAP, equal parameters)")
        grid[1, column].set(xlabel="bits a weight; dotted: rounded at once")
        grid[1, column].set_xticks(bits)
    grid[0, 0].set_ylabel("PSNR, dB")
    grid[1, 0].set_ylabel("PSNR, dB")
    grid[0, 0].legend(frameon=False, fontsize=8)
    return figure
