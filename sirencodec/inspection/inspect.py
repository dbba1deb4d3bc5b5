"""`.siren` file -> what its network does at the image's pixels, beside what theory predicts.

The prediction is for the network a fit starts from: normal pre-activations whose variance follows
from the initial bounds layer by layer (``activations.layer_variance``), arcsine activations. What a
fitted network shows instead is what the fit has changed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from sirencodec.bitstream.architecture import INPUTS, Architecture, decoding_work
from sirencodec.bitstream.container import Header, parse_container
from sirencodec.bitstream.info import Info, describe
from sirencodec.decoder import to_network
from sirencodec.entropy.payload import QuantizedPicture
from sirencodec.entropy.prior import context_shapes, prior_refinement
from sirencodec.fitting.start import (
    FEATURE_BIAS_BOUND,
    FIRST_BIAS_BOUND,
    HIDDEN_BIAS_SHARE,
    axis_scale,
    feature_bound,
    initial_layers,
    random_network,
)
from sirencodec.inspection.bit_count import PayloadBits, count_bits
from sirencodec.inspection.histogram import (
    Histogram,
    activation_histogram,
    phase_histogram,
    shape_distance,
    value_histogram,
)
from sirencodec.limits import DEFAULT_LIMITS, Limits
from sirencodec.synthesis.coordinates import Float64Array, grid_coordinates, pixel_centres
from sirencodec.synthesis.features import FeatureField
from sirencodec.synthesis.network import (
    augment,
)
from sirencodec.synthesis.query import Network
from sirencodec.theory import (
    cycles_per_pixel,
    first_layer_bound,
    hidden_bound,
    layer_variance,
    uniform_variance,
)

MOST_POINTS: Final = 1 << 16  # pixels asked; a histogram is no smoother for more
MOST_VALUES: Final = 1 << 22  # activations of a layer held at a time: 16 MiB
NYQUIST: Final = 0.5  # cycles a pixel


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of the network.

    Attributes:
        kind: "sine", or "linear" for the last one.
        inputs, outputs: sizes; the bias is no input.
        pre_activations: of all its units at all points; nothing is predicted of the last layer's,
            which are the image's values.
        shape_ks_distance: KS distance of the pre-activations to the normal of their own mean and
            standard deviation; None if they are all equal.
        activations: their sines; None for the last layer.
        bits: that the layer's matrix takes in the file.
    """

    kind: str
    inputs: int
    outputs: int
    pre_activations: Histogram
    shape_ks_distance: float | None
    activations: Histogram | None
    bits: float


@dataclass(frozen=True, slots=True)
class Frequencies:
    """Waves of the first layer's units, by their weights for the coordinates.

    Attributes:
        x, y: cycles a pixel along the axes, a number a unit; signs say which way a wave runs.
        largest: magnitude of the largest of them.
        nyquist: 1/2, beyond which pixel centres cannot tell a frequency from a lower one.
        beyond_nyquist: units with a frequency above that along an axis.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    largest: float
    nyquist: float
    beyond_nyquist: int


@dataclass(frozen=True, slots=True)
class Bits:
    """What the payload's bits are spent on; all but ``grids`` are sums, and all add up to it.

    Attributes:
        payload: all of them.
        layers: the network's matrices, each of which says its own.
        kernels: the upsampling kernels, 0 if there are none.
        context: what the context model differs by from the shipped one, 0 if there is none.
        refinement: likewise.
        grids: one a grid, finest first.
        rest: what the coder's last words hold besides.
    """

    payload: int
    layers: float
    kernels: float
    context: float
    refinement: float
    grids: tuple[float, ...]
    rest: float


@dataclass(frozen=True, slots=True)
class Inspection:
    """All that is found.

    Attributes:
        info: facts about the file.
        at_init: whether ``layers`` and ``frequencies`` are a freshly initialised network's.
        points_across, points_down: pixels asked, on a regular grid.
        layers: from the first.
        frequencies: of the first layer.
        bits: of the file, whatever the network.
    """

    info: Info
    at_init: bool
    points_across: int
    points_down: int
    layers: tuple[Layer, ...]
    frequencies: Frequencies
    bits: Bits


def inspect_bytes(
    data: bytes, *, at_init: bool = False, seed: int = 0, limits: Limits = DEFAULT_LIMITS
) -> Inspection:
    """`.siren` file -> statistics of its network over the image's pixels.

    Args:
        data: the whole file.
        at_init: look at a freshly initialised network of the same architecture instead, the latents
            being the file's.
        seed: of that network.
        limits: what this may consume, as for ``decode``.

    Raises:
        FormatError: if the bytes are not a valid file.
        LimitError: if it would exceed ``limits``.
    """
    container = parse_container(data, limits)
    header, architecture = container.header, container.header.architecture
    x, y = _axes(header)
    work = decoding_work(architecture, header.width, header.height, len(x) * len(y))
    limits.check("max_multiply_adds", work)
    picture, spent = count_bits(container.payload, architecture, header.width, header.height)
    if at_init:
        network = _initial_network(picture, header, seed)
    else:
        network = to_network(picture, header, torch.device("cpu"), exact=False)
    return Inspection(
        info=describe(data, limits),
        at_init=at_init,
        points_across=len(x),
        points_down=len(y),
        layers=_inspect_layers(network, _input_points(network, x, y), header, spent),
        frequencies=_frequencies(network.layers[0], header),
        bits=_group_bits(spent, 8 * len(container.payload), architecture),
    )


def _axes(header: Header) -> tuple[Float64Array, Float64Array]:
    """Header -> coordinates of the columns and lines to ask, of at most ``MOST_POINTS`` pixels.

    Every n-th, n being odd: an even one would see a single phase of the grids.
    """
    most = min(MOST_POINTS, MOST_VALUES // header.architecture.hidden_features)
    stride = 1
    while -(-header.width // stride) * -(-header.height // stride) > most:
        stride += 2
    x, y = (
        pixel_centres(0, side, side, side)[min(stride, side) // 2 :: stride]
        for side in (header.width, header.height)
    )
    return x, y


def _initial_network(picture: QuantizedPicture, header: Header, seed: int) -> Network:
    """The network a fit starts from, among the file's own latents."""
    architecture = header.architecture
    generator = torch.Generator().manual_seed(seed)
    if not architecture.grids:
        scale = axis_scale(header.width, header.height)
        return Network(initial_layers(architecture, scale, generator))
    layers, kernels = random_network(architecture, torch.zeros(architecture.channels), generator)
    grids = [torch.from_numpy(grid).float() for grid in picture.latents]
    field = FeatureField(
        grids,
        architecture.grids,
        kernels,
        [torch.tensor(m, dtype=torch.float32) for m in prior_refinement(architecture.prior)],
        header.width,
        header.height,
    )
    return Network(layers, field)


