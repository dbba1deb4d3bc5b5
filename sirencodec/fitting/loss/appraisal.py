"""What a fit's picture is made of -> how good it is, and what squared error should come near.

A small image is held whole as floats. Of a large one the samples are, and what a fit finds is kept
in 16 bits: see ``pixel_rows``. Both say the same but for rounding.
"""

from collections.abc import Sequence
from typing import Final, Protocol

import torch
from torch import Tensor

from sirencodec.fitting.loss.distortion_native import NativeDistortion
from sirencodec.fitting.loss.distortion_targets import SwathTargets
from sirencodec.fitting.loss.pixel.alpha import has_alpha, premultiplied
from sirencodec.fitting.loss.pixel.blend import Blend
from sirencodec.fitting.loss.pixel.blend_settings import BlendSettings
from sirencodec.fitting.loss.pixel.blend_swaths import SwathBlend
from sirencodec.fitting.loss.pixel.score import Judge, score_by_swaths
from sirencodec.fitting.loss.pixel_rows import PackedRows, PixelRows, RowSink, TensorRows
from sirencodec.fitting.loss.terms import DistortionTerm, distortion_of
from sirencodec.fitting.loss.values import psnr_db
from sirencodec.native.tensors import loops_for
from sirencodec.synthesis.threads import Workers

Shown = tuple[Sequence[Tensor], Tensor, Sequence[Tensor], Sequence[Tensor]]
"""What a picture is made of: layers, kernels, grids and refinement, as a distortion takes them."""


WHOLE_PIXELS: Final = 1 << 19  # images of up to so many are held whole, at 300 bytes each


class Appraisal(Protocol):
    """Judges pictures of one image.

    Attributes:
        distortion: from the image, or from targets that stand for a blend.
        renews: whether targets are to be renewed: they stand for more than squared error.
        room: where the values of a picture go that targets are renewed for.
    """

    @property
    def distortion(self) -> DistortionTerm:
        """From the targets."""
        ...

    @property
    def renews(self) -> bool:
        """Whether targets are to be renewed."""
        ...

    @property
    def room(self) -> Tensor | RowSink:
        """Where values go."""
        ...

    def renew(self, curvature: float = 1.0) -> float:
        """Values in ``room`` -> targets renewed, and their mean squared error."""
        ...

    def follow(self, shown: Shown, curvature: float) -> float:
        """The same for a picture that is made of this."""
        ...

    def error(self, shown: Shown) -> float:
        """Picture -> D, by a sample of its rows where there are many."""
        ...

    def squared_error(self, shown: Shown) -> float:
        """Picture -> mean squared error, colours counted by their alpha."""
        ...

    def score(self, shown: Shown) -> float:
        """Picture -> what the fit is tuned for: the blend's first measure, or PSNR."""
        ...

    def ssimulacra2(self, shown: Shown) -> float:
        """Picture -> its SSIMULACRA2."""
        ...

    def largest_error(self, shown: Shown) -> float:
        """Picture -> largest difference of a value from the image, as a decoder clamps it."""
        ...


def is_large(shape: tuple[int, int, int]) -> bool:
    """Channels, height and width -> whether an image on a CPU goes by swaths."""
    return shape[1] * shape[2] > WHOLE_PIXELS and loops_for(torch.float32, "cpu") is not None


def appraisal_of(
    image: Tensor | PixelRows,
    exponents: Sequence[int],
    layers: Sequence[Tensor],
    blend: BlendSettings,
    workers: Workers,
) -> Appraisal:
    """Image and blend -> who judges pictures of it.

    Args:
        image: (channels, height, width) values, 0 to 1, whole or by rows.
        exponents: of the grids, rising.
        layers: networks will be shaped like this.
        blend: of measures.
        workers: threads to share the work among.
    """
    if not isinstance(image, Tensor):
        return SwathAppraisal(image, exponents, blend, workers)
    if image.device.type == "cpu" and is_large((len(image), *image.shape[1:])):
        return SwathAppraisal(TensorRows(image), exponents, blend, workers)
    return WholeAppraisal(image, exponents, layers, blend, workers)


class WholeAppraisal:
    """An ``Appraisal`` that holds its image as floats."""

    def __init__(
        self,
        image: Tensor,
        exponents: Sequence[int],
        layers: Sequence[Tensor],
        blend: BlendSettings,
        workers: Workers,
    ) -> None:
        """See ``appraisal_of``."""
        self.distortion = distortion_of(image, exponents, layers, workers)
        self._image, self._workers = image, workers
        self._blend: Blend | None = None
        self._judge: Judge | None = None  # made when it is asked
        self.room = image.new_empty(0)
        if blend.shares or has_alpha(image):
            self._blend = Blend(image, blend, workers)
            self.room = image.new_empty(image.shape)
            self.distortion.set_targets(image, self._blend.weights)

    @property
    def renews(self) -> bool:
        """See ``Appraisal``."""
        return self._blend is not None

    def renew(self, curvature: float = 1.0) -> float:
        """See ``Appraisal``."""
        return self._renew(self.room, curvature)

    def follow(self, shown: Shown, curvature: float) -> float:
        """See ``Appraisal``."""
        return self._renew(self.distortion.values(*shown), curvature)

    def error(self, shown: Shown) -> float:
        """See ``Appraisal``."""
        return mean_error(self.distortion, shown, is_sampled=True)

    def squared_error(self, shown: Shown) -> float:
        """See ``Appraisal``."""
        if self._blend is None:
            return mean_error(self.distortion, shown)
        values = self.distortion.values(*shown)
        return self._difference(values).square().mean(dtype=torch.float64).item()

    def score(self, shown: Shown) -> float:
        """See ``Appraisal``."""
        if self._blend is None or not self._blend.has_measures:
            return psnr_db(self.squared_error(shown))
        return self._blend.score(self.distortion.values(*shown))

    def ssimulacra2(self, shown: Shown) -> float:
        """See ``Appraisal``."""
        if self._judge is None:
            self._judge = Judge(self._image, self._workers)
        return self._judge.score(self.distortion.values(*shown))

    def largest_error(self, shown: Shown) -> float:
        """See ``Appraisal``."""
        return self._difference(self.distortion.values(*shown).clamp(0, 1)).abs().max().item()

    def _renew(self, values: Tensor, curvature: float) -> float:
        if self._blend is None:
            raise TypeError("squared error needs no targets but the image")
        squared_error = self._difference(values).square().mean().item()
        self.distortion.set_targets(*self._blend.surrogate(values, curvature))
        return squared_error

    def _difference(self, values: Tensor) -> Tensor:
        return premultiplied(values) - premultiplied(self._image)


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


def mean_error(distortion: DistortionTerm, shown: Shown, *, is_sampled: bool = False) -> float:
    """Picture -> D, or about so much by a sample of its rows."""
    total, count = 0.0, 0
    for _, errors in distortion.errors_by_rows(*shown, is_sampled=is_sampled):
        total += float(errors.sum(dtype=torch.float64))
        count += errors.numel()
    return total / count


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
