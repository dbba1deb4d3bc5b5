"""Matrices and grids of a stage -> the loss of its picture, and the gradient.

The loss is D + bit_error * B: D is the mean squared error, values being 0 to 1, B the bits of the
latents, and bit_error = lambda / pixels the error that a bit is worth.
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
        bits: B.
        matrices: gradient with respect to all matrices; zero for what the stage does not show.
        latents: gradient with respect to each grid.
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
        """All matrices and the stage's grids -> loss and gradient.

        Args:
            parts: all matrices.
            grids: latents, whole or not.
            bit_error: error that a bit is worth.
            adapted_layers: how many layers of each context network, from the last, are trained.
        """
        distortion = self._distortion(*self._view.shown(parts, grids))
        rate = self._rate(grids, parts.networks, bit_error, adapted_layers)
        matrices = self._view.gradient(distortion.gradient, rate.context_networks, parts)
        latents = _with_respect_to_latents(distortion, rate)
        return Loss(distortion.error, sum(rate.bits), matrices, latents)

    def error(self, parts: Parts, grids: Sequence[Tensor]) -> float:
        """All matrices and the stage's grids -> D."""
        errors = self._distortion.errors(*self._view.shown(parts, grids))
        return float(errors.mean(dtype=torch.float64))

    def bits(self, parts: Parts, grids: Sequence[Tensor]) -> float:
        """All matrices and the stage's grids -> B."""
        lengths = self._rate.code_lengths(grids, parts.networks)
        return sum(float(of_grid.sum(dtype=torch.float64)) for of_grid in lengths)

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
