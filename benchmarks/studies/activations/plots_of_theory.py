"""Plots of distributions: the lemmas, depth, biases."""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from benchmarks.studies.activations import arcsine, bias, central_limit, depth
from benchmarks.studies.activations.drawing import COLOURS, draw_range
from benchmarks.studies.activations.summary import Run, distinct, select, values
from sirencodec.inspection.distributions import arcsine_density, normal_density
from sirencodec.theory import fixed_point, layer_variance


def draw_lemmas(run: Run) -> Figure:
    """Lemma 1.1, Lemma 1.5, Lemma 1.6."""
    figure, (first, second, third) = plt.subplots(1, 3, figsize=(11, 3.4), layout="constrained")
    y = np.linspace(-0.999, 0.999, 400)
    bins = np.linspace(-1, 1, arcsine.BINS + 1)
    first.stairs(select(run, arcsine.PART)[0]["density"], bins, fill=True, color="#c9d9e8")
    first.plot(y, arcsine_density(y), color=COLOURS[0], label="arcsine density")
    first.set(title="Lemma 1.1: sine of a uniform X", xlabel="Y = sin(πX/2)", ylim=(0, 3))
    first.legend(frameon=False)

    widths = distinct(select(run, central_limit.PART), "width")
    for index, (weights, name, label) in enumerate(
        (
            ("redrawn", "ks", "weights redrawn, to N(0, 1)"),
            ("fixed", "ks", "weights fixed, to N(0, 1)"),
            ("fixed", "ks_own_variance", "weights fixed, to their own variance"),
        )
    ):
        groups = [
            values(select(run, central_limit.PART, weights=weights, width=width), name)
            for width in widths
        ]
        draw_range(second, widths, groups, index, label)
    expected = [central_limit.expected_distance(width) for width in widths]
    second.plot(widths, expected, ":", color=COLOURS[0], label="redrawn, theory")
    noise = select(run, central_limit.PART)[0]["ks_significant"]
    second.axhline(noise, color="#888888", linestyle="--", linewidth=0.8)
    second.text(widths[0], noise, "sampling alone, at most", va="bottom", fontsize=7)
    second.set(xscale="log", yscale="log", ylim=(1e-4, 1), xlabel="inputs of the sum")
    second.set_xticks(widths, [str(width) for width in widths], fontsize=7)
    second.minorticks_off()
    second.set_title("Lemma 1.5: sum to normal, KS distance")
    second.legend(frameon=False, fontsize=7, loc="upper right")

    for index, name in enumerate(depth.FREQUENCIES):
        density = select(run, depth.SAMPLE_PART, frequency=name)[0]["density"]
        label = f"sin({'πX/2' if name == 'pi/2' else 'X'})"
        third.stairs(density, bins, color=COLOURS[index], label=label, linewidth=1.4)
    third.plot(y, arcsine_density(y), color="#444444", linewidth=0.9, label="arcsine density")
    third.set(title="Lemma 1.6: sine of a normal X", xlabel="Y", ylim=(0, 3))
    third.legend(frameon=False)
    return figure


def draw_depth(run: Run) -> Figure:
    """Layer by layer, from the second sine on: variance, distance, growth."""
    figure, panels = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained")
    layers = distinct(select(run, depth.PART), "layer")[1:]
    shown = {
        "variance": "variance of X; dotted: theory",
        "ks_arcsine": "KS distance of Y to arcsine",
        "growth": "growth of a small change in a layer",
    }
    for axes, (what, title) in zip(panels, shown.items(), strict=True):
        index = 0
        for state, note in (("start", "at the start"), ("fitted", "fitted")):
            for name in depth.FREQUENCIES:
                label = f"{'sin(πX/2)' if name == 'pi/2' else 'sin(X)'}, {note}"
                groups = [_layer_values(run, name, state, layer, what) for layer in layers]
                draw_range(axes, layers, groups, index, label)
                index += 1
        axes.set(title=title, xlabel="sine layer", xticks=layers[::2])
    for index, frequency in enumerate(depth.FREQUENCIES.values()):
        variance = fixed_point(frequency=frequency)
        growth = depth.expected_growth(variance, frequency)
        for axes, expected in ((panels[0], variance), (panels[2], growth)):
            axes.axhline(expected, color=COLOURS[index], linestyle=":")
    panels[2].axhline(1, color="#444444", linewidth=0.8)
    panels[0].legend(frameon=False, fontsize=8)
    return figure


def _layer_values(run: Run, frequency: str, state: str, layer: int, what: str) -> list[float]:
    return values(select(run, depth.PART, frequency=frequency, state=state, layer=layer), what)


def draw_histograms(run: Run) -> Figure:
    """Phases and activations of some layers, as the codec runs them."""
    chosen = [
        layer for layer in (2, 8, 16) if layer <= max(distinct(select(run, depth.PART), "layer"))
    ]
    figure, grid = plt.subplots(
        2, 2 * len(chosen), figsize=(2.1 * 2 * len(chosen), 4.2), layout="constrained"
    )
    x = np.linspace(-depth.PHASES_SHOWN, depth.PHASES_SHOWN, 300)
    y = np.linspace(-0.999, 0.999, 300)
    phase_bins = np.linspace(-depth.PHASES_SHOWN, depth.PHASES_SHOWN, depth.BINS + 1)
    bins = np.linspace(-1, 1, depth.BINS + 1)
    for row, (state, note) in enumerate((("start", "start"), ("fitted", "fitted"))):
        for column, layer in enumerate(chosen):
            point = select(run, depth.PART, frequency="1", state=state, layer=layer)[0]
            left, right = grid[row, 2 * column], grid[row, 2 * column + 1]
            left.stairs(point["phase_density"], phase_bins, fill=True, color="#c9d9e8")
            left.plot(x, normal_density(x, fixed_point()), color=COLOURS[1], linewidth=1)
            left.set(title=f"{note}, layer {layer}: X", ylim=(0, 0.6), yticks=[])
            right.stairs(point["activation_density"], bins, fill=True, color="#cfe5da")
            right.plot(y, arcsine_density(y), color=COLOURS[1], linewidth=1)
            right.set(title="Y = sin(X)", ylim=(0, 2.5), yticks=[])
    figure.suptitle("filled: measured; lines: N(0, 0.797) and arcsine", fontsize=9)
    return figure


def draw_bias(run: Run) -> Figure:
    """Biases by width: variance of phases, and quality."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.5, 3.6), layout="constrained")
    widths = distinct(select(run, bias.PART), "width")
    for index, name in enumerate(bias.STARTS):
        points = [select(run, bias.PART, bias=name, width=width) for width in widths]
        variances = [[point["variances"][-1] for point in group] for group in points]
        draw_range(left, widths, variances, index, name)
        draw_range(right, widths, [values(group, "psnr_db") for group in points], index, name)
    expected = [
        layer_variance(fixed_point(bias_variance=added), bias_variance=added)
        for added in (bias.added_variance("PyTorch", width) for width in widths)
    ]
    left.plot(widths, expected, ":", color=COLOURS[3], label="PyTorch, theory")
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_xticks(widths, [str(width) for width in widths])
        axes.minorticks_off()
        axes.set_xlabel("width")
    left.set(yscale="log", title="variance of the last sine layer's phases at the start")
    right.set(title="PSNR after the fit, dB")
    left.legend(frameon=False, fontsize=8, title="biases start")
    return figure
