"""Rounded latents -> cheaper ones: rate-distortion optimised quantisation (RDOQ).

A fit leaves one latent in a hundred at a whole number next to a better one. The loss is about as
curved everywhere, so the gradient g tells which: those with the largest |g| move a level, by
-sign(g), and move back if the loss has not fallen.

Many latents of a grid are tried at once, in blocks of ``BLOCK`` x ``BLOCK``: the one of largest |g|
in the middle of every block. The block around it is where its effect on the loss is summed, so
moves do not see each other. Blocks are laid out from each of four origins in turn, so that every
latent lies in the middle of one. Smaller blocks find less, as moves get in each other's way; larger
ones find as much in twice the time.
"""

from collections.abc import Callable, Collection, Sequence
from itertools import compress, count, product
from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import pad

from sirencodec.entropy.latents import LARGEST_LATENT

# Numbers of latents: the side of a block, the margin around its middle, and where the first block
# begins on either axis. Two origins half a block apart cover all, as BLOCK = 4 * MARGIN.
BLOCK: Final = 8
MARGIN: Final = 2
ORIGINS: Final = (-MARGIN, MARGIN - BLOCK)

Grids = Sequence[Tensor]
Origin = tuple[int, int]


def rdoq(
    grids: Grids,
    exponents: Sequence[int],
    losses: Callable[[Grids], list[Tensor]],
    gradients: Callable[[Grids], list[Tensor]],
    passes: int,
    tried: Collection[int],
) -> list[Tensor]:
    """Whole latents -> the same, but a level away where that lowers the loss.

    Args:
        grids: (rows, columns) whole numbers.
        exponents: of the grids, consecutive and rising.
        losses: grids -> what each pixel, (height, width), and then each latent adds to the loss.
        gradients: grids -> gradient of the loss with respect to each grid.
        passes: over all latents; each takes the gradient anew. 0 leaves all as it is.
        tried: exponents of the grids to try.
    """
    grids, is_tried = list(grids), [exponent in tried for exponent in exponents]
    refused = [torch.zeros_like(grid, dtype=torch.bool) for grid in grids]
    current = losses(grids)
    for _ in range(passes):
        gradient = gradients(grids)
        for index, origin in product(compress(count(), is_tried), product(ORIGINS, ORIGINS)):
            grid, sizes = grids[index], gradient[index].abs()
            moved = grid - gradient[index].sign()
            sizes[refused[index] | (moved.abs() > LARGEST_LATENT)] = 0
            chosen = _largest(sizes, origin)
            if not chosen.any():
                continue
            trial = [*grids[:index], torch.where(chosen, moved, grid), *grids[index + 1 :]]
            changes = [new - old for new, old in zip(losses(trial), current, strict=True)]
            falls = _sums(changes, exponents, exponents[index], origin) < 0
            filled = falls[..., None, None].expand(-1, -1, BLOCK, BLOCK)
            kept = chosen & _merge(filled, origin, chosen)
            refused[index] |= chosen & ~kept
            if kept.any():
                grids[index] = torch.where(kept, moved, grid)
                current = losses(grids)
    return grids


def _largest(sizes: Tensor, origin: Origin) -> Tensor:
    """Numbers, one a latent -> where they are largest in the middle of a block, and not zero."""
    middle = _blocks(sizes, origin, BLOCK)[..., MARGIN:-MARGIN, MARGIN:-MARGIN]
    largest = middle.flatten(2).argmax(-1, keepdim=True)
    chosen = torch.zeros_like(middle.flatten(2)).scatter_(2, largest, 1).view_as(middle)
    return _merge(pad(chosen, (MARGIN,) * 4), origin, sizes) * sizes > 0


def _sums(
    changes: Sequence[Tensor], exponents: Sequence[int], exponent: int, origin: Origin
) -> Tensor:
    """Changes of what pixels and latents add to the loss -> (down, across) sums over blocks.

    Blocks are those of the grid of ``exponent``. Coarser grids are left out: the context of their
    latents does not hold this grid's.
    """
    top, left = origin
    totals: list[Tensor] = []
    for change, finer in zip(changes, (0, *exponents), strict=True):
        octaves = exponent - finer
        if octaves >= 0:
            blocks = _blocks(change, (top << octaves, left << octaves), BLOCK << octaves)
            totals.append(blocks.sum((2, 3)))
    return torch.stack(totals).sum(0)


def _blocks(values: Tensor, origin: Origin, side: int) -> Tensor:
    """(rows, columns) -> (down, across, side, side), with zeros beyond the edges."""
    (rows, columns), (top, left) = values.shape, origin
    padded = pad(values, (-left, (left - columns) % side, -top, (top - rows) % side))
    height, width = padded.shape
    return padded.view(height // side, side, width // side, side).transpose(1, 2)


def _merge(blocks: Tensor, origin: Origin, like: Tensor) -> Tensor:
    """Blocks, (down, across, side, side) -> (rows, columns) as ``like``: undoes ``_blocks``."""
    (rows, columns), (top, left) = like.shape, origin
    whole = blocks.transpose(1, 2).flatten(2).flatten(0, 1)
    return whole[-top : rows - top, -left : columns - left]
