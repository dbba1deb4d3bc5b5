"""Latent grids <-> range-coded symbols, under a context model in integers (FORMAT.md, section 8).

Grids are coded from the coarsest to the finest. Each is split into four *phases*, the samples at
even or odd rows and columns, coded one after the other; all samples of a phase are predicted at
once, from a 3 x 3 neighbourhood in the next two coarser grids and in each phase that came before.
So a decode is four small networks a grid, not a step for every sample.

Everything is exact: the network's weights are integers, its sums stay below 2^53 and are carried in
float64, where they have no rounding in any order of summation.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from sirencodec.bitstream.architecture import Architecture, grid_shape
from sirencodec.entropy.context_model import HIDDEN_BITS, NEIGHBOURS, PHASES, WEIGHT_BITS, Floats
from sirencodec.entropy.context_network import network_outputs
from sirencodec.entropy.range_coder import SymbolDecoder, SymbolEncoder
from sirencodec.entropy.residual_tables import (
    CENTRE_PARTS,
    LARGEST_RESIDUAL,
    NUM_SCALES,
    SCALE_PARTS,
    UNIT_SCALE,
    residual_table,
)

Levels = npt.NDArray[np.int32]
Latents = tuple[Levels, ...]  # a (height, width) grid for each of the architecture's, finest first

LARGEST_CENTRE: Final = 512  # so no latent is beyond 512 + 255
LARGEST_LATENT: Final = LARGEST_CENTRE + LARGEST_RESIDUAL

LARGEST_WEIGHT: Final = 1 << 26  # 1024
OUTPUT_BITS: Final = WEIGHT_BITS + HIDDEN_BITS
LARGEST_OUTPUT: Final = 1 << 40


ContextWeights = Sequence[Sequence[Floats]]
"""The networks of a file, one a phase: matrices of integers in units of 2^-16, first layer first.

The first is (features, inputs + 7): columns for the sources' neighbourhoods, then a bias for every
grid by its exponent. Others end in a column of biases; the last has two rows, centre and logarithm
of the scale to base 2.
"""

# Tables of a phase's samples and the residuals wanted there -> the residuals coded.
CodeResiduals = Callable[[npt.NDArray[np.int64], Levels], Levels]


def encode_latents(
    latents: Latents, architecture: Architecture, weights: ContextWeights, encoder: SymbolEncoder
) -> Latents:
    """Latents -> symbols given to the encoder.

    Returns:
        What a decoder will read: the latents, but for values further from their prediction than a
        table reaches, which are brought within it.
    """

    def encode(tables: npt.NDArray[np.int64], wanted: Levels) -> Levels:
        residuals = np.clip(wanted, -LARGEST_RESIDUAL, LARGEST_RESIDUAL)
        for index, members in _by_table(tables):
            encoder.encode(residuals[members] + LARGEST_RESIDUAL, residual_table(index))
        return residuals

    return _code_grids(latents, architecture, weights, encode)


def decode_latents(
    width: int,
    height: int,
    architecture: Architecture,
    weights: ContextWeights,
    decoder: SymbolDecoder,
) -> Latents:
    """Symbols from the decoder -> latents of an image of this size.

    Raises:
        CorruptError: if the stream holds an impossible symbol.
    """

    def decode(tables: npt.NDArray[np.int64], unknown: Levels) -> Levels:
        residuals = np.empty_like(unknown)
        for index, members in _by_table(tables):
            symbols = decoder.decode(len(members), residual_table(index))
            residuals[members] = symbols - LARGEST_RESIDUAL
        return residuals

    shapes = [grid_shape(width, height, exponent) for exponent in architecture.grids]
    unknown = tuple(np.zeros(shape, np.int32) for shape in shapes)
    return _code_grids(unknown, architecture, weights, decode)


def _by_table(
    tables: npt.NDArray[np.int64],
) -> Iterator[tuple[int, npt.NDArray[np.intp]]]:
    """Table of each sample -> the tables in rising order, each with its samples in theirs."""
    order = np.argsort(tables, kind="stable")
    indices, starts = np.unique(tables[order], return_index=True)
    yield from zip(indices.tolist(), np.split(order, starts[1:]), strict=True)


def _code_grids(
    latents: Latents, architecture: Architecture, weights: ContextWeights, code: CodeResiduals
) -> Latents:
    """Latents wanted -> latents coded, grid by grid from the coarsest, phase by phase."""
    coded: dict[int, Levels] = {}
    for index in range(len(latents) - 1, -1, -1):
        exponent, wanted = architecture.grids[index], latents[index]
        lattice = grid_shape(wanted.shape[1], wanted.shape[0], 1)
        grid = np.zeros_like(wanted)
        sources = [_parent(coded.get(exponent + 1), lattice)]
        sources.append(_grandparent(coded.get(exponent + 2), lattice))
        for phase, (top, left) in enumerate(PHASES):
            target = wanted[top::2, left::2]
            if target.size:
                centres, tables = _predict(sources, target.shape, weights[phase], exponent)
                residuals = code(tables, target.ravel() - centres)
                grid[top::2, left::2] = (centres + residuals).reshape(target.shape)
            sources.append(_bordered(grid[top::2, left::2], lattice))
        coded[exponent] = grid
    return tuple(coded[exponent] for exponent in architecture.grids)


def _bordered(samples: Levels, lattice: tuple[int, int]) -> Floats:
    """Samples -> the same on the lattice, zeros where it has more and in a border of one."""
    result = np.zeros((lattice[0] + 2, lattice[1] + 2))
    result[1 : 1 + samples.shape[0], 1 : 1 + samples.shape[1]] = samples
    return result


def _parent(coarser: Levels | None, lattice: tuple[int, int]) -> Floats:
    """Next coarser grid -> source: it has one sample a lattice point."""
    return _bordered(np.zeros((0, 0), np.int32) if coarser is None else coarser, lattice)


def _grandparent(coarser: Levels | None, lattice: tuple[int, int]) -> Floats:
    """Grid after the next -> source: each of its samples stands at 2 x 2 lattice points."""
    if coarser is None:
        return _parent(None, lattice)
    repeated = coarser.repeat(2, axis=0).repeat(2, axis=1)
    return _bordered(repeated[: lattice[0], : lattice[1]], lattice)


def _predict(
    sources: Sequence[Floats],
    shape: tuple[int, int],
    layers: Sequence[Floats],
    exponent: int,
) -> tuple[Levels, npt.NDArray[np.int64]]:
    """Sources of a phase -> whole centre and table index of each of its samples, rows first."""
    inputs = NEIGHBOURS * len(sources)
    first = np.hstack([layers[0][:, :inputs], layers[0][:, inputs + exponent, None]])
    outputs = network_outputs(sources, shape, [first, *layers[1:]])
    centre, log_scale = np.clip(outputs, -LARGEST_OUTPUT, LARGEST_OUTPUT)
    scale = np.floor(log_scale * SCALE_PARTS * 2.0**-OUTPUT_BITS + 0.5).astype(np.int64)
    scale = np.clip(scale + UNIT_SCALE, 0, NUM_SCALES - 1)
    part = np.floor(centre * CENTRE_PARTS * 2.0**-OUTPUT_BITS + 0.5).astype(np.int64)
    part = np.clip(part, -CENTRE_PARTS * LARGEST_CENTRE, CENTRE_PARTS * LARGEST_CENTRE)
    whole = (part + CENTRE_PARTS // 2) // CENTRE_PARTS
    fraction = part - CENTRE_PARTS * whole + CENTRE_PARTS // 2
    return whole.astype(np.int32), scale * CENTRE_PARTS + fraction
