"""Latent grids <-> range-coded symbols, under a context model in integers (FORMAT.md, section 8).

Grids are coded from the coarsest to the finest, fine ones tile by tile. A tile is split into four
*phases*, the samples at even or odd rows and columns, coded one after the other; all samples of a
phase are predicted at once, from a 3 x 3 neighbourhood in the next two coarser grids and in each
phase that came before. So a decode is four small networks a tile, not a step for every sample. A
tile sees coarser grids beyond its walls, but nothing of its own grid.

Everything is exact: see ``prediction``.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from sirencodec.bitstream.architecture import grid_shape
from sirencodec.bitstream.tiling import Window
from sirencodec.entropy.context_model import COARSER_SOURCES, PHASES, Floats
from sirencodec.entropy.prediction import (
    LARGEST_CENTRE,
    NOTHING,
    Indices,
    Levels,
    PhaseNetwork,
    Source,
    predict,
)
from sirencodec.entropy.range_coder import SymbolDecoder, SymbolEncoder
from sirencodec.entropy.range_decoder_native import NativeDecoder
from sirencodec.entropy.residual_tables import LARGEST_RESIDUAL, residual_table

Latents = tuple[Levels, ...]  # a (height, width) grid for each of the architecture's, finest first

LARGEST_LATENT: Final = LARGEST_CENTRE + LARGEST_RESIDUAL
LARGEST_WEIGHT: Final = 1 << 26  # 1024

Networks = Mapping[int, Sequence[PhaseNetwork]]  # by exponent and phase

ContextWeights = Sequence[Sequence[Floats]]
"""The networks of a file, one a phase: matrices of integers in units of 2^-16, first layer first.

The first is (features, inputs + 7): columns for the sources' neighbourhoods, then a bias for every
grid by its exponent. Others end in a column of biases; the last has two rows, centre and logarithm
of the scale to base 2.
"""


class ResidualCoder(Protocol):
    """Either direction of coding the samples of a phase."""

    def code_residuals(self, wholes: Indices, tables: Indices, samples: Levels) -> None:
        """Predictions and a view of as many samples -> symbols, or the other way round.

        Args:
            wholes: (rows, columns) nearest whole centres.
            tables: (rows, columns) indices of tables.
            samples: (rows, columns) of the grid; left as a decoder has them.
        """


class ResidualEncoder:
    """Samples -> symbols given to an encoder."""

    def __init__(self, encoder: SymbolEncoder) -> None:
        """Append to what the encoder has."""
        self._encoder = encoder

    def code_residuals(self, wholes: Indices, tables: Indices, samples: Levels) -> None:
        """Encode. Residuals beyond a table's reach are brought within it."""
        centres = wholes.ravel().astype(np.int32)
        residuals = np.clip(samples.ravel() - centres, -LARGEST_RESIDUAL, LARGEST_RESIDUAL)
        for index, members in _by_table(tables.ravel()):
            self._encoder.encode(residuals[members] + LARGEST_RESIDUAL, residual_table(index))
        samples[:] = (centres + residuals).reshape(samples.shape)


class ResidualDecoder:
    """Symbols from a decoder -> samples, where nothing was compiled or symbols are watched."""

    def __init__(self, decoder: SymbolDecoder) -> None:
        """Go on where the decoder is."""
        self._decoder = decoder

    def code_residuals(self, wholes: Indices, tables: Indices, samples: Levels) -> None:
        """Decode. Residuals behind the end of a stream that may end are 0."""
        residuals = np.zeros(tables.size, np.int32)
        for index, members in _by_table(tables.ravel()):
            symbols = self._decoder.decode(len(members), residual_table(index))
            residuals[members[: len(symbols)]] = symbols - LARGEST_RESIDUAL
        samples[:] = wholes + residuals.reshape(samples.shape)


def code_part(
    grids: Mapping[int, Levels],
    part: Iterable[tuple[int, Window]],
    networks: Networks,
    coder: ResidualCoder,
    threads: int = 1,
) -> None:
    """Code the latents of a segment, from coarse to fine, in either direction.

    Args:
        grids: by exponent; what is coarser has been coded. Samples of the part are those wanted, or
            become those decoded.
        part: windows of grids.
        networks: the context model.
        coder: of the residuals. An encoder leaves what a decoder will read: values further from
            their prediction than a table reaches are brought within it.
        threads: for predictions.
    """
    for exponent, window in part:
        code_window(grids, exponent, window, networks[exponent], coder, threads)


def phase_networks(weights: ContextWeights, exponents: Sequence[int]) -> Networks:
    """Context model -> what it is to each grid."""
    return {
        exponent: [
            PhaseNetwork.of_grid(matrices, COARSER_SOURCES + phase, exponent)
            for phase, matrices in enumerate(weights)
        ]
        for exponent in exponents
    }


def residual_decoder(decoder: SymbolDecoder | NativeDecoder) -> ResidualCoder:
    """Decoder of symbols -> the one of samples on top of it."""
    return decoder if isinstance(decoder, NativeDecoder) else ResidualDecoder(decoder)


def _by_table(tables: Indices) -> Iterator[tuple[int, npt.NDArray[np.intp]]]:
    """Table of each sample -> the tables in rising order, each with its samples in theirs."""
    order = np.argsort(tables, kind="stable")
    indices, starts = np.unique(tables[order], return_index=True)
    yield from zip(indices.tolist(), np.split(order, starts[1:]), strict=True)


def code_window(
    grids: Mapping[int, Levels],
    exponent: int,
    window: Window,
    networks: Sequence[PhaseNetwork],
    coder: ResidualCoder,
    threads: int = 1,
) -> None:
    """Code a window of a grid, phase by phase.

    Args:
        grids: by exponent; what is coarser has been coded. The window's samples are those wanted,
            or become those decoded.
        exponent: of the grid to code.
        window: of the grid's samples, from even rows and columns on.
        networks: of the grid's phases.
        coder: of the residuals.
        threads: for predictions.
    """
    grid = grids[exponent]
    lattice = Window.whole(grid_shape(grid.shape[1], grid.shape[0], 1))
    sources = [NOTHING, NOTHING]
    for shift in range(2):
        coarser = grids.get(exponent + 1 + shift)
        if coarser is not None:
            sources[shift] = Source(coarser, lattice, shift)
    for phase, (top, left) in enumerate(PHASES):
        wanted = window.places(top, left)
        samples = grid[top::2, left::2]
        if min(wanted.shape):
            wholes, tables = predict(sources, wanted, networks[phase], threads)
            part = samples[wanted.top : wanted.bottom, wanted.left : wanted.right]
            coder.code_residuals(wholes, tables, part)
        sources.append(Source(samples, wanted) if min(wanted.shape) else NOTHING)
