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
    NUM_SUMS,
    Comparison,
    MeasureKernels,
    pieces_of,
    row_length,
)
from sirencodec.native.tensors import address
from sirencodec.synthesis.threads import Workers

NUM_FACTORS: Final = 9  # of a comparison


def empty_planes(like: Tensor, planes: int, height: int, width: int) -> Tensor:
    """(planes, height, row) zeros, of the precision of a tensor."""
    return like.new_zeros(planes, height, row_length(width))


def inside(planes: Tensor, width: int) -> Tensor:
    """(planes, height, row) -> (planes, height, width) without what is beside."""
    return planes[:, :, EDGE : EDGE + width]


def half_window(radius: int, like: Tensor) -> Tensor:
    """Radius -> (6,) weights of the window from the middle on; zero beyond the radius."""
    weights = like.new_zeros(RADIUS + 1)
    weights[: radius + 1] = torch.tensor(window(radius)[radius:], dtype=torch.float64)
    return weights


@dataclass(frozen=True, slots=True, eq=False)
class Original:
    """A scale of the original, and room for one of the image.

    Attributes:
        width: of the planes, (planes, height, row) each.
        values: of the original.
        mean: as windows see it.
        spread: twice the variance, and a constant.
        decoded: values of the other image.
        slopes: of the score along them.
        counted: (row,) 1 in columns whose maps count.
        rows: the first that counts, and the one after the last.
        down, across: windows, as ``half_window`` gives them.
        mirrored: whether there is a mirror above and below, or nothing.
    """

    width: int
    values: Tensor
    mean: Tensor
    spread: Tensor
    decoded: Tensor
    slopes: Tensor
    counted: Tensor
    rows: tuple[int, int]
    down: Tensor
    across: Tensor
    mirrored: bool

    @classmethod
    def of(
        cls,
        values: Tensor,
        width: int,
        constant: float,
        blur: Callable[[Tensor], Tensor],
        windows: tuple[Tensor, Tensor],
        is_inside: bool,
    ) -> Self:
        """Planes of the original -> all that is kept of them.

        Args:
            values: (planes, height, row).
            width: as above.
            constant: what the spread has besides.
            blur: (planes, height, width) -> means of those pixels that count.
            windows: down and across.
            is_inside: whether those pixels only count whose windows lie inside; if not, there is a
                mirror above and below.
        """
        mean, spread = torch.zeros_like(values), torch.zeros_like(values)
        counted = values.new_zeros(values.shape[2])
        height = values.shape[1]
        margins = [int(weights.count_nonzero()) - 1 if is_inside else 0 for weights in windows]
        top, left = margins
        counted[EDGE + left : EDGE + width - left] = 1
        for index in range(len(values)):
            plane = inside(values[index : index + 1], width).double()
            of_plane = blur(plane)
            variance = blur(plane.square()) - of_plane.square()
            for kept, found in ((mean, of_plane), (spread, 2 * variance + constant)):
                inside(kept, width)[index, top : height - top, left : width - left] = found[0]
        return cls(
            width,
            values,
            mean,
            spread,
            torch.zeros_like(values),
            torch.zeros_like(values),
            counted,
            (top, height - top),
            *windows,
            not is_inside,
        )

    @property
    def pixels(self) -> int:
        """How many count."""
        top, bottom = self.rows
        return (bottom - top) * int(self.counted.count_nonzero())


class Comparisons:
    """Planes of an image beside those of the original: sums of maps, and slopes."""

    def __init__(
        self,
        planes: Sequence[tuple[Original, int, int]],
        workers: Workers,
        kernels: MeasureKernels,
    ) -> None:
        """Describe what there is to compare.

        Args:
            planes: scale, index of a plane in it, and kind of comparison.
            workers: threads to share the work among.
            kernels: for the precision of the planes.
        """
        self._workers, self._kernels = workers, kernels
        pieces = [pieces_of(original.values.shape[1], original.width) for original, _, _ in planes]
        self._sums = torch.zeros(sum(pieces), NUM_SUMS, dtype=torch.float64)
        self._of_planes = self._sums.split(pieces)
        self._factors = torch.zeros(len(planes), NUM_FACTORS, dtype=torch.float64)
        self._originals = [original for original, _, _ in planes]  # tasks only know addresses
        tasks = [
            Comparison(
                original=address(original.values, index, 0, EDGE),
                mean=address(original.mean, index, 0, EDGE),
                spread=address(original.spread, index, 0, EDGE),
                values=address(original.decoded, index, 0, EDGE),
                slopes=address(original.slopes, index, 0, EDGE),
                counted=address(original.counted, EDGE),
                down=address(original.down),
                across=address(original.across),
                factors=address(self._factors, at),
                sums=address(self._of_planes[at]),
                row=original.values.stride(1),
                height=original.values.shape[1],
                width=original.width,
                top=original.rows[0],
                bottom=original.rows[1],
                mirrored=original.mirrored,
                kind=kind,
            )
            for at, (original, index, kind) in enumerate(planes)
        ]
        self._tasks = (Comparison * len(tasks))(*tasks)

    def sums(self) -> Tensor:
        """(planes, 6) sums of maps, float64."""
        self._sums.zero_()
        self._run(slopes=False)
        return torch.stack([of_plane.sum(0) for of_plane in self._of_planes])

    def slopes(self, factors: Tensor) -> None:
        """(planes, 9) factors of maps -> slopes, where the planes keep them."""
        self._factors.copy_(factors)
        self._run(slopes=True)

    def _run(self, slopes: bool) -> None:
        begun = ctypes.c_long(0)

        def run(_: int) -> None:
            if self._kernels.compare_images(
                self._tasks, ctypes.c_long(len(self._tasks)), ctypes.byref(begun), int(slopes)
            ):
                raise MemoryError("no memory to compare images in")

        self._workers.map(run, range(self._workers.count))
