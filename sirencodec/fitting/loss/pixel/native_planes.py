"""What compiled measures keep of an image, scale by scale, and how they compare two.

A row of a plane lies between zeros, for windows that look beyond it (native/src/blur.h).
"""

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Self

import torch
from torch import Tensor

from sirencodec.fitting.loss.pixel.window import RADIUS, window
from sirencodec.native.measures import (
    EDGE,
    GRADIENT,
    NUM_SUMS,
    SUMS,
    SURVEY,
    Comparison,
    MeasureLoops,
    pieces_of,
    row_length,
)
from sirencodec.native.tensors import address
from sirencodec.synthesis.threads import Workers

NUM_FACTORS: Final = 9  # of a comparison


def empty_plane(like: Tensor, height: int, width: int) -> Tensor:
    """(height, row) zeros, of the precision of a tensor."""
    return like.new_zeros(height, row_length(width))


def inside(plane: Tensor, width: int) -> Tensor:
    """(height, row) -> (height, width) without what is beside."""
    return plane[:, EDGE : EDGE + width]


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """How planes of a size are looked at.

    Attributes:
        width: of the planes, in pixels.
        rows: the first whose map counts, and the one after the last.
        wanted: the same of rows whose gradient is wanted.
        counted: (row,) 1 in columns whose maps count.
        down, across: (6,) weights from the middle on.
        mirrored: whether there is a mirror above and below, or nothing.
    """

    width: int
    rows: tuple[int, int]
    wanted: tuple[int, int]
    counted: Tensor
    down: Tensor
    across: Tensor
    mirrored: bool

    @classmethod
    def of(
        cls, like: Tensor, height: int, width: int, radii: tuple[int, int], mirrored: bool
    ) -> Self:
        """Size and radii, down and across -> windows, of the precision of a tensor.

        With a mirror every pixel counts; without, those whose windows lie inside.
        """
        top, left = (0, 0) if mirrored else radii
        counted = like.new_zeros(row_length(width))
        counted[EDGE + left : EDGE + width - left] = 1
        down, across = (_half_window(radius, like) for radius in radii)
        rows = top, height - top
        return cls(width, rows, (0, height), counted, down, across, mirrored)

    @property
    def pixels(self) -> int:
        """How many count."""
        top, bottom = self.rows
        return (bottom - top) * int(self.counted.count_nonzero())


def _half_window(radius: int, like: Tensor) -> Tensor:
    """Radius -> (6,) weights from the middle on; zero beyond the radius."""
    weights = like.new_zeros(RADIUS + 1)
    weights[: radius + 1] = torch.tensor(window(radius)[radius:], dtype=torch.float64)
    return weights


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """A plane of the original, and what is found of the same of another image.

    Attributes:
        windows: of its size.
        original: (height, row) values.
        mean: (height, row) means within windows.
        spread: (height, row), twice the variance within windows plus a constant.
        decoded: (height, row) values of the other image.
        gradient: (height, row), of the score with respect to ``decoded``.
    """

    windows: Windows
    original: Tensor
    mean: Tensor
    spread: Tensor
    decoded: Tensor
    gradient: Tensor

    @classmethod
    def of(
        cls, original: Tensor, windows: Windows, constant: float, blur: Callable[[Tensor], Tensor]
    ) -> Self:
        """Values of the original -> its plane, that of the other image still empty.

        Args:
            original: (height, row) values.
            windows: of its size.
            constant: added to the spread, C2 of SSIM.
            blur: (1, height, width) float64 -> means within windows, of the places that count.
        """
        values = inside(original, windows.width).double()[None]
        found = blur(values)
        variance = blur(values.square()) - found.square()
        rows, columns = slice(*windows.rows), windows.counted > 0
        mean, spread = torch.zeros_like(original), torch.zeros_like(original)
        mean[rows, columns] = found.flatten(1).reshape_as(mean[rows, columns]).to(mean)
        spread[rows, columns] = (2 * variance + constant).reshape_as(mean[rows, columns]).to(mean)
        return cls(
            windows, original, mean, spread, torch.zeros_like(original), torch.zeros_like(original)
        )


class Comparisons:
    """Planes of an image beside those of the original: sums of maps, and gradients.

    Attributes:
        pixels: (planes,) how many count in each, float64.
    """

    def __init__(
        self,
        planes: Sequence[Plane],
        kinds: Sequence[int],
        workers: Workers,
        loops: MeasureLoops,
    ) -> None:
        """Describe what there is to compare.

        Args:
            planes: of one or more sizes.
            kinds: of comparison, of each.
            workers: threads to share the work among.
            loops: for the precision of the planes.
        """
        self._workers, self._loops = workers, loops
        self._planes = planes  # tasks only know addresses
        pieces = [pieces_of(len(plane.original), plane.windows.width) for plane in planes]
        self._sums = torch.zeros(sum(pieces), NUM_SUMS, dtype=torch.float64)
        self._of_planes = torch.split(self._sums, pieces)
        self._factors = torch.zeros(len(planes), NUM_FACTORS, dtype=torch.float64)
        tasks = [
            Comparison(
                original=address(plane.original, 0, EDGE),
                mean=address(plane.mean, 0, EDGE),
                spread=address(plane.spread, 0, EDGE),
                values=address(plane.decoded, 0, EDGE),
                slopes=address(plane.gradient, 0, EDGE),
                counted=address(plane.windows.counted, EDGE),
                down=address(plane.windows.down),
                across=address(plane.windows.across),
                factors=address(self._factors, at),
                sums=address(self._of_planes[at]),
                row=plane.original.stride(0),
                height=len(plane.original),
                width=plane.windows.width,
                top=plane.windows.rows[0],
                bottom=plane.windows.rows[1],
                first=plane.windows.wanted[0],
                last=plane.windows.wanted[1],
                mirrored=plane.windows.mirrored,
                kind=kind,
            )
            for at, (plane, kind) in enumerate(zip(planes, kinds, strict=True))
        ]
        self._tasks = (Comparison * len(tasks))(*tasks)
        self.pixels = torch.tensor([plane.windows.pixels for plane in planes], dtype=torch.float64)

    def sums(self) -> Tensor:
        """(planes, 6) sums of maps, float64."""
        self._sums.zero_()
        self._run(SUMS)
        return torch.stack([of_plane.sum(0) for of_plane in self._of_planes])

    def backward(self, factors: Tensor) -> None:
        """(planes, 9) factors of maps -> gradients, where the planes keep them."""
        self._factors.copy_(factors)
        self._run(GRADIENT)

    def survey(self) -> None:
        """Find means and spreads of the original, in the precision of planes."""
        self._run(SURVEY)

    def _run(self, part: int) -> None:
        begun = ctypes.c_long(0)

        def run(_: int) -> None:
            if self._loops.compare_images(
                self._tasks, ctypes.c_long(len(self._tasks)), ctypes.byref(begun), part
            ):
                raise MemoryError("no memory to compare images in")

        self._workers.map(run, range(self._workers.count))
