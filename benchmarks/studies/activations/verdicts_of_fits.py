"""A finished study -> verdicts on fits: parametrisations, omega_0, alternatives."""

from collections.abc import Sequence
from statistics import fmean
from typing import Any

import numpy as np

from benchmarks.measuring.measure import Point
from benchmarks.studies.activations import folding, omega_0, rivals
from benchmarks.studies.activations.networks import KINDS
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
from benchmarks.studies.activations.tables_of_fits import omega_conditions, omega_means


def judge_folded(run: Run) -> Verdict:
    """Folding: whether biases matter more than weights."""

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


def judge_hidden(run: Run) -> Verdict:
    """Omega_0 of hidden layers: whether rescaled rates undo it."""
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
    return ("In hidden layers ω0 is a learning-rate factor", measured, yes(rest < SAME_DB))


def judge_omega(run: Run) -> Verdict:
    """Omega_0 of the first layer: whether the rule gains on 30."""
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


def judge_alternatives(run: Run) -> Verdict:
    """Activations: whether sine is first on every signal at equal time, or who is instead."""
    texts, lost = [], []
    for signal in distinct(select(run, rivals.PART), "signal"):
        groups = {
            kind: values(
                select(run, rivals.PART, signal=signal, kind=kind, equal="time"), "psnr_db"
            )
            for kind in KINDS
        }
        means = {kind: fmean(group) for kind, group in groups.items()}
        first = max(means, key=means.__getitem__)
        lost += [f"{first} leads on {signal}"] if first != "sine" else []
        texts.append(f"{signal}: {', '.join(f'{k} {spread(g)}' for k, g in groups.items())}")
    return (
        "Sine represents images better than ReLU, encoded ReLU and tanh",
        f"equal time, PSNR in dB. {'; '.join(texts)}",
        f"**not everywhere**: {', '.join(lost)}" if lost else "yes",
    )


def judge_rounded(run: Run) -> Verdict:
    """Rounding: whether sine loses most, and whether it is first all the same."""
    points = [p for p in select(run, rivals.WEIGHT_PART) if p["signal"] != rivals.PERIODIC]
    bits = min(distinct(points, "bits"))
    texts, losses, left = [], {}, {}
    for kind in KINDS:
        group = [p for p in points if (p["kind"], p["bits"]) == (kind, bits)]
        lost = [point["psnr_db"] - point["refitted_psnr_db"] for point in group]
        losses[kind], left[kind] = fmean(lost), fmean(values(group, "refitted_psnr_db"))
        texts.append(f"{kind} {spread(lost)}, which leaves {number(left[kind])}")
    pays = max(losses, key=losses.__getitem__) == "sine"
    first = max(left, key=left.__getitem__)
    return (
        "Sine pays for that when its weights are rounded",
        f"loss at {bits} bits a weight, fitted through, photographs, dB: {'; '.join(texts)}",
        f"{yes(pays)}; first at {bits} bits: {first}",
    )


def judge_derivatives(run: Run) -> Verdict:
    """Derivatives: whether sine follows the Laplacian best."""
    points = select(run, rivals.DERIVATIVE_PART)
    texts = [f"{p['kind']} {number(p['gradient'])} and {number(p['laplacian'])}" for p in points]
    best = max(points, key=lambda point: float(point["laplacian"]))
    return (
        "Only sine also represents the derivatives",
        f"correlation of gradient and Laplacian with the picture's: {'; '.join(texts)}",
        yes(best["kind"] == "sine", "best, and far from 1"),
    )