def _input_points(network: Network, x: Float64Array, y: Float64Array) -> Tensor:
    """Axes -> (inputs + 1, n) points of their product, rows first, for the first layer."""
    like, field = network.layers[0], network.field
    coordinates = torch.from_numpy(grid_coordinates(x, y)).to(like)
    if field is None:
        return augment(coordinates)
    features = like.new_empty(len(field.exponents), len(y), len(x))
    columns = list(field.cells((x + 1) * field.width / 2, field.width, axis=1))
    for lines in field.cells((y + 1) * field.height / 2, field.height, axis=0):
        for places in columns:
            part = field.rectangle(lines, places)
            features[:, lines.positions, places.positions] = part
    return augment(coordinates, features.flatten(1))


def _inspect_layers(
    network: Network, points: Tensor, header: Header, spent: PayloadBits
) -> tuple[Layer, ...]:
    """Network and points -> its layers, one evaluated at a time."""
    result = []
    hidden = points[:-1]
    input_power = hidden.double().square().mean(1).tolist()
    predicted = _predicted_variances(header, input_power)
    for index, matrix in enumerate(network.layers):
        phases = torch.addmm(matrix[:, -1:], matrix[:, :-1], hidden)
        is_sine = index < len(predicted)
        hidden = phases.sin()
        result.append(
            Layer(
                kind="sine" if is_sine else "linear",
                inputs=matrix.shape[1] - 1,
                outputs=matrix.shape[0],
                pre_activations=(
                    phase_histogram(phases.numpy(), predicted[index])
                    if is_sine
                    else value_histogram(phases.numpy())
                ),
                shape_ks_distance=shape_distance(phases.numpy()),
                activations=activation_histogram(hidden.numpy()) if is_sine else None,
                bits=spent.matrices[index],
            )
        )
    return tuple(result)


def _predicted_variances(header: Header, input_power: Sequence[float]) -> list[float]:
    """Header and mean square of each input -> variance of each sine layer's pre-activations.

    What ``initial_layers`` and ``random_network`` are made for.
    """
    architecture = header.architecture
    if architecture.grids:
        weight_variance = uniform_variance(feature_bound(len(architecture.grids)))
        first = weight_variance * sum(input_power[INPUTS:])
        first += uniform_variance(FEATURE_BIAS_BOUND)
    else:
        bound = architecture.omega_0 * first_layer_bound(INPUTS)
        scales = axis_scale(header.width, header.height)
        parts = zip(scales, input_power, strict=True)
        first = sum(uniform_variance(bound * scale) * power for scale, power in parts)
        first += uniform_variance(FIRST_BIAS_BOUND)
    variances = [first]
    width, bound = architecture.hidden_features, hidden_bound(architecture.hidden_features)
    for _ in range(architecture.hidden_layers):
        following = layer_variance(
            variances[-1],
            gain=width * uniform_variance(bound),
            bias_variance=uniform_variance(bound * HIDDEN_BIAS_SHARE),
        )
        variances.append(following)
    return variances


def _frequencies(first_layer: Tensor, header: Header) -> Frequencies:
    """First layer's matrix -> its units' waves."""
    weights = first_layer[:, :INPUTS].double().numpy()
    x = cycles_per_pixel(weights[:, 0], header.width)
    y = cycles_per_pixel(weights[:, 1], header.height)
    magnitudes = np.maximum(np.abs(x), np.abs(y))
    return Frequencies(
        x=tuple(x.tolist()),
        y=tuple(y.tolist()),
        largest=float(magnitudes.max()),
        nyquist=NYQUIST,
        beyond_nyquist=int((magnitudes > NYQUIST).sum()),
    )


def _group_bits(spent: PayloadBits, payload_bits: int, architecture: Architecture) -> Bits:
    """Bits of each matrix -> those of the groups they make."""
    layers = len(architecture.layer_shapes)
    kernels = layers + len(architecture.kernel_shapes)
    context = kernels + (len(context_shapes(architecture.prior)) if architecture.grids else 0)
    return Bits(
        payload=payload_bits,
        layers=math.fsum(spent.matrices[:layers]),
        kernels=math.fsum(spent.matrices[layers:kernels]),
        context=math.fsum(spent.matrices[kernels:context]),
        refinement=math.fsum(spent.matrices[context:]),
        grids=spent.grids,
        rest=spent.rest,
    )
