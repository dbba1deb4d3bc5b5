"""Parts of an inspection -> panels of its picture, an axes each."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from sirencodec.inspection.distributions import sine_distribution
from sirencodec.inspection.histogram import Histogram
from sirencodec.inspection.report import Inspection, Layer
from sirencodec.synthesis.coordinates import Float64Array
from sirencodec.theory import fixed_point

if TYPE_CHECKING:  # an extra; ``plot`` says so to those who lack it
    from matplotlib.axes import Axes

MEASURED, THEORY, EXACT = "#8ab6d6", "#c1440e", "#333333"
SMALL: Final = 7.5  # points


def _caption(axes: "Axes", title: str, caption: str) -> None:
    """Title in bold, and a line under it that says what is to be seen."""
    heading = axes.set_title(f"{title}\n", fontsize=9, fontweight="bold", loc="left", pad=3)
    line = axes.text(0, 1.02, caption, transform=axes.transAxes, fontsize=SMALL, color="#444444")
    for text in (
        heading,
        line,
    ):  # may reach over the gap beside a panel; it makes no panel narrower
        text.set_in_layout(False)
    axes.tick_params(labelsize=SMALL)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def plot_deviations(axes: "Axes", sines: Sequence[Layer]) -> None:
    """Standard deviation of the phases through depth."""
    depth = np.arange(1, len(sines) + 1)
    measured = [layer.pre_activations.standard_deviation for layer in sines]
    predicted = [_predicted(layer.pre_activations) for layer in sines]
    axes.plot(depth, predicted, "o--", color=THEORY, markerfacecolor="none", label="theory at init")
    axes.plot(depth, measured, "o-", color="#2f6f9f", label="measured")
    limit = math.sqrt(fixed_point())
    label = "fixed point, without bias"
    axes.axhline(limit, color=EXACT, linewidth=0.8, linestyle=":", label=label)
    axes.set_yscale("log")
    drawn = [value for value in (limit, *measured, *predicted) if value > 0]
    axes.set_ylim(0.7 * min(drawn), 3 * max(drawn))  # room for the legend
    _plain_logarithms(axes)
    _label(axes, "sine layer", "standard deviation, radians")
    _integers(axes, depth)
    axes.legend(fontsize=SMALL, frameon=False, loc="upper right")
    _caption(
        axes, "Spread of the phases through depth", f"theory tends to the fixed point, {limit:.3f}"
    )


def plot_distances(axes: "Axes", sines: Sequence[Layer]) -> None:
    """KS distances through depth."""
    depth = np.arange(1, len(sines) + 1)
    series = (
        ("phases to normal", "o-", "#2f6f9f", [_distance(x.pre_activations) for x in sines]),
        ("phases, shape alone", "o:", "#2f6f9f", [x.shape_ks_distance for x in sines]),
        ("activations to arcsine", "s-", "#3a7d44", [_distance(x.activations) for x in sines]),
    )
    for label, style, colour, values in series:
        numbers = [math.nan if value is None else value for value in values]
        axes.plot(depth, numbers, style, color=colour, label=label, markersize=4)
    axes.set_ylim(0, 1.5 * axes.get_ylim()[1])
    _label(axes, "sine layer", "KS distance")
    _integers(axes, depth)
    axes.legend(fontsize=SMALL, frameon=False)
    _caption(axes, "Distance to theory through depth", "0: the distributions agree")


def plot_frequencies(axes: "Axes", inspection: Inspection) -> None:
    """A dot for each unit of the first layer, at its frequencies."""
    waves, info = inspection.frequencies, inspection.info
    lowest = 0.01 / max(info.width, info.height)
    highest = max(1.0, 2 * waves.largest)
    x, y = (np.clip(np.abs(each), lowest * 1.15, None) for each in (waves.x, waves.y))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(lowest, highest)
    axes.set_ylim(lowest, highest)
    axes.axvspan(waves.nyquist, highest, color="#f4d9cf", linewidth=0)
    axes.axhspan(waves.nyquist, highest, color="#f4d9cf", linewidth=0)
    axes.axvline(waves.nyquist, color=THEORY, linewidth=1)
    axes.axhline(waves.nyquist, color=THEORY, linewidth=1, label="Nyquist, 0.5")
    axes.axvline(1 / info.width, color=EXACT, linewidth=0.8, linestyle=":")
    label = "one cycle across the image"
    axes.axhline(1 / info.height, color=EXACT, linewidth=0.8, linestyle=":", label=label)
    axes.scatter(x, y, s=14, color="#2f6f9f", alpha=0.7, linewidths=0)
    _label(axes, "cycles a pixel along x", "cycles a pixel along y")
    axes.legend(fontsize=SMALL, loc="best", framealpha=0.9, edgecolor="none")
    if waves.largest:
        beyond = f"{waves.beyond_nyquist} of {len(waves.x)} units beyond Nyquist"
        caption = f"largest {waves.largest:.3g} cycles a pixel; {beyond}"
    else:
        caption = "the coordinates have no effect yet"
    _caption(axes, "Frequencies of the first layer", caption)


def plot_bits(axes: "Axes", inspection: Inspection, shown: Sequence[int]) -> None:
    """A bar for each part of the payload."""
    parts = list(_bit_parts(inspection, shown))
    names = [name for name, _ in parts]
    values = [bits / 8 for _, bits in parts]
    bars = axes.barh(names, values, color=MEASURED)
    axes.bar_label(bars, [f" {value:,.0f}" for value in values], fontsize=SMALL - 1)
    axes.invert_yaxis()
    axes.margins(x=0.18)
    _label(axes, "bytes", "")
    total = inspection.bits.payload // 8
    _caption(axes, "How the file's bits are spent", f"{total:,} bytes of payload")
    axes.tick_params(axis="y", labelsize=SMALL - (1 if len(parts) > 12 else 0))


def _bit_parts(inspection: Inspection, shown: Sequence[int]) -> Iterator[tuple[str, float]]:
    """Inspection -> name and bits of each part, layers that are not drawn as one."""
    bits, sines = inspection.bits, inspection.layers[:-1]
    hidden = math.fsum(layer.bits for i, layer in enumerate(sines) if i not in shown)
    for index in shown:
        yield f"layer {index + 1}", sines[index].bits
    if hidden:
        yield "layers between", hidden
    yield "last layer", inspection.layers[-1].bits
    if inspection.info.grids:
        yield "kernels", bits.kernels
        yield "context", bits.context
        yield "refinement", bits.refinement
    for stride, grid_bits in zip(inspection.info.grids, bits.grids, strict=True):
        yield f"grid 1/{stride}", grid_bits


def plot_phases(axes: "Axes", layer: Layer, index: int, has_legend: bool) -> None:
    """Pre-activations of a sine layer beside theory's normal."""
    histogram = layer.pre_activations
    _bars(axes, histogram)
    _theory(axes, histogram, "theory: normal")
    _label(axes, "phase, radians", "density")
    if has_legend:
        axes.set_ylim(0, 1.35 * axes.get_ylim()[1])
        axes.legend(fontsize=SMALL, frameon=False, loc="upper left")
    shape = "" if layer.shape_ks_distance is None else f", shape {layer.shape_ks_distance:.3f}"
    _caption(
        axes, f"Layer {index + 1}: phases ({layer.inputs} inputs)", _numbers(histogram) + shape
    )


