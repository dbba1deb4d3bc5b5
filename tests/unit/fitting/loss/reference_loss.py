"""The loss of a pyramid as its formulas say it, for autograd to differentiate.

This is the specification of both terms: values, error and bits are computed in one piece, with
nothing written out, nothing cut into tiles and nothing overwritten. Slow, in double precision.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad, unfold

from sirencodec.bitstream.format import LARGEST_EXPONENT
from sirencodec.entropy.context_model import PHASES
from sirencodec.synthesis.refinement import HALO, corrections
from sirencodec.synthesis.upsampling import MARGIN, upsampling_matrices

LARGEST_SIDE = 192  # of the pictures in the tests, rounded up to a multiple of 64


def picture_values(
    size: tuple[int, int],
    exponents: Sequence[int],
    layers: Sequence[Tensor],
    kernels: Tensor,
    grids: Sequence[Tensor],
    refinement: Sequence[Tensor],
) -> Tensor:
    """What a picture is made of -> (channels, height, width) values at its pixel centres.

    Args:
        size: (height, width).
        exponents: of the grids, rising.
        layers: augmented matrices.
        kernels: (octaves, 4).
        grids: (rows, columns) latents, finest first.
        refinement: its two matrices, or none.
    """
    matrices = upsampling_matrices(kernels, LARGEST_SIDE)
    features = torch.stack(
        [
            _upsampled(grid, exponent, size, matrices)
            for exponent, grid in zip(exponents, grids, strict=True)
        ]
    )
    if refinement:
        around = pad(features, (HALO,) * 4, mode="replicate")
        added = corrections(around, exponents, refinement)
        features = torch.cat([features[: len(added)] + added, features[len(added) :]])
    y, x = (torch.arange(0.5, side, dtype=torch.float64) * 2 / side - 1 for side in size)
    coordinates = torch.stack([x.expand(size), y[:, None].expand(size)])
    hidden = torch.cat([coordinates, features]).flatten(1)
    for number, layer in enumerate(layers):
        hidden = layer[:, :-1] @ (hidden.sin() if number else hidden) + layer[:, -1:]
    return hidden.view(-1, *size)


def _upsampled(
    grid: Tensor, exponent: int, size: tuple[int, int], matrices: Sequence[Tensor]
) -> Tensor:
    """Grid, its outermost samples repeated -> feature at every pixel."""
    if exponent:
        for axis, side in enumerate(size):
            index = torch.arange(-MARGIN, (LARGEST_SIDE >> exponent) + MARGIN)
            repeated = grid.index_select(axis, index.clamp(0, grid.shape[axis] - 1))
            weights = matrices[exponent - 1][HALO : HALO + side]
            grid = weights @ repeated if axis == 0 else repeated @ weights.T
    return grid


def squared_error(values: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
    """D: mean of w (value - target)^2 over pixels and channels."""
    squares = (values - targets).square()
    return (squares if weights is None else weights * squares).mean()


def latent_bits(
    grids: Sequence[Tensor], exponents: Sequence[int], context_networks: Sequence[Sequence[Tensor]]
) -> list[Tensor]:
    """R: bits of each latent, (rows, columns) a grid, finest first."""
    found = []
    for number, (grid, exponent) in enumerate(zip(grids, exponents, strict=True)):
        bits = torch.zeros_like(grid)
        sources = _coarser_sources(grids, number)
        rows, columns = sources.shape[1:]
        for (top, left), network in zip(PHASES, context_networks, strict=True):
            samples = grid[top::2, left::2]
            predicted = _predicted(sources, exponent, network)
            centre, log_scale = predicted[:, : samples.shape[0], : samples.shape[1]]
            bits = bits.index_put(
                (torch.arange(top, len(grid), 2)[:, None], torch.arange(left, grid.shape[1], 2)),
                _laplace_bits(samples, centre, log_scale),
            )
            missing = (0, columns - samples.shape[1], 0, rows - samples.shape[0])
            sources = torch.cat([sources, pad(samples, missing)[None]])
        found.append(bits)
    return found


def _coarser_sources(grids: Sequence[Tensor], number: int) -> Tensor:
    """The next coarser grid and the one after that, on a grid's lattice; zero where missing."""
    rows, columns = (-(-side // 2) for side in grids[number].shape)
    sources = []
    for octaves in (1, 2):
        if number + octaves < len(grids):
            coarser, times = grids[number + octaves], octaves
            repeated = coarser.repeat_interleave(times, 0).repeat_interleave(times, 1)
            sources.append(repeated[:rows, :columns])
        else:
            sources.append(grids[0].new_zeros(rows, columns))
    return torch.stack(sources)


def _predicted(sources: Tensor, exponent: int, network: Sequence[Tensor]) -> Tensor:
    """Sources -> (2, rows, columns) centres and log-scales."""
    neighbours = unfold(sources[None], 3, padding=1)[0] / 8
    own_grid = sources.new_zeros(LARGEST_EXPONENT + 1, neighbours.shape[1])
    own_grid[exponent] = 1
    hidden = network[0] @ torch.cat([neighbours, own_grid])
    for layer in network[1:]:
        hidden = layer[:, :-1] @ hidden.relu() + layer[:, -1:]
    return hidden.view(2, *sources.shape[1:])


def _laplace_bits(samples: Tensor, centre: Tensor, log_scale: Tensor) -> Tensor:
    """-log2 of the mass that a Laplace distribution has within 1/2 of a sample."""
    scale = torch.exp2(log_scale.clamp(-6, 43 / 6))

    def below(number: Tensor) -> Tensor:
        """Mass below a number, less 1/2."""
        return number.sign() * -torch.expm1(-number.abs() / scale) / 2

    offset = samples - centre
    probability = below(offset + 0.5) - below(offset - 0.5)
    return -(probability + 2.0**-18).log() / math.log(2)
