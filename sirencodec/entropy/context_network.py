"""Sources of a phase -> outputs of its context network, in exact integers (FORMAT.md, section 8).

Weights are integers and sums stay below 2^53, so double precision carries them without rounding, in
any order of summation: by NumPy, or by a compiled loop that is several times as fast and, unlike
a matrix product on several threads, does not suffer from what else the machine is doing.
"""

import ctypes
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from sirencodec.entropy.context_model import (
    HIDDEN_BITS,
    INPUT_BITS,
    LARGEST_HIDDEN,
    NEIGHBOURS,
    WEIGHT_BITS,
    Floats,
)
from sirencodec.native.library import predictors
from sirencodec.native.tasks import STRIP, Layer, PredictionTask

POINTS_AT_ONCE: Final = 1 << 11  # lattice points that NumPy keeps in cache


def network_outputs(
    sources: Sequence[Floats], shape: tuple[int, int], layers: Sequence[Floats]
) -> Floats:
    """Sources and network -> its outputs at every point of the lattice.

    Args:
        sources: (rows + 2, columns + 2) planes of whole numbers, with a border.
        shape: (rows, columns) of the points wanted, from the first.
        layers: matrices of whole numbers in units of 2^-16, the last column of each its biases.

    Returns:
        (outputs, rows * columns) whole numbers in units of 2^-28.
    """
    scales = [2.0 ** (HIDDEN_BITS - WEIGHT_BITS - INPUT_BITS)]
    scales += [2.0**-WEIGHT_BITS] * (len(layers) - 2)
    input_bits = [INPUT_BITS] + [HIDDEN_BITS] * (len(layers) - 1)
    in_products = [
        np.ascontiguousarray(np.hstack([layer[:, :-1], layer[:, -1:] * (1 << bits)]))
        for layer, bits in zip(layers, input_bits, strict=True)
    ]
    compiled = predictors()
    if compiled:
        return compiled_outputs(compiled[0], sources, shape, in_products, scales)
    return plain_outputs(sources, shape, in_products, scales)


def compiled_outputs(
    predict: Callable[[object], int],
    sources: Sequence[Floats],
    shape: tuple[int, int],
    layers: Sequence[Floats],
    scales: Sequence[float],
) -> Floats:
    """Sources and network -> its outputs, by compiled loops.

    Args:
        predict: the compiled function.
        sources: as ``network_outputs`` has them.
        shape: (rows, columns) of the points wanted.
        layers: matrices with biases in units of the products of weights and inputs.
        scales: of each layer but the last, from units of its products to those of an activation.

    Raises:
        MemoryError: if there is no room for a row of activations.
    """
    (rows, columns), (down, across) = shape, sources[0].shape
    stack = np.zeros(len(sources) * down * across + STRIP)
    planes = stack[:-STRIP].reshape(len(sources), down, across)
    for plane, source in zip(planes, sources, strict=True):
        plane[:] = source
    outputs = np.empty((len(layers[-1]), rows * columns))
    factors = np.array([*scales, 1.0])
    described = (Layer * len(layers))(
        *(Layer(layer.ctypes.data, None, len(layer), layer.shape[1] - 1) for layer in layers)
    )
    task = PredictionTask(
        sources=stack.ctypes.data,
        plane=down * across,
        row=across,
        num_sources=len(sources),
        rows=rows,
        columns=columns,
        layers=ctypes.addressof(described),
        depth=len(layers),
        scales=factors.ctypes.data,
        largest=LARGEST_HIDDEN,
        outputs=outputs.ctypes.data,
    )
    if predict(ctypes.byref(task)):
        raise MemoryError("no room for a prediction")
    return outputs


def plain_outputs(
    sources: Sequence[Floats],
    shape: tuple[int, int],
    layers: Sequence[Floats],
    scales: Sequence[float],
) -> Floats:
    """Sources and network -> its outputs, by NumPy, some rows at a time.

    Arguments as for ``compiled_outputs``.
    """
    stack = np.stack(sources)
    inputs = NEIGHBOURS * len(sources)
    rows, columns = shape
    rows_at_once = max(1, POINTS_AT_ONCE // columns)
    parts = []
    for top in range(0, rows, rows_at_once):
        count = min(rows_at_once, rows - top)
        strip = stack[:, top : top + count + 2, : columns + 2]
        windows = np.lib.stride_tricks.sliding_window_view(strip, (3, 3), axis=(1, 2))
        active = windows.transpose(0, 3, 4, 1, 2).reshape(inputs, count * columns)
        for layer, scale in zip(layers[:-1], scales, strict=True):
            phase = layer[:, :-1] @ active
            phase += layer[:, -1:]
            phase *= scale
            np.floor(phase, out=phase)
            active = np.clip(phase, 0, LARGEST_HIDDEN, out=phase)
        parts.append(layers[-1][:, :-1] @ active + layers[-1][:, -1:])
    return np.hstack(parts)
