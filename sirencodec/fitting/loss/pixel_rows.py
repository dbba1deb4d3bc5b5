"""Values of a large picture, kept as integers and converted some rows at a time.

Floats of a picture take 12 bytes a pixel, its samples 3. What a fit computes itself, values or
targets, is kept in 16 bits, ``1 / PARTS`` apart: a sixtieth of a level of 8 bits.
"""

from typing import Final, Protocol

import numpy as np
import torch
from torch import Tensor

from sirencodec.image.samples import Samples

ALIGNMENT: Final = 64  # swaths begin where a sample of every grid does
PARTS: Final = 1 << 13  # of 1; values reach from -4 to 4, beyond which no target is of use
_LARGEST: Final = (1 << 15) - 1


class PixelRows(Protocol):
    """An image that is asked for some of its rows.

    Attributes:
        shape: channels, height and width.
    """

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        ...

    def rows(self, top: int, bottom: int) -> Tensor:
        """Rows -> (channels, rows, width) float32 values, which may be a view."""
        ...


class RowSink(Protocol):
    """Takes values of a picture as they are computed, from top to bottom."""

    def put(self, top: int, values: Tensor) -> None:
        """First row and (channels, rows, width) values from there on."""
        ...


class TensorRows:
    """Rows of a (channels, height, width) tensor."""

    def __init__(self, image: Tensor) -> None:
        """Look at ``image``."""
        self._image = image

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        channels, height, width = self._image.shape
        return channels, height, width

    def rows(self, top: int, bottom: int) -> Tensor:
        """Rows -> a view of them."""
        return self._image[:, top:bottom]


class SampleRows:
    """Rows of (height, width, channels) uint8 or uint16 samples, as values from 0 to 1."""

    def __init__(self, samples: Samples) -> None:
        """Look at ``samples``."""
        self._samples, self._peak = samples, np.iinfo(samples.dtype).max

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        height, width, channels = self._samples.shape
        return channels, height, width

    def rows(self, top: int, bottom: int) -> Tensor:
        """Rows -> their values, channel by channel in memory."""
        part = np.moveaxis(self._samples[top:bottom], 2, 0)
        return torch.from_numpy(part.astype(np.float32, order="C")).div_(int(self._peak))


class PackedRows:
    """Values that are written and read by rows, in 16 bits."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        """Make room for so many channels, rows and columns."""
        self._numbers = torch.zeros(shape, dtype=torch.int16)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        channels, height, width = self._numbers.shape
        return channels, height, width

    def rows(self, top: int, bottom: int) -> Tensor:
        """Rows -> their values."""
        return self._numbers[:, top:bottom].float().mul_(1 / PARTS)

    def put(self, top: int, values: Tensor) -> None:
        """First row and values from there on; what is out of range comes to its end."""
        numbers = (values * PARTS).round_().clamp_(-_LARGEST, _LARGEST)
        self._numbers[:, top : top + values.shape[1]] = numbers
