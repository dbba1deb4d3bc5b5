"""Values and the original -> how good they are, and where they would be better."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """What a measure says of an image.

    Attributes:
        value: on the measure's own public scale.
        gradient: (channels, height, width), of the value with respect to the image's values; finite
            everywhere, and zero where the measure has none.
    """

    value: float
    gradient: Tensor


class Measure(Protocol):
    """A measure that has seen the original.

    It is built from ``targets``, (channels, height, width) sRGB-encoded values from 0 to 1, of one
    channel (gray is taken as equal red, green and blue) or three. Values are of the same shape,
    dtype and device. A network's may lie outside the range: unless a measure says otherwise they
    are clamped, as a decoder clamps them, and the gradient with respect to those outside is zero.

    Attributes:
        better: 1 where more is better, -1 where less is.
    """

    better: ClassVar[int]

    def __call__(self, values: Tensor) -> Score:
        """Values -> number and gradient."""
        ...

    def value(self, values: Tensor) -> float:
        """Values -> number alone, with less work."""
        ...
