"""`.siren` file -> what its network does at the image's pixels, beside what theory predicts.

The prediction is for the network a fit starts from: normal pre-activations whose variance follows
from the initial bounds layer by layer (``theory.layer_variance``), arcsine activations. What a
fitted network shows instead is what the fit has changed.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from sirencodec.bitstream.architecture import INPUTS, Architecture
from sirencodec.bitstream.header import Header
from sirencodec.bitstream.info import describe
from sirencodec.bitstream.work import decoding_work
from sirencodec.entropy.prior import context_shapes
from sirencodec.entropy.stored import open_stored
from sirencodec.inspection.bit_count import PayloadBits, count_bits
from sirencodec.inspection.histogram import (
    activation_histogram,
    phase_histogram,
    shape_distance,
    value_histogram,
)
from sirencodec.inspection.initial import initial_picture, predicted_variances
from sirencodec.inspection.report import Bits, Frequencies, Inspection, Layer
from sirencodec.limits import DEFAULT_LIMITS, Limits
from sirencodec.synthesis.coordinates import Float64Array, pixel_centres
from sirencodec.synthesis.picture import Matrix, Picture, to_picture
from sirencodec.synthesis.query_numpy import network_inputs
from sirencodec.theory import cycles_per_pixel

MOST_POINTS: Final = 1 << 16  # pixels asked; a histogram is no smoother for more
MOST_VALUES: Final = 1 << 22  # activations of a layer held at a time: 16 MiB
NYQUIST: Final = 0.5  # cycles a pixel

Points = npt.NDArray[np.float32]


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
    stored = open_stored(data, limits)
    header, architecture = stored.header, stored.header.architecture
    x, y = _axes(header)
    limits.check("max_pixels", header.width * header.height)
    work = decoding_work(architecture, len(x) * len(y), stored.check_latents(None))
    limits.check("max_multiply_adds", work)
    quantized, spent = count_bits(stored)
    picture = to_picture(quantized, header)
    if at_init:
        picture = initial_picture(picture, seed)
    return Inspection(
        info=describe(data, limits),
        at_init=at_init,
        points_across=len(x),
        points_down=len(y),
        layers=_inspect_layers(picture, _input_points(picture, x, y), header, spent),
        frequencies=_frequencies(picture.layers[0], header),
        bits=_group_bits(spent, 8 * stored.container.payload_bytes, architecture),
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


def _pixels_at(coordinates: Float64Array, size: int) -> npt.NDArray[np.int64]:
    """Coordinates of pixel centres -> the pixels."""
    return np.floor((coordinates + 1) * size / 2).astype(np.int64)


def _input_points(picture: Picture, x: Float64Array, y: Float64Array) -> Points:
    """Axes -> (inputs, n) points of their product, rows first, for the first layer."""
    rows, columns = _pixels_at(y, picture.height), _pixels_at(x, picture.width)
    inputs = network_inputs(picture, rows, columns, np.float32)
    return inputs.reshape(len(inputs), -1)


def _inspect_layers(
    picture: Picture, points: Points, header: Header, spent: PayloadBits
) -> tuple[Layer, ...]:
    """Picture and points -> its layers, one evaluated at a time."""
    result = []
    hidden = points
    input_power = np.square(hidden, dtype=np.float64).mean(1).tolist()
    predicted = predicted_variances(header, input_power)
    for index, matrix in enumerate(picture.layers):
        weights = matrix.astype(np.float32)
        phases = weights[:, :-1] @ hidden + weights[:, -1:]
        is_sine = index < len(predicted)
        hidden = np.sin(phases)
        result.append(
            Layer(
                kind="sine" if is_sine else "linear",
                inputs=matrix.shape[1] - 1,
                outputs=matrix.shape[0],
                pre_activations=(
                    phase_histogram(phases, predicted[index])
                    if is_sine
                    else value_histogram(phases)
                ),
                shape_ks_distance=shape_distance(phases),
                activations=activation_histogram(hidden) if is_sine else None,
                bits=spent.matrices[index],
            )
        )
    return tuple(result)


def _frequencies(first_layer: Matrix, header: Header) -> Frequencies:
    """First layer's matrix -> its units' waves."""
    weights = first_layer[:, :INPUTS].astype(np.float64)
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
