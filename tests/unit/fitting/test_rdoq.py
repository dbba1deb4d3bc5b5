"""sirencodec.fitting.rdoq."""

from collections.abc import Callable, Iterator, Sequence

import pytest
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from sirencodec.bitstream.architecture import grid_shape
from sirencodec.entropy.latents import LARGEST_LATENT
from sirencodec.fitting.rdoq import Contributions, rdoq

EXPONENTS = range(5)
TRIED = range(3)
SIZES = [(1, 1), (2, 9), (40, 33), (64, 64)]


Losses = Callable[[Sequence[Tensor]], list[Tensor]]


def by_rows(
    losses: Losses, rows: int | None = None
) -> Callable[[Sequence[Tensor], int], Iterator[Contributions]]:
    """The same, so many rows of every plane at a time, and of so many grids as are asked for."""

    def contributions(grids: Sequence[Tensor], count: int) -> Iterator[Contributions]:
        for number, plane in enumerate(losses(grids)[: count + 1]):
            for top in range(0, len(plane), rows or len(plane)):
                yield Contributions(number, top, plane[top : top + (rows or len(plane))])

    return contributions


class Valley:
    """Every latent has a place where it costs least; those of different grids share no pixel."""

    def __init__(self, width: int, height: int, spread: float) -> None:
        generator = torch.Generator().manual_seed(0)
        self.pixels = torch.zeros(height, width)
        self.lowest = [
            torch.randn(grid_shape(width, height, k), generator=generator) * spread
            for k in EXPONENTS
        ]

    def losses(self, grids: Sequence[Tensor]) -> list[Tensor]:
        pairs = zip(grids, self.lowest, strict=True)
        return [self.pixels, *((grid - lowest) ** 2 for grid, lowest in pairs)]

    def gradients(self, grids: Sequence[Tensor]) -> list[Tensor]:
        return [2 * (grid - lowest) for grid, lowest in zip(grids, self.lowest, strict=True)]

    def search(self, grids: Sequence[Tensor], passes: int) -> list[Tensor]:
        return rdoq(grids, EXPONENTS, by_rows(self.losses), self.gradients, passes, TRIED)

    def zeros(self) -> list[Tensor]:
        return [torch.zeros_like(grid) for grid in self.lowest]


def total(losses: Callable[[Sequence[Tensor]], list[Tensor]], grids: Sequence[Tensor]) -> float:
    return sum(float(part.sum()) for part in losses(grids))


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_all_find_the_nearest_whole_number(size: tuple[int, int]) -> None:
    """Every one is in the middle of some block, at the edges as well; coarse grids stay."""
    valley = Valley(*size, spread=1.0)
    found = valley.search(valley.zeros(), passes=60)
    for grid, lowest in zip(found[: len(TRIED)], valley.lowest, strict=False):
        torch.testing.assert_close(grid, torch.round(lowest))
    assert not any(grid.any() for grid in found[len(TRIED) :])


def test_what_is_right_stays() -> None:
    valley = Valley(40, 33, spread=3.0)
    rounded = [torch.round(lowest) for lowest in valley.lowest]
    for ours, expected in zip(valley.search(rounded, passes=3), rounded, strict=True):
        assert torch.equal(ours, expected)


def test_a_pass_moves_the_steepest_of_its_surroundings() -> None:
    valley = Valley(40, 32, spread=4.0)
    moved = valley.search(valley.zeros(), passes=1)[0]
    by_area = moved.view(8, 4, 10, 4).transpose(1, 2).flatten(2)
    steepest = valley.lowest[0].view(8, 4, 10, 4).transpose(1, 2).flatten(2).abs().argmax(-1)
    assert ((by_area != 0).sum(-1) == 1).all()
    assert torch.equal(by_area.abs().argmax(-1), steepest)


@pytest.mark.parametrize("passes", [1, 4])
def test_the_loss_falls_where_neighbours_share_pixels(passes: int) -> None:
    """Each latent reaches pixels around it, and the bits of finer grids."""
    valley = Valley(72, 50, spread=1.0)
    noise = torch.randn(1, 54, 76, generator=torch.Generator().manual_seed(1))
    wanted = avg_pool2d(3 * noise, 5, 1)[0]

    def losses(grids: Sequence[Tensor]) -> list[Tensor]:
        fine, coarse = grids[0], grids[1].repeat_interleave(2, 0).repeat_interleave(2, 1)
        spread = avg_pool2d(fine[None], 3, 1, 1)[0] + coarse
        bits = [0.3 * (fine - coarse / 2).abs(), *(0.3 * grid.abs() for grid in grids[1:])]
        return [(spread - wanted) ** 2, *bits]

    def gradients(grids: Sequence[Tensor]) -> list[Tensor]:
        leaves = [grid.clone().requires_grad_() for grid in grids]
        with torch.enable_grad():
            loss = sum(part.sum() for part in losses(leaves))
        return list(torch.autograd.grad(loss, leaves))

    start = [torch.round(lowest) for lowest in valley.lowest]
    found = rdoq(start, EXPONENTS, by_rows(losses), gradients, passes, TRIED)
    assert total(losses, found) < (0.8 if passes == 1 else 0.5) * total(losses, start)
    assert all(torch.equal(grid, torch.round(grid)) for grid in found)


def test_no_latent_leaves_what_a_file_may_hold() -> None:
    valley = Valley(16, 16, spread=0.0)
    valley.lowest = [lowest + 2 * LARGEST_LATENT for lowest in valley.lowest]
    start = [torch.full_like(lowest, LARGEST_LATENT) for lowest in valley.lowest]
    assert all((grid == LARGEST_LATENT).all() for grid in valley.search(start, passes=2))


def test_grids_of_an_image_that_is_reduced_are_told_by_their_exponents() -> None:
    """The pixels are those of the full size."""
    valley = Valley(32, 32, spread=1.0)
    valley.lowest = valley.lowest[2:]
    start = [torch.zeros_like(lowest) for lowest in valley.lowest]
    found = rdoq(start, EXPONENTS[2:], by_rows(valley.losses), valley.gradients, 40, TRIED)
    torch.testing.assert_close(found[0], torch.round(valley.lowest[0]))
    assert not any(grid.any() for grid in found[1:])


@pytest.mark.parametrize("rows", [1, 7, 64])
def test_how_losses_are_cut_changes_nothing(rows: int) -> None:
    valley = Valley(72, 150, spread=3.0)
    start = valley.zeros()
    ours = rdoq(start, EXPONENTS, by_rows(valley.losses, rows), valley.gradients, 3, TRIED)
    for one, other in zip(ours, valley.search(start, 3), strict=True):
        assert torch.equal(one, other)
