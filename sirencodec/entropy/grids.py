"""Latent grids that are zeros until they are decoded."""

from collections.abc import Iterator, Mapping
from threading import Lock

import numpy as np

from sirencodec.bitstream.tiling import Shapes, Window
from sirencodec.entropy.prediction import Levels

Windows = Mapping[int, Window]
"""Parts of grids by exponent."""


class Grids(Mapping[int, Levels]):
    """Grids by exponent, each of its full shape from when it is first looked at.

    An operating system gives memory to the zeros of an array when they are overwritten. So a grid
    takes what has been decoded of it.
    """

    def __init__(self, shapes: Shapes) -> None:
        """Grids of these ``shapes``."""
        self.shapes = dict(shapes)
        self._arrays: dict[int, Levels] = {}
        self._lock = Lock()

    def __getitem__(self, exponent: int) -> Levels:
        with self._lock:
            if exponent not in self._arrays:
                self._arrays[exponent] = np.zeros(self.shapes[exponent], np.int32)
            return self._arrays[exponent]

    def __iter__(self) -> Iterator[int]:
        return iter(self.shapes)

    def __len__(self) -> int:
        return len(self.shapes)


def whole_windows(shapes: Shapes) -> Windows:
    """Shapes of grids -> all of every grid."""
    return {exponent: Window.whole(shape) for exponent, shape in shapes.items()}
