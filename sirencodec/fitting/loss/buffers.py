"""Names and shapes -> memory that is used again.

A fit computes the same intermediate results thousands of times over. Allocating them anew would
take a third of its time (benchmarks/LOG.md, entry 1).
"""

from torch import Tensor


class Buffers:
    """Scratch tensors of one dtype on one device, made when first asked for."""

    def __init__(self, like: Tensor) -> None:
        """Take dtype and device from ``like``."""
        self._like = like
        self._tensors: dict[tuple[str, tuple[int, ...]], Tensor] = {}

    def __call__(self, name: str, *shape: int) -> Tensor:
        """The tensor of this name and shape; it holds what was last written to it."""
        key = name, shape
        if key not in self._tensors:
            self._tensors[key] = self._like.new_empty(shape)
        return self._tensors[key]
