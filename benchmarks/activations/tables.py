"""A finished study -> the tables of `docs/why-sine.md`, a part each."""

from collections.abc import Callable, Sequence
from statistics import fmean

from benchmarks.activations import arcsine, bias, central_limit, depth, folding, omega_0, rivals
from benchmarks.activations.summary import (
    Run,
    distinct,
    number,
    select,
    spread,
    values,
)
from benchmarks.measure import Point
from benchmarks.tables import markdown
from sirencodec.activations import fixed_point, layer_variance

LAYERS_SHOWN = (1, 2, 3, 4, 6, 8, 12, 16)


def arcsine_table(run: Run) -> str:
    """Lemma 1.1."""
    points = select(run, arcsine.PART)
    samples, limit = points[0]["samples"], points[0]["ks_significant"]
    rows = [
        [
            f"KS distance, {samples:,} samples",
            f"below {limit:.4f}",
            _of(points, "ks", 4),
        ],
        ["variance", "1/2", _of(points, "variance", 4)],
        ["fourth moment", "3/8", _of(points, "fourth_moment", 4)],
    ]
    return markdown(["X uniform, Y = sin(πX/2)", "expected", "measured"], rows)


def central_limit_table(run: Run) -> str:
    """Lemma 1.5."""
    rows = []
    for width in distinct(select(run, central_limit.PART), "width"):
        redrawn = select(run, central_limit.PART, width=width, weights="redrawn")
        fixed = select(run, central_limit.PART, width=width, weights="fixed")
        rows.append(
            [
                str(width),
                _of(redrawn, "ks", 4),
                f"{redrawn[0]['ks_expected']:.5f}",
                _of(fixed, "ks", 3),
                _of(fixed, "ks_own_variance", 4),
                _of(fixed, "variance", 2),
            ]
        )
    header = ["Inputs", "weights redrawn: to N(0, 1)", "theory", "weights fixed: to N(0, 1)"]
    return markdown([*header, "to a normal of its own variance", "that variance"], rows)


def sine_of_normal_table(run: Run) -> str:
    """Lemma 1.6, one sine alone."""
    rows = []
    for name, frequency in depth.FREQUENCIES.items():
        points = select(run, depth.SAMPLE_PART, frequency=name)
        rows.append(
            [
                f"sin({'πX/2' if name == 'pi/2' else 'X'})",
                number(layer_variance(1.0, 1.0, frequency), 4),
                _of(points, "variance", 4),
                _of(points, "ks_arcsine", 4),
                _of(points, "ks_exact", 4),
            ]
        )
    header = ["X normal, Y =", "variance in theory", "measured", "KS distance to arcsine"]
    return markdown([*header, "to the exact distribution"], rows)


def depth_table(run: Run) -> str:
    """Theorem 1.8: layer by layer."""
    rows = []
    for layer in distinct(select(run, depth.PART), "layer"):
        if layer not in LAYERS_SHOWN:
            continue
        row = [str(layer)]
        for frequency in depth.FREQUENCIES:
            for state in ("start", "fitted"):
                points = select(run, depth.PART, frequency=frequency, state=state, layer=layer)
                row += [_of(points, "variance", 2), _of(points, "ks_arcsine", 3)]
        rows.append(row)
    header = ["Sine layer"]
    for factor in ("π/2", "1"):
        for state in ("start", "fitted"):
            header += [f"{factor}, {state}: variance of X", "KS of Y to arcsine"]
    return markdown(header, rows)


def growth_table(run: Run) -> str:
    """What a layer does to a small change, and what that means for a fit."""
    rows = []
    for name, frequency in depth.FREQUENCIES.items():
        deep = [
            point
            for point in select(run, depth.PART, frequency=name, state="start")
            if point["layer"] > 2
        ]
        fitted = select(run, depth.PART, frequency=name, state="fitted", layer=1)
        variance = fixed_point(frequency=frequency)
        expected = depth.expected_growth(variance, frequency)
        last = max(distinct(deep, "layer"))
        rows.append(
            [
                name.replace("pi", "π"),
                number(variance, 3),
                _of(deep, "variance", 3),
                number(expected),
                _of(deep, "growth"),
                f"{expected ** (last - 1):,.0f}",
                _of(fitted, "psnr_db"),
            ]
        )
    header = ["Factor in the sine", "fixed point of the variance", "layers 3 on", "growth a layer"]
    header += ["measured", f"through {last} layers", "PSNR after the fit, dB"]
    return markdown(header, rows)


def bias_tables(run: Run) -> str:
    """Biases: what they do to the second sine layer, and to the fit."""
    widths = distinct(select(run, bias.PART), "width")
    distributions, qualities = [], []
    for name in bias.STARTS:
        points = [select(run, bias.PART, bias=name, width=width) for width in widths]
        variances = [[point["variances"][-1] for point in group] for group in points]
        distributions.append([name, *(spread(group) for group in variances)])
        qualities.append([name, *(_of(group, "psnr_db") for group in points)])
    wide = [f"{width} wide" for width in widths]
    return "\n\n".join(
        [
            markdown(["Variance of the last sine's phases", *wide], distributions),
            markdown(["PSNR in dB", *wide], qualities),
        ]
    )


def folding_table(run: Run) -> str:
    """Omega_0 inside or folded."""
    optimizers = list(folding.REFERENCE_RATES)
    names = {case.name.split(", ", 1)[1]: case for case in folding.cases()}
    rows = []
    for name, case in names.items():
        row = [name.replace("both folded, ", "both folded, ")]
        for optimizer in optimizers:
            points = select(
                run,
                folding.PART,
                optimizer=optimizer,
                form=case.form,
                rescaled=case.rescaled,
                plain_biases=case.plain_biases,
            )
            row.append(_of(points, "psnr_db"))
        rows.append(row)
    rates = [f"{name}, {rate:g}" for name, rate in folding.REFERENCE_RATES.items()]
    return markdown(["PSNR in dB; ω0 is", *rates], rows)


