"""What is known around places -> predictions of a phase's samples (FORMAT.md, section 8).

Weights are integers and sums stay below 2^53, so double precision carries them without rounding, in
any order of summation: by NumPy, or by compiled loops that are ten times as fast.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sirencodec.bitstream.tiling import Window
from sirencodec.entropy.context_model import (
    HIDDEN_BITS,
    INPUT_BITS,
    LARGEST_HIDDEN,
    NEIGHBOURS,
    WEIGHT_BITS,
    Floats,
)
from sirencodec.entropy.residual_tables import CENTRE_PARTS, NUM_SCALES, SCALE_PARTS, UNIT_SCALE
from sirencodec.native.arrays import address, describe_layers
from sirencodec.native.entropy import LatentSource, PhaseTask, phase_predictors
from sirencodec.native.threads import share

POINTS_AT_ONCE: Final = 1 << 11  # places that NumPy keeps in cache
PLACES_AT_ONCE: Final = 1 << 12  # that a thread predicts before it takes more: 0.3 ms

LARGEST_CENTRE: Final = 512  # so no latent is beyond 512 + 255
LARGEST_OUTPUT: Final = 1 << 40
OUTPUT_BITS: Final = WEIGHT_BITS + HIDDEN_BITS

Levels = npt.NDArray[np.int32]
Indices = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Samples that predictions see.

    Attributes:
        samples: a grid, or a phase of one: sample (i >> shift, j >> shift) is that of place (i, j).
        known: the places that have one; all others have 0.
        shift: 1 for the grid after the next, each of whose samples stands at 2 x 2 places.
    """

    samples: Levels
    known: Window
    shift: int = 0


NOTHING: Final = Source(np.zeros((1, 1), np.int32), Window(0, 0, 0, 0))


@dataclass(frozen=True, slots=True, eq=False)
class PhaseNetwork:
    """The network of a phase, for one grid.

    Attributes:
        layers: matrices of whole numbers; the last column of each is its biases, in units of the
            products of weights and inputs.
        scales: of each layer but the last, from its products to activations.
    """

    layers: tuple[Floats, ...]
    scales: Floats

    @classmethod
    def of_grid(cls, matrices: Sequence[Floats], num_sources: int, exponent: int) -> "PhaseNetwork":
        """The matrices of ``entropy.latents.ContextWeights`` -> what they are to one grid."""
        inputs = NEIGHBOURS * num_sources
        first = np.hstack([matrices[0][:, :inputs], matrices[0][:, inputs + exponent, None]])
        bits = [INPUT_BITS] + [HIDDEN_BITS] * (len(matrices) - 1)
        layers = tuple(
            np.ascontiguousarray(np.hstack([layer[:, :-1], layer[:, -1:] * (1 << bit)]))
            for layer, bit in zip([first, *matrices[1:]], bits, strict=True)
        )
        scales = [2.0 ** (HIDDEN_BITS - WEIGHT_BITS - INPUT_BITS)]
        scales += [2.0**-WEIGHT_BITS] * (len(layers) - 1)
        return cls(layers, np.array(scales[: len(layers)]))


def predict(
    sources: Sequence[Source], wanted: Window, network: PhaseNetwork, threads: int = 1
) -> tuple[Indices, Indices]:
    """Sources and network -> predictions at the places wanted, on so many threads.

    Returns:
        (rows, columns) whole centres, and (rows, columns) indices of residuals' tables.
    """
    found = phase_predictors()
    if found:
        return compiled_predictions(found[0], sources, wanted, network, threads)
    return plain_predictions(sources, wanted, network)


