"""Values and the original, some rows at a time -> MS-SSIM: what ``NativeMsSsim`` says of them.

One channel after another, so that the finest scales of a swath take 30 bytes a pixel of it.
"""

import ctypes
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import ClassVar, Final

import torch
from torch import Tensor

from sirencodec.fitting.loss.pixel.ms_ssim_native import factors_of
from sirencodec.fitting.loss.pixel.ms_ssim_scale import combine, num_scales
from sirencodec.fitting.loss.pixel.native_planes import Comparisons, Plane, Windows
from sirencodec.fitting.loss.pixel.swaths import (
    FINE_SCALES,
    CutImage,
    Swath,
    SwathPlanes,
    whole_plane,
)
from sirencodec.fitting.loss.pixel.window import window_radius
from sirencodec.native.measures import CONTRAST, EDGE, SIMILARITY, Clamping, Halving
from sirencodec.native.tensors import address

_SMALL: Final = 1 << 16  # pixels of a plane that one thread is quick with
Band = tuple[int, int]


class SwathMsSsim:
    """A ``SwathMeasure``."""

    better: ClassVar[int] = 1

    def __init__(self, image: CutImage) -> None:
        """Make room."""
        self._workers, self._loops = image.workers, image.loops
        self._channels, height, width = image.shape
        like = image.like
        count = num_scales(height, width)
        self._sizes = [(-(-height >> scale), -(-width >> scale)) for scale in range(count)]
        self._windows = [
            Windows.of(like, *size, (window_radius(size[0]), window_radius(size[1])), False)
            for size in self._sizes
        ]
        fine = self._windows[:FINE_SCALES]
        self._fine = [
            SwathPlanes(like, at, windows, image.swaths) for at, windows in enumerate(fine)
        ]
        self._coarse = [
            [
                whole_plane(like, self._windows[scale], self._sizes[scale])
                for scale in range(len(fine), count)
            ]
            for _ in range(self._channels)
        ]
        self._kinds = [*[CONTRAST] * (count - 1), SIMILARITY]
        self._sums = torch.zeros(self._channels, count, dtype=torch.float64)
        self._is_surveyed = False

    def look(self, swath: Swath, values: Tensor, original: Tensor) -> None:
        """See ``SwathMeasure``."""
        planes = [planes.own_rows(swath) for planes in self._fine]
        for channel in range(self._channels):
            self._fill(swath, channel, planes, values, original)
            compared = self._compared(planes, self._kinds)
            compared.survey()
            self._sums[channel, : len(planes)] += compared.sums()[:, 0]
            for kept, of_swath in self._kept(planes, channel):
                kept = kept[swath.seen(len(planes))[0] :]
                self._halve(of_swath, kept, len(planes) - 1, self._coarser_rows(swath))

    def settle(self) -> float:
        """See ``SwathMeasure``."""
        self._compare_coarse()
        pixels = torch.tensor([windows.pixels for windows in self._windows], dtype=torch.float64)
        means = (self._sums / pixels).mT.requires_grad_()
        score = combine(means)
        (of_means,) = torch.autograd.grad(score, means)
        self._factors = factors_of(of_means, pixels.repeat(self._channels)).view(
            self._channels, len(self._sizes), -1
        )
        self._sums.zero_()
        fine = len(self._fine)
        for planes, factors in zip(self._coarse, self._factors, strict=True):
            if planes:
                self._compared(planes, self._kinds[fine:]).backward(factors[fine:])
            for scale in range(len(self._sizes) - 2, fine - 1, -1):
                finer, coarser = (planes[at - fine].gradient for at in (scale, scale + 1))
                self._halve(finer, coarser, scale, (0, self._sizes[scale][0]), back=True)
        return score.item()

    def gradient(self, swath: Swath, values: Tensor, original: Tensor) -> Tensor:
        """See ``SwathMeasure``."""
        planes = [planes.of_swath(swath) for planes in self._fine]
        own = values[:, swath.top - swath.first : swath.bottom - swath.first]
        gradient = torch.empty(own.shape, dtype=own.dtype)
        for channel in range(self._channels):
            self._fill(swath, channel, planes, values, original)
            compared = self._compared(planes, self._kinds)
            compared.survey()
            compared.backward(self._factors[channel, : len(planes)])
            chain = [*planes, *self._coarse[channel][:1]]
            for scale in range(len(chain) - 2, -1, -1):
                finer, coarser = chain[scale].gradient, chain[scale + 1].gradient
                if scale + 1 == len(planes):
                    coarser = coarser[swath.seen(scale + 1)[0] :]
                self._halve(finer, coarser, scale, planes[scale].windows.wanted, back=True)
            self._clamp(
                own[channel], planes[0].gradient[swath.top - swath.first :], gradient[channel]
            )
        return gradient

    def _compared(self, planes: Sequence[Plane], kinds: Sequence[int]) -> Comparisons:
        return Comparisons(planes, kinds[: len(planes)], self._workers, self._loops)

    def _kept(self, planes: Sequence[Plane], channel: int) -> list[tuple[Tensor, Tensor]]:
        """The finest coarse plane and the coarsest fine one: decoded, and originals at first."""
        if not self._coarse[channel]:
            return []
        kept, of_swath = self._coarse[channel][0], planes[-1]
        decoded = [(kept.decoded, of_swath.decoded)]
        return decoded if self._is_surveyed else [*decoded, (kept.original, of_swath.original)]

    def _coarser_rows(self, swath: Swath) -> Band:
        """Rows of the finest coarse scale that the swath owns, from the first that it sees."""
        scale = len(self._fine)
        first, (top, bottom) = swath.seen(scale)[0], swath.own(scale)
        return top - first, bottom - first

    def _compare_coarse(self) -> None:
        """Planes of the finest coarse scale -> of all coarse ones, and their sums."""
        fine = len(self._fine)
        for channel, planes in enumerate(self._coarse):
            for scale, (finer, coarser) in enumerate(pairwise(planes), fine):
                rows = 0, self._sizes[scale + 1][0]
                self._halve(finer.decoded, coarser.decoded, scale, rows)
                if not self._is_surveyed:
                    self._halve(finer.original, coarser.original, scale, rows)
            if planes:
                compared = self._compared(planes, self._kinds[fine:])
                if not self._is_surveyed:
                    compared.survey()
                self._sums[channel, fine:] += compared.sums()[:, 0]
        self._is_surveyed = True

    def _fill(
        self,
        swath: Swath,
        channel: int,
        planes: Sequence[Plane],
        values: Tensor,
        original: Tensor,
    ) -> None:
        """Rows that a swath sees -> its planes of a channel."""
        for image, chain in (
            (original, [plane.original for plane in planes]),
            (values, [plane.decoded for plane in planes]),
        ):
            self._clamp(image[channel], chain[0])
            for scale, (finer, coarser) in enumerate(pairwise(chain)):
                self._halve(finer, coarser, scale, (0, len(coarser)))

    def _clamp(self, values: Tensor, plane: Tensor, gradient: Tensor | None = None) -> None:
        """(rows, columns) values -> plane, clamped; or its gradient -> that of values."""

        def run(band: Band) -> None:
            top, bottom = band
            task = Clamping(
                values=address(values, top),
                gradient=address(gradient, top),
                plane=address(plane, top, EDGE),
                values_row=values.stride(0),
                plane_row=plane.stride(0),
                rows=bottom - top,
                columns=values.shape[1],
            )
            self._loops.clamp(ctypes.byref(task))

        self._each_band(run, (0, len(values)), values.shape[1])

    def _halve(
        self, fine: Tensor, coarse: Tensor, scale: int, rows: Band, back: bool = False
    ) -> None:
        """Plane of a scale -> rows of the next; or the gradient of that, added to rows of this.

        Args:
            fine: plane.
            coarse: of the next scale, beginning at the same place.
            scale: of the fine one.
            rows: to fill or to add to.
            back: which way.
        """
        height, width = self._sizes[scale]
        if back:  # the last row may need a coarse one that nobody asked for
            rows = rows[0], min(rows[1], 2 * len(coarse) - height % 2)

        def run(band: Band) -> None:
            task = Halving(
                fine=address(fine, 0, EDGE),
                coarse=address(coarse, 0, EDGE),
                fine_row=fine.stride(0),
                coarse_row=coarse.stride(0),
                height=height,
                width=width,
                top=band[0],
                bottom=band[1],
            )
            (self._loops.spread if back else self._loops.halve)(ctypes.byref(task))

        self._each_band(run, rows, width)

    def _each_band(self, function: Callable[[Band], None], rows: Band, columns: int) -> None:
        """Call a function for each band of some rows."""
        top, bottom = rows
        count = self._workers.count if (bottom - top) * columns > _SMALL else 1
        bounds = [top + (bottom - top) * part // count for part in range(count + 1)]
        self._workers.map(function, list(pairwise(bounds)))
