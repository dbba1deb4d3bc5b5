"""An appraisal that converts some rows of a large image at a time."""

from collections.abc import Sequence

import torch
from torch import Tensor

from sirencodec.fitting.loss.distortion_native import NativeDistortion
from sirencodec.fitting.loss.distortion_targets import SwathTargets
from sirencodec.fitting.loss.pixel.alpha import premultiplied
from sirencodec.fitting.loss.pixel.blend_settings import BlendSettings
from sirencodec.fitting.loss.pixel.blend_swaths import SwathBlend
from sirencodec.fitting.loss.pixel.score import score_by_swaths
from sirencodec.fitting.loss.pixel_rows import PackedRows, PixelRows
from sirencodec.fitting.loss.terms import Shown, mean_error
from sirencodec.fitting.loss.values import psnr_db
from sirencodec.native.tensors import loops_for
from sirencodec.synthesis.threads import Workers


class SwathAppraisal:
    """An ``Appraisal`` that converts some rows of its image at a time."""

    def __init__(
        self,
        image: PixelRows,
        exponents: Sequence[int],
        blend: BlendSettings,
        workers: Workers,
        rows: int | None = None,
    ) -> None:
        """See ``appraisal_of``.

        Args:
            image: values, 0 to 1.
            exponents: of the grids, rising.
            blend: of measures.
            workers: threads to share the work among.
            rows: of a swath, a multiple of 64; None if size decides.

        Raises:
            ValueError: if nothing was compiled.
        """
        loops = loops_for(torch.float32, "cpu")
        if loops is None:
            raise ValueError("pictures go by swaths only where loops are compiled")
        self._image, self._workers, self._rows = image, workers, rows
        self._blend: SwathBlend | None = None
        targets = SwathTargets(image)
        if blend.shares or image.shape[0] in (2, 4):
            self._blend = SwathBlend(image, blend, workers, rows)
            self.room = PackedRows(image.shape)
            fill(self.room, image)
            targets = SwathTargets(self.room, self._blend.weights)
        self.distortion = NativeDistortion(targets, exponents, workers, loops, rows)

    @property
    def renews(self) -> bool:
        """See ``Appraisal``."""
        return self._blend is not None

    def renew(self, curvature: float = 1.0) -> float:
        """See ``Appraisal``."""
        if self._blend is None:
            raise TypeError("squared error needs no targets but the image")
        return self._blend.renew(self.room, curvature)

    def follow(self, shown: Shown, curvature: float) -> float:
        """See ``Appraisal``."""
        self.distortion.put_values(self.room, *shown)
        return self.renew(curvature)

    def error(self, shown: Shown) -> float:
        """See ``Appraisal``."""
        return mean_error(self.distortion, shown, is_sampled=True)

    def squared_error(self, shown: Shown) -> float:
        """See ``Appraisal``."""
        if self._blend is None:
            return mean_error(self.distortion, shown)
        differences = _Differences(self._image)
        self.distortion.put_values(differences, *shown)
        return differences.mean_square

    def score(self, shown: Shown) -> float:
        """See ``Appraisal``."""
        if self._blend is None or not self._blend.has_measures:
            return psnr_db(self.squared_error(shown))
        return self._blend.score(self._packed(shown))

    def ssimulacra2(self, shown: Shown) -> float:
        """See ``Appraisal``."""
        return score_by_swaths(self._image, self._packed(shown), self._workers, self._rows)

    def largest_error(self, shown: Shown) -> float:
        """See ``Appraisal``."""
        differences = _Differences(self._image, is_clamped=True)
        self.distortion.put_values(differences, *shown)
        return differences.largest

    def _packed(self, shown: Shown) -> PackedRows:
        packed = PackedRows(self._image.shape)
        self.distortion.put_values(packed, *shown)
        return packed


class _Differences:
    """Takes rows of a picture and sums up how far they are off, colours counted by their alpha.

    Attributes:
        largest: difference so far.
    """

    def __init__(self, image: PixelRows, *, is_clamped: bool = False) -> None:
        self._image, self._is_clamped = image, is_clamped
        self._squares, self._count, self.largest = 0.0, 0, 0.0

    def put(self, top: int, values: Tensor) -> None:
        """See ``RowSink``."""
        if self._is_clamped:
            values = values.clamp(0, 1)
        image = self._image.rows(top, top + values.shape[1])
        difference = premultiplied(values) - premultiplied(image)
        self._squares += float(difference.square().sum(dtype=torch.float64))
        self._count += difference.numel()
        self.largest = max(self.largest, float(difference.abs().max()))

    @property
    def mean_square(self) -> float:
        """Of all differences so far."""
        return self._squares / self._count


def fill(packed: PackedRows, image: PixelRows, rows: int = 64) -> None:
    """Image -> the same in 16 bits."""
    height = image.shape[1]
    for top in range(0, height, rows):
        packed.put(top, image.rows(top, min(top + rows, height)))
