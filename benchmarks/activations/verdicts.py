"""A finished study -> one row a statement: claimed, measured, holds or not, command.

Whether a statement holds is decided here from the figures, by a bound that is written down, so that
a study that finds something else says something else.
"""

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

import numpy as np

from benchmarks.activations import arcsine, bias, central_limit, depth, folding, omega_0, rivals
from benchmarks.activations.summary import Run, distinct, number, select, spread, values
from benchmarks.activations.tables import omega_conditions, omega_means
from benchmarks.measure import Point
from benchmarks.tables import markdown
from sirencodec.activations import fixed_point

Verdict = tuple[str, str, str]
"""What is claimed, what was measured, and whether it holds."""

SAME_DB = 0.1  # differences of means below this are none


def verdict_table(run: Run) -> str:
    """Study -> the table of all statements."""
    command = "python -m benchmarks activations --parts"
    rows = [[*verdict(run), f"`{command} {part}`"] for part, verdict in VERDICTS]
    table = markdown(["Claimed", "Measured, mean (range over seeds)", "Holds?", "Command"], rows)
    return table.replace("| :-- | --: | --: | --: |", "| :-- | :-- | :-- | :-- |")


def _uniform(run: Run) -> Verdict:
    points = select(run, arcsine.PART)
    distances, limit = values(points, "ks"), points[0]["ks_significant"]
    measured = f"KS distance {spread(distances, 4)}; a test at 1 % allows {limit:.4f}; "
    measured += f"variance {spread(values(points, 'variance'), 4)}"
    return (
        "**Lemma 1.1.** X uniform on (−1, 1): sin(πX/2) is arcsine-distributed",
        measured,
        _yes(max(distances) < limit),
    )


def _redrawn(run: Run) -> Verdict:
    points = select(run, central_limit.PART, weights="redrawn")
    widths = distinct(points, "width")
    distances, limit = values(points, "ks"), points[0]["ks_significant"]
    measured = f"weights and inputs drawn together: KS distance to N(0, 1) {spread(distances, 4)} "
    measured += f"from {widths[0]} to {widths[-1]} inputs, where sampling alone allows {limit:.4f}"
    return (
        "**Lemma 1.5.** A sum of n arcsine inputs under U(±√(6/n)) tends to N(0, 1)",
        measured,
        _yes(fmean(distances) < limit, "from 8 inputs on"),
    )


def _fixed(run: Run) -> Verdict:
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
        _yes(power < -0.25, "slowly: its own variance is not 1"),
    )


def _sine(run: Run) -> Verdict:
    exact, plain = (select(run, depth.SAMPLE_PART, frequency=name) for name in ("pi/2", "1"))
    distances = values(exact, "ks_arcsine"), values(plain, "ks_arcsine")
    measured = f"sin(πX/2): variance {spread(values(exact, 'variance'), 3)}, "
    measured += f"KS distance {spread(distances[0], 3)}; sin(X), as the code runs: "
    measured += f"{spread(values(plain, 'variance'), 3)} and {spread(distances[1], 3)}"
    return (
        "**Lemma 1.6.** X ~ N(0, 1): sin(πX/2) is arcsine, variance ½",
        measured,
        _yes(max(distances[0]) < 0.01, "with π/2; roughly without"),
    )


def _start(run: Run) -> Verdict:
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
        _yes(all(holds), "without π/2 the variance is 0.80, not 1"),
    )


def _after(run: Run) -> Verdict:
    last = max(distinct(select(run, depth.PART), "layer"))
    points = select(run, depth.PART, frequency="1", state="fitted")
    deep = [point for point in points if point["layer"] > 1]
    measured = (
        f"without π/2, layers 2 to {last}: variance of X {spread(values(deep, 'variance'))}, "
    )
    measured += f"KS distance of Y to arcsine {spread(values(deep, 'ks_arcsine'), 3)}"
    moved = max(values(deep, "variance")) > 1.25 * fixed_point()
    return ("… and after a fit", measured, "it moves, but stays near" if moved else "yes")


def _trainable(run: Run) -> Verdict:
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


def _biases(run: Run) -> Verdict:
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


def _folded(run: Run) -> Verdict:
    def quality(optimizer: str, **wanted: Any) -> list[float]:
        facts = {"form": "both folded", "rescaled": False, "plain_biases": False} | wanted
        return values(select(run, folding.PART, optimizer=optimizer, **facts), "psnr_db")

    inside = quality("Adam", form="inside")
    same, alone = quality("Adam", rescaled=True), quality("Adam", form="biases folded")
    weights, plain = (
        quality("Adam", form="weights folded"),
        quality("Adam", rescaled=True, plain_biases=True),
    )
    measured = f"Adam, same start: inside {spread(inside)} dB; only biases folded {spread(alone)}; "
    measured += f"only weights {spread(weights)}; both, rates times 30, {spread(same)}; "
    measured += f"biases not amplified at the start {spread(plain)}"
    steps = fmean(inside) - fmean(weights)
    biases = max(fmean(inside) - fmean(alone), fmean(inside) - fmean(plain))
    is_bias = biases > steps
    return (
        "sin(ω0(Wx + b)) beats sin((ω0W)x + b) because b is amplified",
        measured,
        "yes" if is_bias else "**no**: it is the step of the weights, 30 times shorter",
    )


