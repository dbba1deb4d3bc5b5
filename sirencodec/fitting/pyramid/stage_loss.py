"""Matrices and grids of a stage -> the loss of its picture, and the gradient.

The loss is D + bit_error * B (``loss.costs``). D is the mean squared error, or what stands in for a
blend of measures (``loss.pixel.blend``): squared error with targets that are renewed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sirencodec.fitting.loss.costs import Distortion, Rate
from sirencodec.fitting.loss.pixel.alpha import has_alpha, premultiplied
from sirencodec.fitting.loss.pixel.blend import Blend
from sirencodec.fitting.loss.pixel.blend_settings import BlendSettings
from sirencodec.fitting.loss.pixel.measure import Measure
from sirencodec.fitting.loss.pixel.measures import measure_of
from sirencodec.fitting.loss.pixel.score import seen
from sirencodec.fitting.loss.terms import distortion_of, rate_of
from sirencodec.fitting.loss.values import psnr_db
from sirencodec.fitting.pyramid.matrices import Parts
from sirencodec.fitting.pyramid.stage import StageView
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
        image: Tensor,
        shapes: Sequence[tuple[int, int]],
        parts: Parts,
        blend: BlendSettings,
        workers: Workers,
    ) -> None:
        """Make both terms.

        Args:
            view: what the stage shows of all matrices.
            image: (channels, height, width) values wanted, reduced as the stage is.
            shapes: (rows, columns) of each grid that is shown.
            parts: matrices will be shaped like these.
            blend: of measures, which is followed if the stage is fine enough.
            workers: threads to share the work among.
        """
        self._view = view
        local = [exponent - view.octaves for exponent in view.exponents]
        self._distortion = distortion_of(image, local, view.layers(parts.layers), workers)
        self._rate = rate_of(view.exponents, shapes, image, workers)
        self._image, self._period, self._calls = image, blend.period, 0
        self._blend: Blend | None = None
        self._judge: Measure | None = None  # made when it is asked
        self._workers = workers
        if view.octaves > blend.most_octaves:
            blend = BlendSettings()
        if blend.shares or has_alpha(image):
            self._blend = Blend(image, blend, workers)
            self._values = image.new_empty(image.shape)
            self._distortion.set_targets(image, self._blend.weights)

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
        renews = self._blend is not None and self._calls % self._period == 0
        shown = self._view.shown(parts, grids)
        distortion = self._distortion(*shown, values=self._values if renews else None)
        rate = self._rate(grids, parts.networks, bit_error, adapted_layers)
        if self._blend is None:
            self._squared_error = distortion.error
        elif renews:
            self._renew(self._blend, self._values)
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
        if self._blend is not None:
            values = self._distortion.values(*self._view.shown(parts, grids))
            self._renew(self._blend, values, curvature)

    def _renew(self, blend: Blend, values: Tensor, curvature: float = 1.0) -> None:
        """Compare with what the blend would have of a picture with these values."""
        self._squared_error = self._difference(values).square().mean().item()
        self._distortion.set_targets(*blend.surrogate(values, curvature))

    def _difference(self, values: Tensor) -> Tensor:
        """Values of a picture -> how far they are off, colours counted by their alpha."""
        return premultiplied(values) - premultiplied(self._image)

    def squared_error(self, parts: Parts, grids: Sequence[Tensor]) -> float:
        """Mean squared error of a picture against the image."""
        if self._blend is None:
            return self.error(parts, grids)
        values = self._distortion.values(*self._view.shown(parts, grids))
        return self._difference(values).square().mean(dtype=torch.float64).item()

    def score(self, parts: Parts, grids: Sequence[Tensor]) -> float:
        """What the fit is tuned for, more being better: of a blend its first measure, or PSNR."""
        if self._blend is None or not self._blend.has_measures:
            return psnr_db(self.squared_error(parts, grids))
        return self._blend.score(self._distortion.values(*self._view.shown(parts, grids)))

    def ssimulacra2(self, parts: Parts, grids: Sequence[Tensor]) -> float:
        """SSIMULACRA2 of a picture against the image."""
        if self._judge is None:
            self._judge = measure_of("ssimulacra2", seen(self._image), self._workers)
        return self._judge.value(seen(self._distortion.values(*self._view.shown(parts, grids))))

    def largest_error(self, parts: Parts, grids: Sequence[Tensor]) -> float:
        """Largest difference of a value of a picture from the image, as a decoder clamps it."""
        values = self._distortion.values(*self._view.shown(parts, grids)).clamp(0, 1)
        return self._difference(values).abs().max().item()

    def error(self, parts: Parts, grids: Sequence[Tensor]) -> float:
        """All matrices and the stage's grids -> D."""
        errors = self._distortion.errors(*self._view.shown(parts, grids))
        return float(errors.mean(dtype=torch.float64))

    def bits(self, parts: Parts, grids: Sequence[Tensor]) -> float:
        """All matrices and the stage's grids -> B."""
        return self._rate.bits(grids, parts.networks)

    def contributions(
        self, parts: Parts, grids: Sequence[Tensor], bit_error: float
    ) -> list[Tensor]:
        """All matrices and the stage's grids -> what each adds to the loss.

        Returns:
            (height, width) of pixels, then (rows, columns) of each grid's latents.
        """
        errors = self._distortion.errors(*self._view.shown(parts, grids))
        lengths = self._rate.code_lengths(grids, parts.networks)
        return [errors / errors.numel(), *(bit_error * of_grid for of_grid in lengths)]

    def latents_gradient(
        self, parts: Parts, grids: Sequence[Tensor], bit_error: float
    ) -> list[Tensor]:
        """All matrices and the stage's grids -> gradient of the loss with respect to each grid."""
        distortion = self._distortion(*self._view.shown(parts, grids))
        return _with_respect_to_latents(distortion, self._rate(grids, parts.networks, bit_error))


def _with_respect_to_latents(distortion: Distortion, rate: Rate) -> list[Tensor]:
    """Gradients of both terms -> that of their sum, a grid each."""
    pairs = zip(distortion.gradient.grids, rate.grids, strict=True)
    return [of_error + of_bits for of_error, of_bits in pairs]
