"""Rectangles of samples: which of a grid are coded together, and what a prediction may see."""

from dataclasses import dataclass
from typing import Self


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
