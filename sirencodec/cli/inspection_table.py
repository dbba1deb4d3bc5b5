"""Inspection -> tables for a terminal."""

from rich import box
from rich.console import Console
from rich.table import Table

from sirencodec.inspection.histogram import Histogram
from sirencodec.inspection.report import Inspection, Layer


def print_inspection(name: str, inspection: Inspection) -> None:
    """Name of the file, on one line, and what was found in it -> stdout."""
    console = Console(highlight=False, markup=False, soft_wrap=True)
    info = inspection.info
    network = "a freshly initialised network" if inspection.at_init else "the fitted network"
    points = f"{inspection.points_across} x {inspection.points_down}"
    console.print(f"{name}: {network}, over {points} of {info.width} x {info.height} pixels")
    console.print(_layer_table(inspection.layers), soft_wrap=False)
    console.print("sd: standard deviation; KS: Kolmogorov-Smirnov distance from theory, normal for")
    console.print(
        "phases (before the sine), arcsine for activations (after it); shape: KS distance"
    )
    console.print("of the phases from the normal of their own mean and deviation.")
    console.print()
    console.print(f"First layer: {_describe_frequencies(inspection)}")
    console.print(_bit_table(inspection), soft_wrap=False)


def _layer_table(layers: tuple[Layer, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for heading in ("layer", "in", "out", "phase sd", "theory", "KS", "shape", "sine sd"):
        table.add_column(heading, justify="right")
    for heading in ("theory", "KS", "bits"):
        table.add_column(heading, justify="right")
    for number, layer in enumerate(layers, 1):
        table.add_row(
            str(number) if layer.kind == "sine" else "last",
            str(layer.inputs),
            str(layer.outputs),
            *_numbers(layer.pre_activations),
            _number(layer.shape_ks_distance),
            *(("", "", "") if layer.activations is None else _numbers(layer.activations)),
            f"{layer.bits:,.0f}",
        )
    return table


def _numbers(histogram: Histogram) -> tuple[str, str, str]:
    """Histogram -> its deviation, the one predicted, and the distance between."""
    prediction = histogram.prediction
    if prediction is None:
        return _number(histogram.standard_deviation), "", ""
    return (
        _number(histogram.standard_deviation),
        _number(prediction.standard_deviation),
        _number(prediction.ks_distance),
    )


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if value < 100 else f"{value:.0f}"


def _describe_frequencies(inspection: Inspection) -> str:
    waves = inspection.frequencies
    x, y = (max(map(abs, each)) for each in (waves.x, waves.y))
    return (
        f"up to {x:.3g} cycles a pixel along x and {y:.3g} along y;\n"
        f"{waves.beyond_nyquist} of {len(waves.x)} units beyond Nyquist, {waves.nyquist}"
    )


def _bit_table(inspection: Inspection) -> Table:
    bits = inspection.bits
    rows = [("network", bits.layers)]
    if inspection.info.grids:
        rows += [("upsampling kernels", bits.kernels), ("context model", bits.context)]
        rows += [("refinement", bits.refinement)]
    grids = zip(inspection.info.grids, bits.grids, strict=True)
    rows += [(f"grid 1/{stride}", grid_bits) for stride, grid_bits in grids]
    rows += [("ends of streams", bits.rest), ("payload", bits.payload)]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("spent on")
    table.add_column("bits", justify="right")
    table.add_column("share", justify="right")
    for label, count in rows:
        table.add_row(label, f"{count:,.0f}", f"{count / bits.payload:.1%}")
    return table
