"""A finished study -> tables of fits: parametrisations, omega_0, alternatives."""

from collections.abc import Sequence
from statistics import fmean

from benchmarks.measuring.measure import Point
from benchmarks.reporting.tables import markdown
from benchmarks.studies.activations import folding, omega_0, rivals
from benchmarks.studies.activations.networks import KINDS
from benchmarks.studies.activations.summary import Run, distinct, number, select, spread_of, values


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
            row.append(spread_of(points, "psnr_db"))
        rows.append(row)
    rates = [f"{name}, {rate:g}" for name, rate in folding.REFERENCE_RATES.items()]
    return markdown(["PSNR in dB; ω0 is", *rates], rows)


def hidden_omega_table(run: Run) -> str:
    """Omega_0 of the hidden layers."""
    omegas = distinct(select(run, folding.HIDDEN_PART), "omega_0")
    rows = [
        [label, *(spread_of(_hidden(run, omega, rescaled), "psnr_db") for omega in omegas)]
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
        for kind in KINDS:
            points = select(run, rivals.PART, signal=signal, kind=kind)
            groups = {
                key: [p for p in points if (p["equal"], p["optimizer"]) == key]
                for key in (("parameters", "SOAP"), ("parameters", "Adam"), ("time", "SOAP"))
            }
            soap, adam, time = groups.values()
            shape = f"{soap[0]['parameters']:,} ({soap[0]['width']} wide)"
            row = [kind, shape, f"{soap[0]['learning_rate']:g}", spread_of(soap, "psnr_db")]
            row += [f"{adam[0]['learning_rate']:g}", spread_of(adam, "psnr_db")]
            rows.append([*row, str(time[0]["steps"]), spread_of(time, "psnr_db")])
        header = [signal, "weights", "SOAP, rate", "PSNR, dB", "Adam, rate", "PSNR, dB"]
        blocks.append(markdown([*header, "updates in equal time, SOAP", "PSNR, dB"], rows))
    return "\n\n".join(blocks)


def rounding_table(run: Run) -> str:
    """What is left at a few bits a weight."""
    points = select(run, rivals.WEIGHT_PART)
    bits = distinct(points, "bits")
    rows = []
    for signal in distinct(points, "signal"):
        for kind in KINDS:
            groups = [
                select(run, rivals.WEIGHT_PART, signal=signal, kind=kind, bits=count)
                for count in bits
            ]
            row = [f"{signal}, {kind}", number(fmean(values(groups[0], "psnr_db")))]
            for group in groups:
                row.append(number(fmean(values(group, "rounded_psnr_db"))))
                row.append(spread_of(group, "refitted_psnr_db"))
                row.append(number(fmean(values(group, "coded_bits_per_weight"))))
            rows.append(row)
    header = ["PSNR in dB", "unrounded"]
    for count in bits:
        header += [f"{count} bits: at once", "fitted through", "coded bits"]
    return markdown(header, rows)


def derivatives_table(run: Run) -> str:
    """How derivatives of the networks follow the picture's differences."""
    rows = [
        [point["kind"], *(number(point[name]) for name in ("value", "gradient", "laplacian"))]
        for kind in KINDS
        for point in select(run, rivals.DERIVATIVE_PART, kind=kind)
    ]
    return markdown(["Correlation with the picture's", "value", "gradient", "Laplacian"], rows)
