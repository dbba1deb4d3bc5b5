"""Image -> batches of pixels that each represent the whole of it."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]


class Batches(Protocol):
    """Endless batches of pixel indices, all of one size."""

    @property
    def batch_pixels(self) -> int:
        """Indices in a batch, near the number asked for."""

    def __next__(self) -> Indices:
        """(batch_pixels,) int64 indices into the pixels, rows first."""


class StratifiedBatches(Iterator[Indices]):
    """Endless batches of pixel indices, each spread evenly over the image.

    Pixels are put in an order that keeps neighbours together and cut into as many groups as a batch
    has pixels; a batch takes one pixel at random from every group, without replacement until all
    pixels have been used. Against plain random batches this removes most of the gradient's noise.
    Where the pixels do not fill the last group, some come twice.

    Attributes:
        batch_pixels: indices in a batch, near the number asked for.
    """

    def __init__(
        self,
        width: int,
        height: int,
        batch_pixels: int,
        generator: np.random.Generator,
        block: int = 8,
    ) -> None:
        """Prepare batches of about ``batch_pixels``, or of all pixels if there are no more.

        Args:
            width: of the image.
            height: of the image.
            batch_pixels: wanted in a batch.
            generator: that draws.
            block: side in pixels of what is so alike that one pixel stands for all; by eye.
        """
        order = _blockwise_order(width, height, block)
        group_pixels = max(1, round(len(order) / batch_pixels))
        missing = -len(order) % group_pixels
        self._groups = np.concatenate([order, order[:missing]]).reshape(-1, group_pixels)
        self._generator = generator
        self._pending: list[Indices] = []
        self.batch_pixels = len(self._groups)

    def __next__(self) -> Indices:
        """(batch_pixels,) int64 indices into the pixels, rows first."""
        if not self._pending:
            shuffled = self._generator.permuted(self._groups, axis=1)
            self._pending = list(np.ascontiguousarray(shuffled.T))
        return self._pending.pop()


def _blockwise_order(width: int, height: int, side: int) -> Indices:
    """Pixel indices sorted by block of side x side, then by position in it."""
    rows, columns = np.divmod(np.arange(width * height, dtype=np.int64), width)
    blocks_across = -(-width // side)
    block = rows // side * blocks_across + columns // side
    return np.argsort(block, kind="stable")
