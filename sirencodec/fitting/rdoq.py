"""Rounded latents -> cheaper ones, by trial: rate-distortion optimised quantisation.

A fit leaves one latent in a hundred at a whole number next to a better one. The gradient tells
which: a step of a level lowers the loss where it is steep, for it is about as curved everywhere. So
the steepest latents go a level down the slope, and back if the loss has not fallen
(benchmarks/LOG.md, entry 22).

A trial takes many latents of a grid at once, so far apart that each has a block of its own in which
to see what it has done: that of the steepest gradient in the middle of every block. Blocks lie in
turn so that each latent is in the middle of one.
"""

from collections.abc import Callable, Collection, Sequence
from itertools import compress, count, product
from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import pad

from sirencodec.entropy.latents import LARGEST_LATENT

BLOCK: Final = 8  # latents along the side of a block
MARGIN: Final = 2  # of them around its middle
ORIGINS: Final = (-MARGIN, MARGIN - BLOCK)  # of the first block, along either axis

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
    """Latents -> the same but for those that a lower loss has been found for.

    Args:
        grids: (rows, columns) whole numbers.
        exponents: of the grids, consecutive and rising.
        losses: grids -> what each pixel, (height, width), and then each latent adds to the loss.
        gradients: grids -> gradient of the loss with respect to each.
        passes: how often to try all over.
        tried: exponents of the grids to try.
    """
    grids, is_tried = list(grids), [exponent in tried for exponent in exponents]
    refused = [torch.zeros_like(grid, dtype=torch.bool) for grid in grids]
    current = losses(grids)
    for _ in range(passes):
        gradient = gradients(grids)
        for index, origin in product(compress(count(), is_tried), product(ORIGINS, ORIGINS)):
            grid, steepness = grids[index], gradient[index].abs()
            moved = grid - gradient[index].sign()
            steepness[refused[index] | (moved.abs() > LARGEST_LATENT)] = 0
            steepest = _steepest(steepness, origin)
            if not steepest.any():
                continue
            trial = [*grids[:index], torch.where(steepest, moved, grid), *grids[index + 1 :]]
            changes = [new - old for new, old in zip(losses(trial), current, strict=True)]
            falls = _sums(changes, exponents, exponents[index], origin) < 0
            kept = steepest & _merge(_filled(falls), origin, steepest)
            refused[index] |= steepest & ~kept
            if kept.any():
                grids[index] = torch.where(kept, moved, grid)
                current = losses(grids)
    return grids


def _steepest(steepness: Tensor, origin: Origin) -> Tensor:
    """Steepness of each latent -> where it is greatest in a block's middle, and not zero."""
    blocks = _blocks(steepness, origin, BLOCK)
    middle = blocks[..., MARGIN:-MARGIN, MARGIN:-MARGIN]
    greatest = middle.flatten(2).argmax(-1, keepdim=True)
    chosen = torch.zeros_like(middle.flatten(2)).scatter_(2, greatest, 1).view_as(middle)
    return _merge(pad(chosen, (MARGIN,) * 4), origin, steepness) * steepness > 0


def _sums(
    changes: Sequence[Tensor], exponents: Sequence[int], exponent: int, origin: Origin
) -> Tensor:
    """Changes of pixels' and latents' losses -> (down, across) sums over blocks of one grid.

    Latents of coarser grids do not see those of this one.
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


def _filled(values: Tensor) -> Tensor:
    """(down, across) -> blocks of nothing but that."""
    return values[..., None, None].expand(-1, -1, BLOCK, BLOCK)


def _merge(blocks: Tensor, origin: Origin, like: Tensor) -> Tensor:
    """Adjoint of ``_blocks``: (down, across, side, side) -> what ``like`` has room for."""
    (rows, columns), (top, left) = like.shape, origin
    whole = blocks.transpose(1, 2).flatten(2).flatten(0, 1)
    return whole[-top : rows - top, -left : columns - left]