def hidden_omega_table(run: Run) -> str:
    """Omega_0 of the hidden layers."""
    omegas = distinct(select(run, folding.HIDDEN_PART), "omega_0")
    rows = [
        [label, *(_of(_hidden(run, omega, rescaled), "psnr_db") for omega in omegas)]
        for label, rescaled in (("same learning rate", False), ("times 30 over ω0", True))
    ]
    return markdown(["Adam, PSNR in dB", *(f"ω0 = {omega:g}" for omega in omegas)], rows)


def _hidden(run: Run, omega: float, rescaled: bool) -> list[Point]:
    return select(run, folding.HIDDEN_PART, omega_0=omega, rescaled=rescaled)


def omega_table(run: Run) -> str:
    """Omega_0 of the first layer, by size, bandwidth and rate."""
    rows = []
    for condition in omega_conditions(run):
        means = omega_means(condition)
        best = max(means, key=lambda omega: means[omega])
        first = condition[0]
        planned = first["planned"]
        rows.append(
            [
                f"{first['side']} × {first['side']}, {first['bandwidth']:g} of Nyquist, "
                f"{first['bpp']:g} bpp",
                f"{first['parameters']:,}",
                str(best),
                number(means[best]),
                str(planned),
                number(means[planned]),
                number(means[omega_0.OLD_OMEGA_0]),
                f"{means[planned] - means[omega_0.OLD_OMEGA_0]:+.2f}".replace("-", "−"),
            ]
        )
    header = ["Picture", "weights", "best ω0", "PSNR", "the rule's", "PSNR", "PSNR at 30", "gain"]
    return markdown(header, rows)


def omega_conditions(run: Run) -> list[list[Point]]:
    """Run -> points by size, bandwidth and rate; pictures and seeds together."""
    names = ("side", "bandwidth", "bpp")
    points = select(run, omega_0.PART)
    keys = sorted({tuple(point[name] for name in names) for point in points})
    return [
        select(run, omega_0.PART, **dict(zip(names, key, strict=True)))
        for key in sorted(keys, key=lambda key: (-key[1], key))
    ]


def omega_means(points: Sequence[Point]) -> dict[int, float]:
    """Points of a condition -> mean PSNR by omega_0."""
    return {
        omega: fmean(values([point for point in points if point["omega_0"] == omega], "psnr_db"))
        for omega in distinct(points, "omega_0")
    }


def rivals_table(run: Run) -> str:
    """Alternatives at equal parameters and equal time."""
    blocks = []
    for signal in distinct(select(run, rivals.PART), "signal"):
        rows = []
        for kind in distinct(select(run, rivals.PART), "kind"):
            points = select(run, rivals.PART, signal=signal, kind=kind)
            groups = {
                key: [p for p in points if (p["equal"], p["optimizer"]) == key]
                for key in (("parameters", "SOAP"), ("parameters", "Adam"), ("time", "SOAP"))
            }
            soap, adam, time = groups.values()
            shape = f"{soap[0]['parameters']:,} ({soap[0]['width']} wide)"
            row = [kind, shape, f"{soap[0]['learning_rate']:g}", _of(soap, "psnr_db")]
            row += [f"{adam[0]['learning_rate']:g}", _of(adam, "psnr_db")]
            rows.append([*row, str(time[0]["steps"]), _of(time, "psnr_db")])
        header = [signal, "weights", "SOAP, rate", "PSNR, dB", "Adam, rate", "PSNR, dB"]
        blocks.append(markdown([*header, "updates in equal time, SOAP", "PSNR, dB"], rows))
    return "\n\n".join(blocks)


def rounding_table(run: Run) -> str:
    """What a few bits a weight cost."""
    points = select(run, rivals.WEIGHT_PART)
    bits = distinct(points, "bits")
    rows = []
    for signal in distinct(points, "signal"):
        for kind in distinct(points, "kind"):
            row = [f"{signal}, {kind}"]
            for count in bits:
                group = select(run, rivals.WEIGHT_PART, signal=signal, kind=kind, bits=count)
                losses = [p["psnr_db"] - p["rounded_psnr_db"] for p in group]
                rests = [p["psnr_db"] - p["refitted_psnr_db"] for p in group]
                coded = fmean(values(group, "coded_bits_per_weight"))
                row += [number(fmean(losses)), spread(rests), number(coded)]
            rows.append(row)
    header = ["Loss in dB"]
    for count in bits:
        header += [f"{count} bits: at once", "fitted through", "coded bits"]
    return markdown(header, rows)


def derivatives_table(run: Run) -> str:
    """How derivatives of the networks follow the picture's differences."""
    rows = [
        [point["kind"], *(number(point[name]) for name in ("value", "gradient", "laplacian"))]
        for point in select(run, rivals.DERIVATIVE_PART)
    ]
    return markdown(["Correlation with the picture's", "value", "gradient", "Laplacian"], rows)


def _of(points: Sequence[Point], name: str, digits: int = 2) -> str:
    return spread(values(points, name), digits)


TABLES: dict[str, Callable[[Run], str]] = {
    "arcsine": arcsine_table,
    "central-limit": central_limit_table,
    "sine-of-normal": sine_of_normal_table,
    "depth": depth_table,
    "growth": growth_table,
    "bias": bias_tables,
    "folding": folding_table,
    "hidden-omega": hidden_omega_table,
    "omega": omega_table,
    "rivals": rivals_table,
    "rounding": rounding_table,
    "derivatives": derivatives_table,
}
