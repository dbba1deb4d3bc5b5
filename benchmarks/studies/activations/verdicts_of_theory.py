"""A finished study -> verdicts on distributions: the lemmas, depth, biases."""

from statistics import fmean

import numpy as np

from benchmarks.studies.activations import arcsine, bias, central_limit, depth
from benchmarks.studies.activations.summary import (
    SAME_DB,
    Run,
    Verdict,
    distinct,
    number,
    select,
    spread,
    values,
    yes,
)
from sirencodec.theory import fixed_point


def judge_uniform(run: Run) -> Verdict:
    """Lemma 1.1: holds if a test at 1 % passes for every seed."""
    points = select(run, arcsine.PART)
    distances, limit = values(points, "ks"), points[0]["ks_significant"]
    measured = f"KS distance {spread(distances, 4)}; a test at 1 % allows {limit:.4f}; "
    measured += f"variance {spread(values(points, 'variance'), 4)}"
    return (
        "**Lemma 1.1.** X uniform on (−1, 1): sin(πX/2) is arcsine-distributed",
        measured,
        yes(max(distances) < limit),
    )


def judge_redrawn(run: Run) -> Verdict:
    """Lemma 1.5, weights drawn with the inputs: holds if sampling explains the distance."""
    points = select(run, central_limit.PART, weights="redrawn")
    widths = distinct(points, "width")
    distances, limit = values(points, "ks"), points[0]["ks_significant"]
    measured = f"weights and inputs drawn together: KS distance to N(0, 1) {spread(distances, 4)} "
    measured += f"from {widths[0]} to {widths[-1]} inputs, where sampling alone allows {limit:.4f}"
    return (
        "**Lemma 1.5.** A sum of n arcsine inputs under U(±√(6/n)) tends to N(0, 1)",
        measured,
        yes(fmean(distances) < limit, "from 8 inputs on"),
    )


def judge_fixed(run: Run) -> Verdict:
    """Lemma 1.5, weights drawn once: holds if the distance falls as a power of the width."""
    points = select(run, central_limit.PART, weights="fixed")
    widths = distinct(points, "width")
    means = [fmean(values([p for p in points if p["width"] == w], "ks")) for w in widths]
    power = float(np.polyfit(np.log(widths), np.log(means), 1)[0])
    first, last = (
        values([p for p in points if p["width"] == width], "ks")
        for width in (widths[0], widths[-1])
    )
    measured = f"weights drawn once, as in a network: KS distance {spread(first, 3)} with "
    measured += f"{widths[0]} inputs, {spread(last, 4)} with {widths[-1]}: about n^{number(power)}"
    return (
        "The same for one neuron, whose weights are fixed",
        measured,
        yes(power < -0.25, "slowly: its own variance is not 1"),
    )


def judge_sine(run: Run) -> Verdict:
    """Lemma 1.6: holds if no distance is above 0.01."""
    exact, plain = (select(run, depth.SAMPLE_PART, frequency=name) for name in ("pi/2", "1"))
    distances = values(exact, "ks_arcsine"), values(plain, "ks_arcsine")
    measured = f"sin(πX/2): variance {spread(values(exact, 'variance'), 3)}, "
    measured += f"KS distance {spread(distances[0], 3)}; sin(X), as the code runs: "
    measured += f"{spread(values(plain, 'variance'), 3)} and {spread(distances[1], 3)}"
    return (
        "**Lemma 1.6.** X ~ N(0, 1): sin(πX/2) is arcsine, variance ½",
        measured,
        yes(max(distances[0]) < 0.01, "with π/2; roughly without"),
    )


def judge_start(run: Run) -> Verdict:
    """Theorem 1.8 at the start: holds if the last layer is where theory says."""
    texts, holds = [], []
    for name, label in (("pi/2", "with π/2"), ("1", "without")):
        last = max(distinct(select(run, depth.PART), "layer"))
        points = select(run, depth.PART, frequency=name, state="start", layer=last)
        variances = values(points, "variance")
        expected = fixed_point(frequency=depth.FREQUENCIES[name])
        texts.append(f"{label} {spread(variances)}, theory {number(expected)}")
        holds.append(abs(fmean(variances) - expected) < 0.05)
    return (
        "**Theorem 1.8.** The distributions are the same in every layer, at the start",
        f"variance of X in layer {last}: {'; '.join(texts)}",
        yes(all(holds), "without π/2 the variance is 0.80, not 1"),
    )


def judge_after(run: Run) -> Verdict:
    """Theorem 1.8 after a fit: moved if a variance is a quarter above the fixed point."""
    last = max(distinct(select(run, depth.PART), "layer"))
    points = select(run, depth.PART, frequency="1", state="fitted")
    deep = [point for point in points if point["layer"] > 1]
    measured = (
        f"without π/2, layers 2 to {last}: variance of X {spread(values(deep, 'variance'))}, "
    )
    measured += f"KS distance of Y to arcsine {spread(values(deep, 'ks_arcsine'), 3)}"
    moved = max(values(deep, "variance")) > 1.25 * fixed_point()
    return ("… and after a fit", measured, "it moves, but stays near" if moved else "yes")


def judge_trainable(run: Run) -> Verdict:
    """Depth: whether the network of equal distributions fits nearly as well."""
    texts, qualities = [], {}
    for name, label in (("pi/2", "with π/2"), ("1", "without")):
        start = select(run, depth.PART, frequency=name, state="start")
        growths = values([point for point in start if point["layer"] > 2], "growth")
        fitted = select(run, depth.PART, frequency=name, state="fitted", layer=1)
        qualities[name] = values(fitted, "psnr_db")
        texts.append(f"{label} × {spread(growths)} a layer, {spread(qualities[name])} dB")
    holds = min(qualities["pi/2"]) > max(qualities["1"]) - 1
    return (
        "Equal distributions are what makes depth trainable",
        f"a small change grows {'; '.join(texts)}",
        "yes" if holds else "**no**: growth decides, and the lemmas' own π/2 makes chaos",
    )


def judge_biases(run: Run) -> Verdict:
    """Biases: whether PyTorch's cost quality at any width."""
    texts, differences = [], []
    widths = distinct(select(run, bias.PART), "width")
    for width in widths:
        ours, torchs = (
            select(run, bias.PART, width=width, bias=name) for name in ("here", "PyTorch")
        )
        qualities = values(ours, "psnr_db"), values(torchs, "psnr_db")
        differences.append(fmean(qualities[1]) - fmean(qualities[0]))
        if width in (widths[0], widths[-1]):
            variances = spread([point["variances"][-1] for point in torchs])
            texts.append(
                f"{width} wide: variance {variances}, {spread(qualities[1])} dB "
                f"against {spread(qualities[0])} with ours"
            )
    worse = min(differences) < -SAME_DB
    return (
        "PyTorch's default bias ruins the distributions and with them the fit",
        "; ".join(texts),
        "yes" if worse else "distributions **yes**, fit **no**",
    )
