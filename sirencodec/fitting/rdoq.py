"""Rounded latents -> cheaper ones: rate-distortion optimised quantisation (RDOQ).

A fit leaves one latent in a hundred at a whole number next to a better one. The loss is about as
curved everywhere, so the gradient g tells which: those with the largest |g| move a level, by
-sign(g), and move back if the loss has not fallen.

Many latents of a grid are tried at once, in blocks of ``BLOCK`` x ``BLOCK``: the one of largest |g|
in the middle of every block. The block around it is where its effect on the loss is summed, so
moves do not see each other. Blocks are laid out from each of four origins in turn, so that every
latent lies in the middle of one. Smaller blocks find less, as moves get in each other's way; larger
ones find as much in twice the time.

What latents and pixels add to the loss is asked a few rows at a time, once a trial. Only sums over
cells of half a block are kept: of a large picture the rest would take as much memory as a fit.
Where a trial is kept, its cells' sums are those that the next one is compared with.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
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
CELL: Final = BLOCK // 2  # side of what blocks from any origin are made of
BAND_LATENTS: Final = 1 << 19  # whose candidates are looked for at a time, about

Grids = Sequence[Tensor]
Origin = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Contributions:
    """What some rows of pixels, or of a grid's latents, add to the loss.

    Attributes:
        plane: 0 for pixels, or the number of the grid, from 1.
        top: the first of the rows.
        values: (rows, columns).
    """

    plane: int
    top: int
    values: Tensor


def rdoq(
    grids: Grids,
    exponents: Sequence[int],
    losses: Callable[[Grids, int], Iterable[Contributions]],
    gradients: Callable[[Grids], list[Tensor]],
    passes: int,
    tried: Collection[int],
) -> list[Tensor]:
    """Whole latents -> the same, but a level away where that lowers the loss.

    Args:
        grids: (rows, columns) whole numbers.
        exponents: of the grids, consecutive and rising.
        losses: grids, and how many of them, finest first -> what all pixels, and the latents of so
            many grids, add to the loss; cut into the same rows whatever the latents are.
        gradients: grids -> gradient of the loss with respect to each grid.
        passes: over all latents; each takes the gradient anew. 0 leaves all as it is.
        tried: exponents of the grids to try.
    """
    grids, is_tried = list(grids), [exponent in tried for exponent in exponents]
    refused = [torch.zeros_like(grid, dtype=torch.bool) for grid in grids]
    for _ in range(passes):
        gradient = gradients(grids)
        for index in compress(count(), is_tried):
            cells = _cell_sums(losses(grids, index + 1), exponents, index, grids[index])
            for origin in product(ORIGINS, ORIGINS):
                grid = grids[index]
                chosen = _chosen(grid, gradient[index], refused[index], origin)
                if not chosen.any():
                    continue
                moved = _moved(grid, gradient[index], chosen)
                trial = [*grids[:index], moved, *grids[index + 1 :]]
                after = _cell_sums(losses(trial, index + 1), exponents, index, moved)
                is_better = _block_sums(after - cells, origin) < 0
                cells = torch.where(_cells_of(is_better, origin, cells), after, cells)
                filled = is_better[..., None, None].expand(-1, -1, BLOCK, BLOCK)
                kept = chosen & _merge(filled, origin, chosen)
                refused[index] |= chosen & ~kept
                grids[index] = torch.where(kept, moved, grid, out=moved)
    return grids


def _chosen(grid: Tensor, gradient: Tensor, refused: Tensor, origin: Origin) -> Tensor:
    """Grid -> its candidates, (rows, columns): of largest gradient in the middle of a block."""
    chosen = torch.zeros_like(refused)
    for rows in _bands(grid, origin):
        sizes = gradient[rows].abs()
        moved = grid[rows] - gradient[rows].sign()
        sizes[refused[rows] | (moved.abs() > LARGEST_LATENT)] = 0
        top = origin[0] if rows.start == 0 else 0
        chosen[rows] = _largest(sizes, (top, origin[1]))
    return chosen


def _moved(grid: Tensor, gradient: Tensor, chosen: Tensor) -> Tensor:
    """Grid -> the same, but candidates a level away, against the gradient."""
    moved = grid.clone()
    for rows in _bands(grid, (0, 0)):
        moved[rows] -= gradient[rows].sign().mul_(chosen[rows])
    return moved


def _bands(grid: Tensor, origin: Origin) -> Iterator[slice]:
    """Grid -> rows in bands of about ``BAND_LATENTS``, each of whole blocks from the origin on."""
    rows, columns = grid.shape
    height = max(1, BAND_LATENTS // (BLOCK * columns)) * BLOCK
    top = 0
    for bottom in range(origin[0] + height, rows + height, height):
        if top < rows:
            yield slice(top, min(bottom, rows))
        top = bottom


def _largest(sizes: Tensor, origin: Origin) -> Tensor:
    """Numbers, one a latent -> where they are largest in the middle of a block, and not zero."""
    middle = _blocks(sizes, origin, BLOCK)[..., MARGIN:-MARGIN, MARGIN:-MARGIN]
    largest = middle.flatten(2).argmax(-1, keepdim=True)
    chosen = torch.zeros_like(middle.flatten(2)).scatter_(2, largest, 1).view_as(middle)
    return _merge(pad(chosen, (MARGIN,) * 4), origin, sizes) * sizes > 0


def _cell_sums(
    contributions: Iterable[Contributions],
    exponents: Sequence[int],
    index: int,
    grid: Tensor,
) -> Tensor:
    """What pixels and latents add to the loss -> (down, across) sums over cells.

    Cells are those of ``grid``, number ``index`` of all. Coarser grids are left out: the context of
    their latents does not hold this grid's.
    """
    down, across = (-(-(side - ORIGINS[-1]) // CELL) for side in grid.shape)
    totals, finer = grid.new_zeros(index + 2, down, across), (0, *exponents)
    for part in contributions:
        octaves = exponents[index] - finer[part.plane]
        side, start = CELL << octaves, ORIGINS[-1] << octaves
        first = (part.top - start) // side
        cells = _blocks(part.values, (start + first * side - part.top, start), side).sum((2, 3))
        totals[part.plane, first : first + len(cells)] += cells
    return totals.sum(0)


def _block_sums(cells: Tensor, origin: Origin) -> Tensor:
    """One number a cell -> the sum of each block from the origin on, (down, across)."""
    top, left = ((start - ORIGINS[-1]) // CELL for start in origin)
    return _blocks(cells[top:, left:], (0, 0), BLOCK // CELL).sum((2, 3))


def _cells_of(blocks: Tensor, origin: Origin, cells: Tensor) -> Tensor:
    """One truth a block -> that of its cells; false for cells before the first block."""
    top, left = ((start - ORIGINS[-1]) // CELL for start in origin)
    times = BLOCK // CELL
    spread = blocks.repeat_interleave(times, 0).repeat_interleave(times, 1)
    spread = pad(spread, (left, 0, top, 0))
    return spread[: cells.shape[0], : cells.shape[1]]


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
