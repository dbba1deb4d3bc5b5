"""Values and the original -> how good they are, and where they would be better.

Of a large image a measure is asked some rows at a time, in two passes: what it pools is known only
after the first.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

from torch import Tensor

from sirencodec.fitting.loss.pixel.swaths import Swath


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


class SwathMeasure(Protocol):
    """A measure of an image that is shown a swath at a time; see ``Measure``.

    Values and the original are (channels, rows, width), of the rows that a swath sees.
    """

    better: ClassVar[int]

    def look(self, swath: Swath, values: Tensor, original: Tensor) -> None:
        """First pass: add up what is pooled."""
        ...

    def settle(self) -> float:
        """All swaths have been looked at -> the number."""
        ...

    def gradient(self, swath: Swath, values: Tensor, original: Tensor) -> Tensor:
        """Second pass -> the number's gradient with respect to the swath's own rows."""
        ...
