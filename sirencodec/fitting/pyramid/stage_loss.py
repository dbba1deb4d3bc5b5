"""Matrices and the grids of a stage -> the loss D + lambda R, and its gradient.

D is the mean squared error of the picture, values being 0 to 1; R the bits a pixel of the latents.
``bit_error`` is lambda / pixels: the error that one bit is worth.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sirencodec.fitting.loss.costs import Distortion, Rate
from sirencodec.fitting.loss.terms import distortion_of, rate_of
from sirencodec.fitting.pyramid.matrices import Parts
from sirencodec.fitting.pyramid.stage import StageView
from sirencodec.synthesis.threads import Workers


@dataclass(frozen=True, slots=True, eq=False)
class Loss:
    """Both terms of a loss, and its gradient.

    Attributes:
        error: D.
        bits: R, of all latents.
        matrices: gradient with respect to all matrices; zero for what the stage does not show.
        latents: with respect to each grid.
    """

    error: float
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
        workers: Workers,
    ) -> None:
        """Make both terms.

        Args:
            view: what the stage shows of all matrices.
            image: (channels, height, width) values wanted, reduced as the stage is.
            shapes: (rows, columns) of each grid that is shown.
            parts: matrices will be shaped like these.
            workers: threads to share the work among.
        """
        self._view = view
        local = [exponent - view.octaves for exponent in view.exponents]
        self._distortion = distortion_of(image, local, view.layers(parts.layers), workers)
        self._rate = rate_of(view.exponents, shapes, image, workers)

    def __call__(
        self, parts: Parts, grids: Sequence[Tensor], bit_error: float, adapted_layers: int
    ) -> Loss:
        """Loss and gradient; of each context network, that of its last ``adapted_layers``."""
        distortion = self._distortion(*self._view.shown(parts, grids))
        rate = self._rate(grids, parts.networks, bit_error, adapted_layers)
        matrices = self._view.gradient(distortion.gradient, rate.context_networks, parts)
        latents = _with_respect_to_latents(distortion, rate)
        return Loss(distortion.error, sum(rate.bits), matrices, latents)

    def error(self, parts: Parts, grids: Sequence[Tensor]) -> float:
        """D alone."""
        errors = self._distortion.errors(*self._view.shown(parts, grids))
        return float(errors.mean(dtype=torch.float64))

    def bits(self, parts: Parts, grids: Sequence[Tensor]) -> float:
        """Bits of all latents, by the context networks among ``parts``."""
        lengths = self._rate.code_lengths(grids, parts.networks)
        return sum(float(of_grid.sum(dtype=torch.float64)) for of_grid in lengths)

    def contributions(
        self, parts: Parts, grids: Sequence[Tensor], bit_error: float
    ) -> list[Tensor]:
        """What each pixel, (height, width), and then each latent of every grid adds to the loss."""
        errors = self._distortion.errors(*self._view.shown(parts, grids))
        lengths = self._rate.code_lengths(grids, parts.networks)
        return [errors / errors.numel(), *(bit_error * of_grid for of_grid in lengths)]

    def latents_gradient(
        self, parts: Parts, grids: Sequence[Tensor], bit_error: float
    ) -> list[Tensor]:
        """Gradient of the loss with respect to each grid alone."""
        distortion = self._distortion(*self._view.shown(parts, grids))
        return _with_respect_to_latents(distortion, self._rate(grids, parts.networks, bit_error))


def _with_respect_to_latents(distortion: Distortion, rate: Rate) -> list[Tensor]:
    """Gradients of both terms -> that of their sum, a grid each."""
    pairs = zip(distortion.gradient.grids, rate.grids, strict=True)
    return [of_error + of_bits for of_error, of_bits in pairs]
