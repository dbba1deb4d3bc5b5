"""Measures and a large picture, some rows at a time -> what ``Blend`` says of it, in little memory.

The force of a measure is followed up to the renewal before: that of this one is known only when all
rows have been gone through.
"""

import math

import torch
from torch import Tensor

from sirencodec.fitting.loss.pixel.alpha import (
    alpha_targets,
    composite,
    has_alpha,
    premultiplied,
    weights_of,
)
from sirencodec.fitting.loss.pixel.blend_settings import BlendSettings
from sirencodec.fitting.loss.pixel.measures import swath_measure_of
from sirencodec.fitting.loss.pixel.swaths import MARGIN, Swath, cut_image
from sirencodec.fitting.loss.pixel_rows import PackedRows, PixelRows
from sirencodec.image.samples import num_colours
from sirencodec.synthesis.threads import Workers


class SwathBlend:
    """The blend of measures of one large image; see ``Blend``.

    Attributes:
        curvature: of colours, relative to squared error, that the targets were last renewed for.
    """

    def __init__(
        self,
        image: PixelRows,
        settings: BlendSettings,
        workers: Workers,
        rows: int | None = None,
    ) -> None:
        """Remember the original.

        Args:
            image: values, 0 to 1.
            settings: shares and memory.
            workers: threads to share the work among.
            rows: of a swath; None if size decides.
        """
        self._image, self._settings = image, settings
        channels, height, width = image.shape
        self._num_colours, self._count = num_colours(channels), height * width
        shape = self._num_colours, height, width
        self._swaths = cut_image(height, width, rows)
        self._measures = [
            swath_measure_of(name, shape, self._swaths, workers) for name, _ in settings.shares
        ]
        self._squares: list[float | None] = [None] * (1 + len(self._measures))
        self.curvature = 1.0

    def weights(self, top: int, bottom: int) -> Tensor | None:
        """Rows -> (channels, rows, width), what squared error counts for; None if 1 everywhere."""
        image = self._image.rows(top, bottom)
        if not has_alpha(image) and self.curvature == 1:
            return None
        weights = weights_of(image) if has_alpha(image) else torch.ones_like(image)
        weights[: self._num_colours] *= self.curvature
        return weights

    def renew(self, picture: PackedRows, curvature: float = 1.0) -> float:
        """Values of a picture -> targets in their place, and its mean squared error.

        Args:
            picture: values, which become targets.
            curvature: that the blend is taken to have, relative to squared error's.
        """
        self.curvature = curvature if self._measures else 1.0
        error, own_square = self._look(picture)
        own_force = self._follow(0, own_square)
        if self._measures and self._squares[1] is None:
            self._judge(picture, own_force, write=False)
        self._judge(picture, own_force, write=True)
        return error

    def score(self, picture: PackedRows) -> float:
        """Values of a picture -> number of the first measure."""
        for swath in self._swaths:
            values, original = self._seen(picture, swath)
            self._measures[0].look(swath, values, original)
        return self._measures[0].settle()

    @property
    def has_measures(self) -> bool:
        """Whether anything but squared error has a share."""
        return bool(self._measures)

    def _look(self, picture: PackedRows) -> tuple[float, float]:
        """First pass -> mean squared error, and that of colours as it counts."""
        total = own = 0.0
        for swath in self._swaths:
            values = picture.rows(swath.top, swath.bottom)
            image = self._image.rows(swath.top, swath.bottom)
            total += _sum_of_squares(premultiplied(values) - premultiplied(image))
            error = (values - image)[: self._num_colours]
            own += _sum_of_squares(error * image[-1:] if has_alpha(image) else error)
            if self._measures:
                seen_values, original = self._seen(picture, swath)
                for measure in self._measures:
                    measure.look(swath, seen_values, original)
        for measure in self._measures:
            measure.settle()
        return total / (self._count * self._image.shape[0]), own / self._colour_count

    def _judge(self, picture: PackedRows, own_force: float, *, write: bool) -> None:
        """Second pass: forces of measures are followed, and targets written if wanted."""
        squares = [0.0] * len(self._measures)
        above = picture.rows(0, 0)  # values of rows whose targets are written already
        for swath in self._swaths:
            values = torch.cat([above, picture.rows(swath.first + above.shape[1], swath.last)], 1)
            original = self._image.rows(swath.first, swath.last)
            shown, compared = self._shown(values, original), self._shown(original, original)
            own = slice(swath.top - swath.first, swath.bottom - swath.first)
            error = values[: self._num_colours, own] - original[: self._num_colours, own]
            pull = error.clone()  # N / 2 times G
            for number, (measure, (_, share)) in enumerate(
                zip(self._measures, self._settings.shares, strict=True)
            ):
                gradient = measure.gradient(swath, shown, compared)
                alpha = original[-1:, own] if has_alpha(original) else None
                squares[number] += _sum_of_squares(gradient if alpha is None else gradient * alpha)
                force = math.sqrt(self._squares[number + 1] or 0.0)
                if write and force > 0:
                    pull.sub_(error, alpha=share)
                    pull.sub_(gradient, alpha=measure.better * share * own_force / force)
                del gradient  # before the next one is made
            if write:
                above = values[:, max(0, own.stop - MARGIN) : own.stop].clone()
                self._write(picture, swath.top, values[:, own], original[:, own], pull)
        for number, square in enumerate(squares, 1):
            self._follow(number, square / self._colour_count)

    def _write(
        self, picture: PackedRows, top: int, values: Tensor, original: Tensor, pull: Tensor
    ) -> None:
        """Values of some rows and what pulls at them -> their targets."""
        colours = values[: self._num_colours] - pull / self.curvature
        if has_alpha(original):
            colours = torch.cat([colours, alpha_targets(values[-1:], original[-1:])])
        picture.put(top, colours)

    def _seen(self, picture: PackedRows, swath: Swath) -> tuple[Tensor, Tensor]:
        """What measures see of the picture and of the original, in the rows of a swath."""
        original = self._image.rows(swath.first, swath.last)
        values = picture.rows(swath.first, swath.last)
        return self._shown(values, original), self._shown(original, original)

    def _shown(self, values: Tensor, original: Tensor) -> Tensor:
        """Values -> the colours that measures see, over gray by the original's alpha."""
        if not has_alpha(original):
            return values
        return composite(values[: self._num_colours], original)

    @property
    def _colour_count(self) -> int:
        return self._count * self._num_colours

    def _follow(self, number: int, square: float) -> float:
        """Mean square of a gradient -> its root, as the running mean of squares has it."""
        before = self._squares[number]
        memory = 0.0 if before is None else self._settings.memory
        followed = memory * (before or 0.0) + (1 - memory) * square
        self._squares[number] = followed
        return math.sqrt(followed)


def _sum_of_squares(values: Tensor) -> float:
    return float(values.square().sum(dtype=torch.float64))