def compiled_predictions(
    compiled: "ctypes._NamedFuncPointer",
    sources: Sequence[Source],
    wanted: Window,
    network: PhaseNetwork,
    threads: int = 1,
) -> tuple[Indices, Indices]:
    """As ``predict``, by a compiled loop.

    Raises:
        MemoryError: if there is no room for a row of activations.
    """
    wholes, tables = np.empty(wanted.shape, np.int16), np.empty(wanted.shape, np.int16)
    described = (LatentSource * len(sources))(*map(_describe, sources))
    layers = describe_layers(network.layers)

    def predict_rows(rows: range) -> None:
        task = PhaseTask(
            sources=ctypes.addressof(described),
            num_sources=len(sources),
            top=wanted.top + rows.start,
            bottom=wanted.top + rows.stop,
            left=wanted.left,
            right=wanted.right,
            layers=ctypes.addressof(layers),
            depth=len(layers),
            scales=address(network.scales),
            largest=LARGEST_HIDDEN,
            wholes=address(wholes[rows.start :]),
            tables=address(tables[rows.start :]),
        )
        if compiled(ctypes.byref(task)):
            raise MemoryError("no room for a prediction")

    count, columns = wanted.shape
    rows_at_once = max(1, PLACES_AT_ONCE // columns)
    pieces = [range(top, min(top + rows_at_once, count)) for top in range(0, count, rows_at_once)]
    share(predict_rows, pieces, min(len(pieces), threads))
    return wholes, tables


def _describe(source: Source) -> LatentSource:
    samples, known = source.samples, source.known
    row, step = (stride // samples.itemsize for stride in samples.strides)
    return LatentSource(
        address(samples), row, step, source.shift, known.top, known.bottom, known.left, known.right
    )


def plain_predictions(
    sources: Sequence[Source], wanted: Window, network: PhaseNetwork
) -> tuple[Indices, Indices]:
    """As ``predict``, by NumPy, some rows at a time."""
    wholes, tables = np.empty(wanted.shape, np.int16), np.empty(wanted.shape, np.int16)
    columns = wanted.right - wanted.left
    rows_at_once = max(1, POINTS_AT_ONCE // columns)
    for top in range(wanted.top, wanted.bottom, rows_at_once):
        bottom = min(top + rows_at_once, wanted.bottom)
        strip = Window(top, bottom, wanted.left, wanted.right)
        centre, log_scale = network_outputs(sources, strip, network)
        rows = slice(top - wanted.top, bottom - wanted.top)
        wholes[rows], tables[rows] = _choose_tables(centre, log_scale)
    return wholes, tables


def network_outputs(sources: Sequence[Source], wanted: Window, network: PhaseNetwork) -> Floats:
    """Sources and network -> (outputs, rows, columns) whole numbers in units of 2^-28."""
    rows, columns = wanted.shape
    stack = np.stack([_read_places(source, wanted.grown(1)) for source in sources])
    windows = np.lib.stride_tricks.sliding_window_view(stack, (3, 3), axis=(1, 2))
    active = windows.transpose(0, 3, 4, 1, 2).reshape(NEIGHBOURS * len(sources), rows * columns)
    for layer, scale in zip(network.layers[:-1], network.scales, strict=False):
        phase = layer[:, :-1] @ active
        phase += layer[:, -1:]
        phase *= scale
        np.floor(phase, out=phase)
        active = np.clip(phase, 0, LARGEST_HIDDEN, out=phase)
    last = network.layers[-1]
    outputs: Floats = last[:, :-1] @ active + last[:, -1:]
    return outputs.reshape(-1, rows, columns)


def _read_places(source: Source, wanted: Window) -> Floats:
    """Source -> its values at the places wanted, zeros where it has none."""
    plane = np.zeros(wanted.shape)
    inside = wanted.common(source.known)
    if min(inside.shape):
        rows = np.arange(inside.top, inside.bottom) >> source.shift
        columns = np.arange(inside.left, inside.right) >> source.shift
        plane[
            inside.top - wanted.top : inside.bottom - wanted.top,
            inside.left - wanted.left : inside.right - wanted.left,
        ] = source.samples[np.ix_(rows, columns)]
    return plane


def _choose_tables(centre: Floats, log_scale: Floats) -> tuple[Floats, Floats]:
    """Outputs of the network -> whole centres and table indices."""
    centre, log_scale = (
        np.clip(output, -LARGEST_OUTPUT, LARGEST_OUTPUT) for output in (centre, log_scale)
    )
    scale = np.floor(log_scale * SCALE_PARTS * 2.0**-OUTPUT_BITS + 0.5)
    scale = np.clip(scale + UNIT_SCALE, 0, NUM_SCALES - 1)
    part = np.floor(centre * CENTRE_PARTS * 2.0**-OUTPUT_BITS + 0.5)
    part = np.clip(part, -CENTRE_PARTS * LARGEST_CENTRE, CENTRE_PARTS * LARGEST_CENTRE)
    whole = np.floor((part + CENTRE_PARTS // 2) / CENTRE_PARTS)
    return whole, scale * CENTRE_PARTS + part - CENTRE_PARTS * whole + CENTRE_PARTS // 2