def _hidden(run: Run) -> Verdict:
    points = select(run, folding.HIDDEN_PART)
    omegas = distinct(points, "omega_0")

    def means(rescaled: bool) -> list[float]:
        return [
            fmean(values(select(run, folding.HIDDEN_PART, omega_0=w, rescaled=rescaled), "psnr_db"))
            for w in omegas
        ]

    as_is, rescaled = means(False), means(True)
    span, rest = max(as_is) - min(as_is), max(rescaled) - min(rescaled)
    measured = f"ω0 = {omegas[0]:g} to {omegas[-1]:g}, same start, Adam: PSNR differs by "
    measured += f"{number(span)} dB at one rate, by {number(rest)} dB once the rate is rescaled"
    return ("In hidden layers ω0 is a learning-rate factor", measured, _yes(rest < SAME_DB))


def _omega(run: Run) -> Verdict:
    conditions = omega_conditions(run)
    gains = [_gain(points) for points in conditions]
    sizes = [int(points[0]["parameters"]) for points in conditions]
    best = [max(means, key=means.__getitem__) for means in map(omega_means, conditions)]
    power = float(np.polyfit(np.log(sizes), np.log(best), 1)[0])
    measured = (
        f"{len(conditions)} sizes, bandwidths and rates: the best ω0 goes from {min(best)} to "
    )
    measured += f"{max(best)}, as weights^{number(power)}; the rule, weights^0.2, "
    measured += f"gains {spread(gains)} dB over 30"
    return (
        "ω0 = 30 for the first layer suits every picture",
        measured,
        "**no**: it has to fall with the size of the network" if fmean(gains) > SAME_DB else "yes",
    )


def _gain(points: Sequence[Point]) -> float:
    means = omega_means(points)
    return means[points[0]["planned"]] - means[omega_0.OLD_OMEGA_0]


def _alternatives(run: Run) -> Verdict:
    texts, leads = [], []
    for signal in distinct(select(run, rivals.PART), "signal"):
        groups = {
            kind: values(
                select(run, rivals.PART, signal=signal, kind=kind, equal="time"), "psnr_db"
            )
            for kind in distinct(select(run, rivals.PART), "kind")
        }
        leads.append(
            fmean(groups["sine"]) - max(fmean(g) for k, g in groups.items() if k != "sine")
        )
        texts.append(f"{signal}: {', '.join(f'{k} {spread(g)}' for k, g in groups.items())}")
    return (
        "Sine represents images better than ReLU, encoded ReLU and tanh",
        f"equal time, PSNR in dB. {'; '.join(texts)}",
        _yes(min(leads) > SAME_DB) if min(leads) > SAME_DB else "not everywhere",
    )


def _rounded(run: Run) -> Verdict:
    points = select(run, rivals.WEIGHT_PART)
    bits = min(distinct(points, "bits"))
    texts, sine, others = [], 0.0, []
    for kind in distinct(points, "kind"):
        group = select(run, rivals.WEIGHT_PART, kind=kind, bits=bits)
        group = [point for point in group if point["signal"] != rivals.PERIODIC]
        losses = [point["psnr_db"] - point["refitted_psnr_db"] for point in group]
        texts.append(f"{kind} {spread(losses)}")
        if kind == "sine":
            sine = fmean(losses)
        else:
            others.append(fmean(losses))
    return (
        "Sine pays for that when its weights are rounded",
        f"loss at {bits} bits a weight, fitted through, photographs, dB: {'; '.join(texts)}",
        "yes" if sine > max(others) + SAME_DB else "no more than others",
    )


def _derivatives(run: Run) -> Verdict:
    points = select(run, rivals.DERIVATIVE_PART)
    texts = [f"{p['kind']} {number(p['gradient'])} and {number(p['laplacian'])}" for p in points]
    best = max(points, key=lambda point: float(point["laplacian"]))
    return (
        "Only sine also represents the derivatives",
        f"correlation of gradient and Laplacian with the picture's: {'; '.join(texts)}",
        _yes(best["kind"] == "sine", "best, and far from 1"),
    )


def _yes(holds: bool, note: str = "") -> str:
    return ("yes" if holds else "**no**") + (f", {note}" if holds and note else "")


VERDICTS: tuple[tuple[str, Callable[[Run], Verdict]], ...] = (
    ("arcsine", _uniform),
    ("central-limit", _redrawn),
    ("central-limit", _fixed),
    ("depth", _sine),
    ("depth", _start),
    ("depth", _after),
    ("depth", _trainable),
    ("bias", _biases),
    ("folding", _folded),
    ("folding", _hidden),
    ("omega", _omega),
    ("rivals", _alternatives),
    ("rivals", _rounded),
    ("rivals", _derivatives),
)
