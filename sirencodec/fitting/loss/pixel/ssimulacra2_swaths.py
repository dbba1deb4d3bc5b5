"""Values and the original, some rows at a time -> SSIMULACRA2: what ``NativeSsimulacra2`` says."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from sirencodec.fitting.loss.pixel.native_planes import (
    Comparisons,
    Plane,
    Windows,
    empty_plane,
)
from sirencodec.fitting.loss.pixel.native_xyb import Place, Planes, X, Y, convert_xyb, xyb_scale
from sirencodec.fitting.loss.pixel.ssimulacra2_native import judged, kinds_of, looked_at
from sirencodec.fitting.loss.pixel.ssimulacra2_scale import scale_sizes, score_of
from sirencodec.fitting.loss.pixel.swaths import (
    FINE_SCALES,
    CutImage,
    Swath,
    SwathPlanes,
    ranges,
    whole_plane,
)
from sirencodec.fitting.loss.pixel.window import RADIUS
from sirencodec.native.measures import NUM_SUMS, XybScale


class SwathSsimulacra2:
    """A ``SwathMeasure``."""

    better: ClassVar[int] = 1

    def __init__(self, image: CutImage) -> None:
        """Make room."""
        self._workers, self._loops = image.workers, image.loops
        channels, height, width = image.shape
        like, swaths = image.like, image.swaths
        sizes = scale_sizes(height, width)
        self._places, self._weights = looked_at(channels, len(sizes))
        self._sizes = sizes[: 1 + max((scale for scale, _ in self._places), default=-1)]
        self._kinds = kinds_of(self._weights)
        windows = [Windows.of(like, *size, (RADIUS, RADIUS), mirrored=True) for size in self._sizes]
        self._pixels = torch.tensor(
            [windows[scale].pixels for scale, _ in self._places], dtype=torch.float64
        )
        self._fine = {
            place: SwathPlanes(like, place[0], windows[place[0]], swaths)
            for place in self._places
            if place[0] < FINE_SCALES
        }
        self._coarse = {
            place: whole_plane(like, windows[place[0]], self._sizes[place[0]])
            for place in self._places
            if place[0] >= FINE_SCALES
        }
        # The way back to red and green needs X and Y, looked at or not.
        unseen = [
            (scale, plane)
            for scale in range(len(self._sizes))
            for plane in (X, Y)
            if channels > 1 and (scale, plane) not in self._places
        ]
        rows = {place: max(_rows(swath, place[0]) for swath in swaths) for place in unseen}
        self._unseen = {
            place: empty_plane(
                like,
                rows[place] if place[0] < FINE_SCALES else self._sizes[place[0]][0],
                self._sizes[place[0]][1],
            )
            for place in unseen
        }
        self._sums = torch.zeros(len(self._places), NUM_SUMS, dtype=torch.float64)
        self._is_surveyed = False

    def look(self, swath: Swath, values: Tensor, original: Tensor) -> None:
        """See ``SwathMeasure``."""
        planes = {place: of.own_rows(swath) for place, of in self._fine.items()}
        self._fill(swath, planes, values, original, whole=True)
        compared = self._compared(planes)
        compared.survey()
        self._sums[self._numbers(planes)] += compared.sums()

    def settle(self) -> float:
        """See ``SwathMeasure``."""
        if not self._places:
            return score_of(torch.zeros(())).item()
        if self._coarse:
            compared = self._compared(self._coarse)
            if not self._is_surveyed:
                compared.survey()
            self._sums[self._numbers(self._coarse)] += compared.sums()
        self._is_surveyed = True
        score, self._factors = judged(self._sums, self._pixels, self._weights)
        self._sums.zero_()
        if self._coarse:
            compared.backward(self._factors[self._numbers(self._coarse)])
        return score

    def gradient(self, swath: Swath, values: Tensor, original: Tensor) -> Tensor:
        """See ``SwathMeasure``."""
        own = slice(swath.top - swath.first, swath.bottom - swath.first)
        gradient = torch.zeros_like(values)
        if not self._places:
            return gradient[:, own]
        planes = {place: of.of_swath(swath) for place, of in self._fine.items()}
        self._fill(swath, planes, values, original, whole=False)
        compared = self._compared(planes)
        compared.survey()
        compared.backward(self._factors[self._numbers(planes)])
        fine = {place: plane.gradient for place, plane in planes.items()}
        coarse = {place: plane.gradient for place, plane in self._coarse.items()}
        self._convert(
            swath,
            (swath.top, swath.bottom, True),
            values,
            self._decoded(planes),
            fine | coarse,
            gradient,
        )
        return gradient[:, own]

    def _compared(self, planes: Mapping[Place, Plane]) -> Comparisons:
        kinds = [self._kinds[number] for number in self._numbers(planes)]
        return Comparisons(list(planes.values()), kinds, self._workers, self._loops)

    def _numbers(self, planes: Mapping[Place, Plane]) -> list[int]:
        return [self._places.index(place) for place in planes]

    def _decoded(self, planes: Mapping[Place, Plane]) -> dict[Place, Tensor]:
        """Planes of a swath -> all that another image is converted to."""
        looked_at = {place: plane.decoded for place, plane in {**planes, **self._coarse}.items()}
        return looked_at | self._unseen

    def _fill(
        self,
        swath: Swath,
        planes: Mapping[Place, Plane],
        values: Tensor,
        original: Tensor,
        *,
        whole: bool,
    ) -> None:
        """Rows that a swath sees -> its planes, and its rows of coarse ones if ``whole``."""
        originals = {place: plane.original for place, plane in planes.items()}
        if not self._is_surveyed:
            originals |= {place: plane.original for place, plane in self._coarse.items()}
        for part in ranges(swath):
            start, end, is_own = part
            reach = start, end, is_own and whole
            self._convert(swath, reach, original, originals)
            self._convert(swath, reach, values, self._decoded(planes))

    def _convert(
        self,
        swath: Swath,
        part: tuple[int, int, bool],
        values: Tensor,
        planes: Planes,
        gradients: Planes | None = None,
        gradient: Tensor | None = None,
    ) -> None:
        """Some rows of values -> their XYB in planes; or the planes' gradients -> that of values.

        Args:
            swath: that the rows are of.
            part: first row, the one after the last, and whether coarse scales are converted, too.
            values: (channels, rows, width) that the swath sees.
            planes: of the swath, and whole ones of coarse scales.
            gradients: with respect to them.
            gradient: with respect to values, laid out as they are; the part is filled.
        """
        start, end, is_whole = part
        sizes = self._sizes if is_whole else self._sizes[:FINE_SCALES]

        def described(scale: int) -> XybScale:
            first = swath.seen(scale)[0] if scale < FINE_SCALES else 0
            top, bottom = start >> scale, -(-end >> scale)
            size = bottom - top, sizes[scale][1]
            return xyb_scale(scale, size, planes, gradients or {}, top - first)

        rows = slice(start - swath.first, end - swath.first)
        convert_xyb(
            values[:, rows],
            [described(scale) for scale in range(len(sizes))],
            None if gradient is None else gradient[:, rows],
            self._workers,
            self._loops,
        )


def _rows(swath: Swath, scale: int) -> int:
    first, last = swath.seen(scale)
    return last - first
