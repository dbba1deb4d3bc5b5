"""What a picture is compared with: targets and weights of squared error, a swath at a time.

Loops read whole strips of columns, so rows have room for these.
"""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from sirencodec.fitting.loss.pixel_rows import PixelRows
from sirencodec.native.tasks import rounded_up


class Held:
    """Targets and weights of some rows, as loops read them.

    Attributes:
        targets: (channels, rows, columns).
        weights: (channels or 1, rows, columns); None for 1 everywhere.
        first: the image's row that they begin at.
    """

    __slots__ = ("first", "targets", "weights")

    def __init__(self, targets: Tensor, weights: Tensor | None, first: int) -> None:
        """Hold these."""
        self.targets, self.weights, self.first = targets, weights, first


class HeldTargets(Protocol):
    """Targets of a whole image.

    Attributes:
        shape: channels, height and width.
    """

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        ...

    def of_rows(self, top: int, bottom: int) -> Held:
        """Rows -> their targets and weights, in memory that the next call may overwrite."""
        ...


class WholeTargets:
    """Targets that are kept as loops read them."""

    def __init__(self, targets: Tensor) -> None:
        """Keep (channels, height, width) targets."""
        channels, height, self._width = targets.shape
        self._targets = targets.new_zeros(channels, height, rounded_up(self._width))
        self._weights, self._is_weighted = targets.new_empty(0), False
        self.set(targets, None)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        channels, height, _ = self._targets.shape
        return channels, height, self._width

    def set(self, targets: Tensor, weights: Tensor | None) -> None:
        """Replace targets and weights. See ``DistortionTerm.set_targets``."""
        self._targets[:, :, : self._width] = targets
        self._is_weighted = weights is not None
        if weights is None:
            return
        if len(weights) not in (1, len(self._targets)):
            raise ValueError(f"{len(weights)} planes of weights for {len(self._targets)} channels")
        if len(self._weights) != len(weights):
            self._weights = self._targets.new_zeros(len(weights), *self._targets.shape[1:])
        self._weights[:, :, : self._width] = weights

    def of_rows(self, top: int, bottom: int) -> Held:
        """See ``HeldTargets``: everything, whatever the rows."""
        return Held(self._targets, self._weights if self._is_weighted else None, 0)


class SwathTargets:
    """Targets that are converted when they are needed.

    Attributes:
        targets: values wanted.
        weights: rows -> (channels or 1, rows, width); None for 1 everywhere.
    """

    def __init__(
        self,
        targets: PixelRows,
        weights: Callable[[int, int], Tensor | None] = lambda _top, _bottom: None,
    ) -> None:
        """Compare with these."""
        self.targets, self.weights = targets, weights
        self._room = torch.zeros(0, 0, 0)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        return self.targets.shape

    def of_rows(self, top: int, bottom: int) -> Held:
        """See ``HeldTargets``."""
        weights = self.weights(top, bottom)
        targets = self._strips(self.targets.rows(top, bottom), self._room)
        self._room = targets
        return Held(
            targets,
            None if weights is None else self._strips(weights, torch.zeros(0, 0, 0)),
            top,
        )

    def _strips(self, values: Tensor, room: Tensor) -> Tensor:
        """(channels, rows, width) -> the same with columns in whole strips; zeros beyond."""
        channels, rows, width = values.shape
        shape = channels, rows, rounded_up(width)
        filled = room if room.shape == shape else values.new_zeros(shape)
        filled[:, :, :width] = values
        return filled
