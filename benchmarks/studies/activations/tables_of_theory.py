"""A finished study -> tables of distributions: the lemmas, depth, biases."""

from benchmarks.reporting.tables import markdown
from benchmarks.studies.activations import arcsine, bias, central_limit, depth
from benchmarks.studies.activations.summary import Run, distinct, number, select, spread, spread_of
from sirencodec.theory import fixed_point, layer_variance

LAYERS_SHOWN = (1, 2, 3, 4, 6, 8, 12, 16)


def arcsine_table(run: Run) -> str:
    """Lemma 1.1."""
    points = select(run, arcsine.PART)
    samples, limit = points[0]["samples"], points[0]["ks_significant"]
    rows = [
        [
            f"KS distance, {samples:,} samples",
            f"below {limit:.4f}",
            spread_of(points, "ks", 4),
        ],
        ["variance", "1/2", spread_of(points, "variance", 4)],
        ["fourth moment", "3/8", spread_of(points, "fourth_moment", 4)],
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
                spread_of(redrawn, "ks", 4),
                f"{redrawn[0]['ks_expected']:.5f}",
                spread_of(fixed, "ks", 3),
                spread_of(fixed, "ks_own_variance", 4),
                spread_of(fixed, "variance", 2),
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
                spread_of(points, "variance", 4),
                spread_of(points, "ks_arcsine", 4),
                spread_of(points, "ks_exact", 4),
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
                row += [spread_of(points, "variance", 2), spread_of(points, "ks_arcsine", 3)]
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
                spread_of(deep, "variance", 3),
                number(expected),
                spread_of(deep, "growth"),
                f"{expected ** (last - 1):,.0f}",
                spread_of(fitted, "psnr_db"),
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
        qualities.append([name, *(spread_of(group, "psnr_db") for group in points)])
    wide = [f"{width} wide" for width in widths]
    return "\n\n".join(
        [
            markdown(["Variance of the last sine's phases", *wide], distributions),
            markdown(["PSNR in dB", *wide], qualities),
        ]
    )
