"""An image some rows at a time -> what windows of measures see of it.

A measure looks through windows of 11 rows, at several scales. Of a large image the finest scales
are kept for a swath of rows at a time, with ``MARGIN`` rows around it that its windows see; coarser
ones, a sixty-fourth of it all, are kept whole. The gradient at a pixel depends on maps 5 rows away,
and these on values 5 rows further: 10 rows of the coarsest scale that is cut are 40 of the image.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from torch import Tensor

from sirencodec.fitting.loss.pixel.native_planes import Plane, Windows, empty_plane
from sirencodec.fitting.loss.pixel_rows import ALIGNMENT
from sirencodec.native.measures import MeasureLoops
from sirencodec.synthesis.threads import Workers

FINE_SCALES: Final = 3  # that are cut into swaths
MARGIN: Final = 48  # rows; whole ones at all those scales and the next
SEEN_PIXELS: Final = 3 << 18  # of a swath, about: measures take 150 bytes for each


@dataclass(frozen=True, slots=True)
class Swath:
    """Rows of an image.

    Attributes:
        top: the first, a multiple of ``ALIGNMENT``.
        bottom: the one after the last.
        height: of the image.
    """

    top: int
    bottom: int
    height: int

    @property
    def first(self) -> int:
        """The first row that windows see."""
        return max(0, self.top - MARGIN)

    @property
    def last(self) -> int:
        """The row after the last that windows see."""
        return min(self.height, self.bottom + MARGIN)

    def own(self, scale: int) -> tuple[int, int]:
        """Scale -> first row and the one after the last, of all rows of that scale."""
        return self.top >> scale, -(-self.bottom >> scale)

    def seen(self, scale: int) -> tuple[int, int]:
        """The same of what windows see."""
        return self.first >> scale, -(-self.last >> scale)


@dataclass(frozen=True, slots=True)
class CutImage:
    """What a measure is to know of an image before it is shown a swath.

    Attributes:
        shape: channels, height and width.
        swaths: all of it.
        like: a tensor of the precision and device of its values.
        workers: threads to share the work among.
        loops: compiled ones, for that precision.
    """

    shape: tuple[int, int, int]
    swaths: Sequence[Swath]
    like: Tensor
    workers: Workers
    loops: MeasureLoops


def cut_image(height: int, width: int, rows: int | None = None) -> list[Swath]:
    """Size of an image, and rows of a swath if size is not to decide -> its swaths."""
    rows = rows or max(1, SEEN_PIXELS // width // ALIGNMENT) * ALIGNMENT
    return [Swath(top, min(top + rows, height), height) for top in range(0, height, rows)]


class SwathPlanes:
    """Planes of one scale for what a swath sees, used for one swath and channel after another."""

    def __init__(self, like: Tensor, scale: int, windows: Windows, swaths: Sequence[Swath]) -> None:
        """Make room.

        Args:
            like: precision.
            scale: halvings of the image.
            windows: how whole planes of this scale are looked at.
            swaths: of the image.
        """
        self._scale, self._windows = scale, windows
        sizes = (end - start for start, end in (swath.seen(scale) for swath in swaths))
        rows = max(sizes)
        self._planes = [empty_plane(like, rows, windows.width) for _ in range(5)]

    def of_swath(self, swath: Swath) -> Plane:
        """Swath -> its part of the planes, all rows of which count that do in the whole.

        Gradients are wanted of the swath's own rows, and of one more for the next finer scale.
        """
        first, last = swath.seen(self._scale)
        top, bottom = swath.own(self._scale)
        wanted = top - first, min(bottom + 1, last) - first
        windows = replace(self._windows, rows=self._rows(first, last, first), wanted=wanted)
        return Plane(windows, *(plane[: last - first] for plane in self._planes))

    def own_rows(self, swath: Swath) -> Plane:
        """The same, of which only the swath's own rows count."""
        first, _ = swath.seen(self._scale)
        whole = self.of_swath(swath)
        return replace(
            whole, windows=replace(whole.windows, rows=self._rows(*swath.own(self._scale), first))
        )

    def _rows(self, start: int, end: int, first: int) -> tuple[int, int]:
        top, bottom = self._windows.rows
        return max(top, start) - first, max(min(bottom, end), start) - first


def whole_plane(like: Tensor, windows: Windows, size: tuple[int, int]) -> Plane:
    """Size -> a plane of zeros."""
    return Plane(windows, *(empty_plane(like, *size) for _ in range(5)))


def ranges(swath: Swath) -> Iterator[tuple[int, int, bool]]:
    """Swath -> rows above it, its own and rows below that windows see, and whether they are own."""
    for start, end in ((swath.first, swath.top), (swath.bottom, swath.last)):
        if start < end:
            yield start, end, False
    yield swath.top, swath.bottom, True
