"""Rectangles of samples: which of a grid are coded together, and what a prediction may see."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Self


@dataclass(frozen=True, slots=True)
class Window:
    """Rows ``top`` to ``bottom`` and columns ``left`` to ``right``, ends not included."""

    top: int
    bottom: int
    left: int
    right: int

    @classmethod
    def whole(cls, shape: tuple[int, int]) -> Self:
        """All of (rows, columns)."""
        return cls(0, shape[0], 0, shape[1])

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns), zero where an end is before its start."""
        return max(0, self.bottom - self.top), max(0, self.right - self.left)

    @property
    def size(self) -> int:
        """Samples within."""
        rows, columns = self.shape
        return rows * columns

    @property
    def slices(self) -> tuple[slice, slice]:
        """As an index of arrays."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def common(self, other: "Window") -> "Window":
        """What is in both."""
        return Window(
            max(self.top, other.top),
            min(self.bottom, other.bottom),
            max(self.left, other.left),
            min(self.right, other.right),
        )

    def grown(self, by: int) -> "Window":
        """With so many more on every side."""
        return Window(self.top - by, self.bottom + by, self.left - by, self.right + by)

    def halved(self) -> "Window":
        """The samples (i >> 1, j >> 1) of the samples (i, j) within."""
        return Window(self.top >> 1, (self.bottom + 1) >> 1, self.left >> 1, (self.right + 1) >> 1)

    def places(self, top: int = 0, left: int = 0) -> "Window":
        """The places (i, j) of which sample (2 i + top, 2 j + left) is within.

        The window begins at even rows and columns.
        """
        return Window(
            self.top // 2,
            (self.bottom - top + 1) // 2,
            self.left // 2,
            (self.right - left + 1) // 2,
        )


@dataclass(frozen=True, slots=True)
class Tiling:
    """How latents are cut into segments (FORMAT.md, section 8).

    Attributes:
        log_side: log2 of the most samples along a side of a tile.
        shared: exponent of the finest of the grids that share the first segment; one more than
            the coarsest if none does.
    """

    log_side: int
    shared: int


Part = tuple[tuple[int, Window], ...]
"""What a segment holds: exponents of grids and windows of them, in the order of coding."""

Shapes = Mapping[int, tuple[int, int]]
"""Rows and columns of grids by exponent."""


class Layout:
    """Where in a file the latents of a picture are.

    Attributes:
        shared: exponents of the grids that share the first segment, coarsest first; may be empty.
        tiled: exponents of the others, coarsest first.
    """

    def __init__(self, tiling: Tiling, shapes: Shapes) -> None:
        """Lay out grids of these ``shapes``."""
        exponents = sorted(shapes, reverse=True)
        self.shapes = dict(shapes)
        self.shared = tuple(each for each in exponents if each >= tiling.shared)
        self.tiled = tuple(each for each in exponents if each < tiling.shared)
        self._edges, self._first = {}, {}
        count = int(bool(self.shared))
        for exponent in self.tiled:
            down, across = (_edges(length, tiling.log_side) for length in shapes[exponent])
            self._edges[exponent], self._first[exponent] = (down, across), count
            count += (len(down) - 1) * (len(across) - 1)
        self._count = count

    def __len__(self) -> int:
        """How many segments there are."""
        return self._count

    def parts(self) -> Iterator[Part]:
        """What each segment holds, in the order of the file."""
        if self.shared:
            yield self.shared_part()
        for exponent in self.tiled:
            rows, columns = (len(edges) - 1 for edges in self._edges[exponent])
            for down in range(rows):
                for across in range(columns):
                    yield ((exponent, self._tile(exponent, down, across)),)

    def shared_part(self) -> Part:
        """What the first segment holds, if grids share it."""
        return tuple((each, Window.whole(self.shapes[each])) for each in self.shared)

    def groups(self) -> Iterator[tuple[tuple[int, ...], range]]:
        """Exponents of grids, and the numbers of the segments that hold them, in file order."""
        if self.shared:
            yield self.shared, range(1)
        ends = [*self._first.values(), self._count][1:]
        for (exponent, first), end in zip(self._first.items(), ends, strict=True):
            yield (exponent,), range(first, end)

    def tiles(self, exponent: int, window: Window) -> dict[int, Window]:
        """Window of a tiled grid, not empty -> the tiles that it touches, by number of segment."""
        down, across = self._edges[exponent]
        rows = range(bisect_right(down, window.top) - 1, bisect_left(down, window.bottom))
        columns = range(bisect_right(across, window.left) - 1, bisect_left(across, window.right))
        first, row = self._first[exponent], len(across) - 1
        return {first + i * row + j: self._tile(exponent, i, j) for i in rows for j in columns}

    def under(self, exponent: int, window: Window) -> dict[int, Window]:
        """Tile of a grid, or several that make a window -> what it sees of coarser grids."""
        seen = window.places().grown(1)
        return {
            coarser: one.common(Window.whole(self.shapes[coarser]))
            for coarser, one in ((exponent + 1, seen), (exponent + 2, seen.halved()))
            if coarser in self.shapes
        }

    def segments_at(self, exponent: int, window: Window) -> list[int]:
        """Window of a grid, not empty -> numbers of the segments that hold it."""
        return list(self.tiles(exponent, window)) if exponent in self._edges else [0]

    def needed(self, windows: Mapping[int, Window]) -> list[dict[int, Part]]:
        """Windows of grids -> the parts they need by number of segment, coarse ones first.

        Those of one list entry do not need each other.
        """
        wanted: dict[int, Window] = dict(windows)
        found: list[dict[int, Part]] = []
        for exponent in reversed(self.tiled):
            if exponent not in wanted:
                continue
            tiles = self.tiles(exponent, wanted[exponent])
            found.append({number: ((exponent, tile),) for number, tile in tiles.items()})
            for coarser, window in self.under(exponent, around(tiles.values())).items():
                wanted[coarser] = around([window, wanted.get(coarser, window)])
        if any(exponent in self.shared for exponent in wanted):
            found.append({0: self.shared_part()})
        return found[::-1]

    def _tile(self, exponent: int, row: int, column: int) -> Window:
        down, across = self._edges[exponent]
        return Window(down[row], down[row + 1], across[column], across[column + 1])


def around(windows: Iterable[Window]) -> Window:
    """Windows, one at least -> the smallest that holds all."""
    tops, bottoms, lefts, rights = zip(
        *((each.top, each.bottom, each.left, each.right) for each in windows), strict=True
    )
    return Window(min(tops), max(bottoms), min(lefts), max(rights))


def _edges(length: int, log_side: int) -> list[int]:
    """Samples along an axis -> where tiles begin, and the end: about equal, each an even number."""
    tiles, places = -(-length >> log_side), (length + 1) // 2
    return [2 * (number * places // tiles) for number in range(tiles)] + [length]


# What this project's encoder chooses; a file may have any. A segment takes some four bytes and what
# its walls cost: decision 15.
_LOG_SIDE: Final = 9
_LOG_SIDE_IF_LARGE: Final = 8  # so that a crop touches a tenth of the latents, not a fifth
_LARGE_PIXELS: Final = 1 << 23
_MOST_SHARED_SAMPLES: Final = 1 << 14  # of a grid


def choose_tiling(shapes: Shapes) -> Tiling:
    """Shapes of the grids -> how this project's encoder cuts them."""
    shared = max(shapes) + 1
    for exponent in sorted(shapes, reverse=True):
        if math.prod(shapes[exponent]) > _MOST_SHARED_SAMPLES:
            break
        shared = exponent
    finest = min(shapes)
    is_large = math.prod(shapes[finest]) << 2 * finest >= _LARGE_PIXELS
    return Tiling(_LOG_SIDE_IF_LARGE if is_large else _LOG_SIDE, shared)