def plot_activations(axes: "Axes", layer: Layer, index: int, has_legend: bool) -> None:
    """Sines of a layer beside arcsine and the sine of theory's normal."""
    histogram = layer.activations
    if histogram is None:
        return
    _bars(axes, histogram)
    _theory(axes, histogram, "theory: arcsine")
    edges = np.array(histogram.edges)
    exact = sine_distribution(edges, _predicted(layer.pre_activations) ** 2)
    density = np.diff(exact) / np.diff(edges)
    label = "sine of theory's normal"
    _line(axes, density, edges, label, color=EXACT, linewidth=0.8, linestyle=":")
    inner = sorted(density)[-3]  # the outermost bins would squeeze all others
    axes.set_ylim(0, 1.5 * max(inner, sorted(histogram.density)[-3]))
    _label(axes, "activation", "")
    if has_legend:
        axes.legend(fontsize=SMALL, frameon=False, loc="upper center")
    _caption(axes, f"Layer {index + 1}: their sines", _numbers(histogram))


def plot_values(axes: "Axes", layer: Layer) -> None:
    """Outputs of the last layer, the only ones that theory is silent on."""
    _bars(axes, layer.pre_activations)
    _label(axes, "value, 0 black, 1 white", "density")
    deviation = layer.pre_activations.standard_deviation
    caption = f"mean {layer.pre_activations.mean:z.2f}, sd {deviation:.2f}; theory says nothing"
    _caption(axes, "Last layer: the image's values", caption)


def _bars(axes: "Axes", histogram: Histogram) -> None:
    axes.stairs(histogram.density, histogram.edges, fill=True, color=MEASURED, label="measured")


def _theory(axes: "Axes", histogram: Histogram, label: str) -> None:
    if histogram.prediction is not None:
        density = np.array(histogram.prediction.density)
        _line(axes, density, np.array(histogram.edges), label, color=THEORY, linewidth=1.4)


def _line(
    axes: "Axes", density: Float64Array, edges: Float64Array, label: str, **style: Any
) -> None:
    """A curve through the middles of the bins."""
    axes.plot((edges[1:] + edges[:-1]) / 2, density, label=label, **style)


def _numbers(histogram: Histogram) -> str:
    return (
        f"sd {histogram.standard_deviation:.3f} (theory {_predicted(histogram):.3f}), "
        f"KS {_distance(histogram):.3f}"
    )


def _predicted(histogram: Histogram) -> float:
    """Standard deviation predicted; not a number if none is."""
    return math.nan if histogram.prediction is None else histogram.prediction.standard_deviation


def _distance(histogram: Histogram | None) -> float:
    """KS distance to the prediction; not a number if there is none."""
    if histogram is None or histogram.prediction is None:
        return math.nan
    return histogram.prediction.ks_distance


def _label(axes: "Axes", x: str, y: str) -> None:
    axes.set_xlabel(x, fontsize=SMALL)
    axes.set_ylabel(y, fontsize=SMALL)


def _integers(axes: "Axes", depth: npt.NDArray[np.int64]) -> None:
    """Ticks at whole layers, not too many."""
    axes.set_xticks(depth[:: math.ceil(len(depth) / 12)])
    axes.set_xlim(0.7, len(depth) + 0.3)


def _plain_logarithms(axes: "Axes") -> None:
    """Logarithmic y axis with plain numbers for ticks."""
    axes.yaxis.set_major_formatter(lambda value, _position: f"{value:g}")
    axes.yaxis.set_minor_formatter(lambda value, _position: f"{value:g}")
    axes.tick_params(axis="y", which="both", labelsize=SMALL)
