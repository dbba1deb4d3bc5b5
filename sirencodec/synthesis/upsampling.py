"""Kernels -> matrices that bring latent grids to pixel resolution (FORMAT.md, section 9).

A grid with a sample every 2^k pixels reaches pixel resolution by doubling k times. Each doubling is
separable and has one learned kernel of four taps for the even samples, mirrored for the odd ones:

    fine[2i]     = w0 c[i-2] + w1 c[i-1] + w2 c[i]   + w3 c[i+1]
    fine[2i + 1] = w3 c[i-1] + w2 c[i]   + w1 c[i+1] + w0 c[i+2]

Doublings along an axis are products of small banded matrices, so a grid's part of a tile of pixels
is ``rows @ samples @ columns.T``: two matrix products, whatever k. Tiles begin at multiples of
their size, so one set of matrices serves them all. Beyond its edges a grid repeats its outermost
samples.
"""

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from sirencodec.bitstream.architecture import KERNEL_TAPS
from sirencodec.synthesis.refinement import HALO

# Samples of a grid beyond either end of a tile that reach its pixels and the halo around them: half
# of what the finer level needs plus 2 for each doubling, which stays within 4.
MARGIN = 4

# Cubic convolution (Keys 1981, a = -3/4) at a quarter sample's distance: where learning starts.
CUBIC_KERNEL = (-0.03515625, 0.26171875, 0.87890625, -0.10546875)


def upsampling_matrices(kernels: Tensor, tile: int) -> list[Tensor]:
    """Kernels, a row an octave from fine to coarse -> one matrix an octave.

    Args:
        kernels: (octaves, 4); the result is differentiable with respect to them.
        tile: pixels, a multiple of 2^octaves.

    Returns:
        Matrix k - 1 is (tile + 4, tile / 2^k + 8), from the samples of grid k that reach a tile,
        the first of them 4 before the tile's start, to its pixels and 2 on either side.
    """
    matrices: list[Tensor] = []
    for octave, kernel in enumerate(kernels):
        doubling = _doubling(kernel, tile, octave)
        matrices.append(matrices[-1] @ doubling if matrices else doubling)
    return matrices


def kernels_gradient(
    kernels: Tensor, tile: int, matrices: Sequence[Tensor], gradients: Sequence[Tensor]
) -> Tensor:
    """Gradients with respect to upsampling matrices -> the one with respect to their kernels.

    By the chain rule, from the coarsest octave to the finest: matrix k is matrix k - 1 times one
    doubling, so a coarse matrix's gradient reaches all finer kernels.

    Args:
        kernels: (octaves, 4).
        tile: pixels.
        matrices: what ``upsampling_matrices`` makes of both.
        gradients: one a matrix, of its shape.
    """
    gradient = torch.zeros_like(kernels)
    passed_on: Tensor | float = 0.0  # to this octave's matrix by the coarser ones
    for octave in reversed(range(len(kernels))):
        of_matrix = gradients[octave] + passed_on
        of_doubling = matrices[octave - 1].mT @ of_matrix if octave else of_matrix
        patterns = _doubling_patterns(tile, octave, kernels.dtype, kernels.device)
        gradient[octave] = torch.einsum("tfc,fc->t", patterns, of_doubling)
        passed_on = of_matrix @ _doubling(kernels[octave], tile, octave).mT
    return gradient


def _doubling(kernel: Tensor, tile: int, octave: int) -> Tensor:
    """Kernel -> the matrix of one doubling, from grid ``octave + 1`` to the next finer one."""
    patterns = _doubling_patterns(tile, octave, kernel.dtype, kernel.device)
    return torch.einsum("t,tfc->fc", kernel, patterns)


@lru_cache(maxsize=64)
def _doubling_patterns(tile: int, octave: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """(taps, fine samples, coarse samples): where each tap stands in a tile's doubling matrix."""
    fine_margin = MARGIN if octave else HALO
    fine_count, coarse_count = tile >> octave, tile >> octave + 1
    patterns = torch.zeros(KERNEL_TAPS, fine_count + 2 * fine_margin, coarse_count + 2 * MARGIN)
    for row in range(patterns.shape[1]):
        coarse, odd = divmod(row - fine_margin, 2)
        for tap in range(KERNEL_TAPS):
            sample = coarse - 1 + (KERNEL_TAPS - 1 - tap) if odd else coarse - 2 + tap
            # The outermost rows of the margin are never used; what they lack does not matter.
            column = min(max(sample + MARGIN, 0), patterns.shape[2] - 1)
            patterns[tap, row, column] += 1
    return patterns.to(device, dtype)
