"""Values and the original, some rows at a time -> MS-SSIM: what ``NativeMsSsim`` says of them.

One channel after another, so that the finest scales of a swath take 30 bytes a pixel of it.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor

from sirencodec.fitting.loss.pixel.ms_ssim_native import judged, kinds_of, windows_of
from sirencodec.fitting.loss.pixel.ms_ssim_scale import num_scales
from sirencodec.fitting.loss.pixel.native_planes import Comparisons, Plane
from sirencodec.fitting.loss.pixel.native_scales import Rows, Scales
from sirencodec.fitting.loss.pixel.swaths import (
    FINE_SCALES,
    CutImage,
    Swath,
    SwathPlanes,
    whole_plane,
)


class SwathMsSsim:
    """A ``SwathMeasure``."""

    better: ClassVar[int] = 1

    def __init__(self, image: CutImage) -> None:
        """Make room."""
        self._workers, self._loops = image.workers, image.loops
        self._channels, height, width = image.shape
        like = image.like
        count = num_scales(height, width)
        self._scales = Scales(height, width, count, image.workers, image.loops)
        self._windows = windows_of(like, self._scales.sizes)
        fine = self._windows[:FINE_SCALES]
        self._fine = [
            SwathPlanes(like, at, windows, image.swaths) for at, windows in enumerate(fine)
        ]
        self._coarse = [
            [
                whole_plane(like, self._windows[scale], self._scales.sizes[scale])
                for scale in range(len(fine), count)
            ]
            for _ in range(self._channels)
        ]
        self._kinds = kinds_of(count)
        self._sums = torch.zeros(self._channels, count, dtype=torch.float64)
        self._is_surveyed = False

    def look(self, swath: Swath, values: Tensor, original: Tensor) -> None:
        """See ``SwathMeasure``."""
        planes = [planes.own_rows(swath) for planes in self._fine]
        for channel in range(self._channels):
            self._fill(channel, planes, values, original)
            compared = self._compared(planes, self._kinds)
            compared.survey()
            self._sums[channel, : len(planes)] += compared.sums()[:, 0]
            for kept, of_swath in self._kept(planes, channel):
                kept = kept[swath.seen(len(planes))[0] :]
                rows = self._coarser_rows(swath)
                self._scales.halve([of_swath], [kept], len(planes) - 1, rows)

    def settle(self) -> float:
        """See ``SwathMeasure``."""
        self._compare_coarse()
        pixels = torch.tensor([windows.pixels for windows in self._windows], dtype=torch.float64)
        score, self._factors = judged(self._sums, pixels)
        self._sums.zero_()
        fine = len(self._fine)
        for planes, factors in zip(self._coarse, self._factors, strict=True):
            if planes:
                self._compared(planes, self._kinds[fine:]).backward(factors[fine:])
            for scale in range(len(self._windows) - 2, fine - 1, -1):
                finer, coarser = (planes[at - fine].gradient for at in (scale, scale + 1))
                self._scales.halve([finer], [coarser], scale, (0, len(finer)), back=True)
        return score

    def gradient(self, swath: Swath, values: Tensor, original: Tensor) -> Tensor:
        """See ``SwathMeasure``."""
        planes = [planes.of_swath(swath) for planes in self._fine]
        own = values[:, swath.top - swath.first : swath.bottom - swath.first]
        gradient = torch.empty(own.shape, dtype=own.dtype)
        for channel in range(self._channels):
            self._fill(channel, planes, values, original)
            compared = self._compared(planes, self._kinds)
            compared.survey()
            compared.backward(self._factors[channel, : len(planes)])
            chain = [*planes, *self._coarse[channel][:1]]
            for scale in range(len(chain) - 2, -1, -1):
                finer, coarser = chain[scale].gradient, chain[scale + 1].gradient
                if scale + 1 == len(planes):
                    coarser = coarser[swath.seen(scale + 1)[0] :]
                wanted = planes[scale].windows.wanted
                self._scales.halve([finer], [coarser], scale, wanted, back=True)
            one = slice(channel, channel + 1)
            of_own = planes[0].gradient[swath.top - swath.first :]
            self._scales.clamp(own[one], [of_own], gradient[one])
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

    def _coarser_rows(self, swath: Swath) -> Rows:
        """Rows of the finest coarse scale that the swath owns, from the first that it sees."""
        scale = len(self._fine)
        first, (top, bottom) = swath.seen(scale)[0], swath.own(scale)
        return top - first, bottom - first

    def _compare_coarse(self) -> None:
        """Planes of the finest coarse scale -> of all coarse ones, and their sums."""
        fine = len(self._fine)
        for channel, planes in enumerate(self._coarse):
            for scale, (finer, coarser) in enumerate(pairwise(planes), fine):
                rows = 0, len(coarser.decoded)
                self._scales.halve([finer.decoded], [coarser.decoded], scale, rows)
                if not self._is_surveyed:
                    self._scales.halve([finer.original], [coarser.original], scale, rows)
            if planes:
                compared = self._compared(planes, self._kinds[fine:])
                if not self._is_surveyed:
                    compared.survey()
                self._sums[channel, fine:] += compared.sums()[:, 0]
        self._is_surveyed = True

    def _fill(
        self, channel: int, planes: Sequence[Plane], values: Tensor, original: Tensor
    ) -> None:
        """Rows that a swath sees -> its planes of a channel."""
        one = slice(channel, channel + 1)
        self._scales.fill(original[one], [[plane.original for plane in planes]])
        self._scales.fill(values[one], [[plane.decoded for plane in planes]])
