"""Latent grids <-> range-coded symbols, under a context model in integers (FORMAT.md, section 8).

Grids are coded from the coarsest to the finest. Each is split into four *phases*, the samples at
even or odd rows and columns, coded one after the other; all samples of a phase are predicted at
once, from a 3 x 3 neighbourhood in the next two coarser grids and in each phase that came before.
So a decode is four small networks a grid, not a step for every sample.

Everything is exact: see ``prediction``.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from sirencodec.bitstream.architecture import Architecture, grid_shape
from sirencodec.bitstream.tiling import Window
from sirencodec.entropy.context_model import PHASES, Floats
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
        """Decode."""
        residuals = np.empty(tables.size, np.int32)
        for index, members in _by_table(tables.ravel()):
            symbols = self._decoder.decode(len(members), residual_table(index))
            residuals[members] = symbols - LARGEST_RESIDUAL
        samples[:] = wholes + residuals.reshape(samples.shape)


def encode_latents(
    latents: Latents, architecture: Architecture, weights: ContextWeights, encoder: SymbolEncoder
) -> Latents:
    """Latents -> symbols given to the encoder.

    Returns:
        What a decoder will read: the latents, but for values further from their prediction than a
        table reaches, which are brought within it.
    """
    coded = tuple(np.array(grid, np.int32) for grid in latents)
    _code_grids(coded, architecture, weights, ResidualEncoder(encoder))
    return coded


def decode_latents(
    width: int,
    height: int,
    architecture: Architecture,
    weights: ContextWeights,
    decoder: SymbolDecoder | NativeDecoder,
    finest: int = 0,
) -> Latents:
    """Symbols from the decoder -> latents of an image of this size.

    Of grids with exponents below ``finest``, which come last, nothing is decoded: a zero stands for
    each of them.

    Raises:
        CorruptError: if the stream holds an impossible symbol.
    """
    shapes = [
        grid_shape(width, height, exponent) if exponent >= finest else (1, 1)
        for exponent in architecture.grids
    ]
    latents = tuple(np.zeros(shape, np.int32) for shape in shapes)
    _code_grids(latents, architecture, weights, residual_decoder(decoder), finest)
    return latents


def residual_decoder(decoder: SymbolDecoder | NativeDecoder) -> ResidualCoder:
    """Decoder of symbols -> the one of samples on top of it."""
    return decoder if isinstance(decoder, NativeDecoder) else ResidualDecoder(decoder)


def _by_table(tables: Indices) -> Iterator[tuple[int, npt.NDArray[np.intp]]]:
    """Table of each sample -> the tables in rising order, each with its samples in theirs."""
    order = np.argsort(tables, kind="stable")
    indices, starts = np.unique(tables[order], return_index=True)
    yield from zip(indices.tolist(), np.split(order, starts[1:]), strict=True)


def _code_grids(
    latents: Latents,
    architecture: Architecture,
    weights: ContextWeights,
    coder: ResidualCoder,
    finest: int = 0,
) -> None:
    """Code all of every grid, from the coarsest to ``finest``."""
    grids = dict(zip(architecture.grids, latents, strict=True))
    for exponent in [each for each in reversed(architecture.grids) if each >= finest]:
        code_window(grids, exponent, Window.whole(grids[exponent].shape), weights, coder)


def code_window(
    grids: Mapping[int, Levels],
    exponent: int,
    window: Window,
    weights: ContextWeights,
    coder: ResidualCoder,
) -> None:
    """Code a window of a grid, phase by phase.

    Args:
        grids: by exponent; what is coarser has been coded. The window's samples are those wanted,
            or become those decoded.
        exponent: of the grid to code.
        window: of the grid's samples, from even rows and columns on.
        weights: the context model.
        coder: of the residuals.
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
            network = PhaseNetwork.of_grid(weights[phase], len(sources), exponent)
            wholes, tables = predict(sources, wanted, network)
            part = samples[wanted.top : wanted.bottom, wanted.left : wanted.right]
            coder.code_residuals(wholes, tables, part)
        sources.append(Source(samples, wanted) if min(wanted.shape) else NOTHING)
