"""Matrices and grids of a stage -> the loss of its picture, and the gradient.

The loss is D + bit_error * B (``loss.costs``). D is the mean squared error, or what stands in for a
blend of measures (``loss.pixel.blend``): squared error with targets that are renewed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from sirencodec.fitting.loss.appraisal import appraisal_of
from sirencodec.fitting.loss.costs import Distortion, Rate
from sirencodec.fitting.loss.pixel.blend_settings import BlendSettings
from sirencodec.fitting.loss.pixel_rows import PixelRows
from sirencodec.fitting.loss.terms import rate_of
from sirencodec.fitting.pyramid.matrices import Parts
from sirencodec.fitting.pyramid.stage import StageView
from sirencodec.fitting.rdoq import Contributions
from sirencodec.synthesis.threads import Workers


@dataclass(frozen=True, slots=True, eq=False)
class Loss:
    """Both terms of a loss, and its gradient.

    Attributes:
        squared_error: mean squared error as of late; D, if squared error is all there is.
        bits: B.
        matrices: gradient with respect to all matrices; zero for what the stage does not show.
        latents: gradient with respect to each grid.
    """

    squared_error: float
    bits: float
    matrices: Parts
    latents: list[Tensor]


class StageLoss:
    """The loss of one stage's picture."""

    def __init__(
        self,
        view: StageView,
        image: Tensor | PixelRows,
        shapes: Sequence[tuple[int, int]],
        parts: Parts,
        blend: BlendSettings,
        workers: Workers,
    ) -> None:
        """Make both terms.

        Args:
            view: what the stage shows of all matrices.
            image: (channels, height, width) values wanted, reduced as the stage is; a large one
                by rows.
            shapes: (rows, columns) of each grid that is shown.
            parts: matrices will be shaped like these.
            blend: of measures, which is followed if the stage is fine enough.
            workers: threads to share the work among.
        """
        self._view = view
        local = [exponent - view.octaves for exponent in view.exponents]
        like = parts.kernels.new_empty(0)
        self._rate = rate_of(view.exponents, shapes, like, workers)
        self._period, self._calls = blend.period, 0
        _, height, width = image.shape
        self._num_pixels = height * width
        if view.octaves > blend.most_octaves:
            blend = BlendSettings()
        layers = view.layers(parts.layers)
        self._appraisal = appraisal_of(image, local, layers, blend, workers)

    def __call__(
        self, parts: Parts, grids: Sequence[Tensor], bit_error: float, adapted_layers: int
    ) -> Loss:
        """All matrices and the stage's grids -> loss and gradient.

        Args:
            parts: all matrices.
            grids: latents, whole or not.
            bit_error: error that a bit is worth.
            adapted_layers: how many layers of each context network, from the last, are trained.
        """
        appraisal, shown = self._appraisal, self._view.shown(parts, grids)
        renews = appraisal.renews and self._calls % self._period == 0
        distortion = appraisal.distortion(*shown, values=appraisal.room if renews else None)
        if renews:
            self._squared_error = appraisal.renew()
        elif not appraisal.renews:
            self._squared_error = distortion.error
        rate = self._rate(grids, parts.networks, bit_error, adapted_layers)
        self._calls += 1
        matrices = self._view.gradient(distortion.gradient, rate.context_networks, parts)
        latents = _with_respect_to_latents(distortion, rate)
        return Loss(self._squared_error, sum(rate.bits), matrices, latents)

    def follow(self, parts: Parts, grids: Sequence[Tensor], curvature: float) -> None:
        """Let D stand for the blend around this picture; without measures it does anyway.

        Args:
            parts: all matrices.
            grids: latents.
            curvature: that the blend is taken to have, relative to squared error.
        """
        if self._appraisal.renews:
            shown = self._view.shown(parts, grids)
            self._squared_error = self._appraisal.follow(shown, curvature)

    def squared_error(self, parts: Parts, grids: Sequence[Tensor]) -> float:
        """Mean squared error of a picture against the image."""
        return self._appraisal.squared_error(self._view.shown(parts, grids))

    def score(self, parts: Parts, grids: Sequence[Tensor]) -> float:
        """What the fit is tuned for, more being better: of a blend its first measure, or PSNR."""
        return self._appraisal.score(self._view.shown(parts, grids))

    def ssimulacra2(self, parts: Parts, grids: Sequence[Tensor]) -> float:
        """SSIMULACRA2 of a picture against the image."""
        return self._appraisal.ssimulacra2(self._view.shown(parts, grids))

    def largest_error(self, parts: Parts, grids: Sequence[Tensor]) -> float:
        """Largest difference of a value of a picture from the image, as a decoder clamps it."""
        return self._appraisal.largest_error(self._view.shown(parts, grids))

    def error(self, parts: Parts, grids: Sequence[Tensor]) -> float:
        """All matrices and the stage's grids -> D; of a large picture by a sample of its rows."""
        return self._appraisal.error(self._view.shown(parts, grids))

    def bits(self, parts: Parts, grids: Sequence[Tensor], *, is_sampled: bool = False) -> float:
        """All matrices and the stage's grids -> B; of large ones by a sample of rows, if so."""
        return self._rate.bits(grids, parts.networks, is_sampled=is_sampled)

    def contributions(
        self, parts: Parts, grids: Sequence[Tensor], bit_error: float, count: int
    ) -> Iterator[Contributions]:
        """All matrices and the stage's grids -> what pixels and latents add to the loss.

        Args:
            parts: all matrices.
            grids: latents.
            bit_error: error that a bit is worth.
            count: of grids whose latents are wanted, finest first.
        """
        errors_of = self._appraisal.distortion.errors_by_rows(*self._view.shown(parts, grids))
        for top, errors in errors_of:
            yield Contributions(0, top, errors / self._num_pixels)
        for grid, top, lengths in self._rate.code_lengths_by_rows(grids, parts.networks, count):
            yield Contributions(grid + 1, top, bit_error * lengths)

    def latents_gradient(
        self, parts: Parts, grids: Sequence[Tensor], bit_error: float
    ) -> list[Tensor]:
        """All matrices and the stage's grids -> gradient of the loss with respect to each grid."""
        distortion = self._appraisal.distortion(*self._view.shown(parts, grids))
        return _with_respect_to_latents(distortion, self._rate(grids, parts.networks, bit_error))


def _with_respect_to_latents(distortion: Distortion, rate: Rate) -> list[Tensor]:
    """Gradients of both terms -> that of their sum, a grid each, in the memory of the first."""
    pairs = zip(distortion.gradient.grids, rate.grids, strict=True)
    return [of_error.add_(of_bits) for of_error, of_bits in pairs]
