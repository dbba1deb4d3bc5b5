"""Latents and matrices in the making -> what a file would take and show, the latents rounded."""

import math
from collections.abc import Collection, Sequence

import torch
from torch import Tensor

from sirencodec.entropy.matrices import matrices_bits
from sirencodec.fitting.pyramid.matrices import TrainedMatrices
from sirencodec.fitting.pyramid.stage_loss import StageLoss
from sirencodec.fitting.rdoq import rdoq


class RoundedPicture:
    """A picture in the making, seen with rounded latents and the matrices as they are.

    It looks at what is fitted, so every answer is of the moment.

    Attributes:
        num_pixels: of the image at full size, which bits are shared among.
    """

    def __init__(
        self,
        loss: StageLoss,
        exponents: Sequence[int],
        matrices: TrainedMatrices,
        latents: Sequence[Tensor],
        num_pixels: int,
    ) -> None:
        """Look at ``latents``, the grids of these ``exponents``, and at ``matrices``."""
        self._loss, self._exponents = loss, exponents
        self._matrices, self._latents = matrices, latents
        self.num_pixels = num_pixels

    def latents(self) -> list[Tensor]:
        """Rounded latents of the stage, (rows, columns) a grid."""
        return [torch.round(grid) for grid in self._latents]

    def bits(self) -> float:
        """Bits of the latents."""
        return self._loss.bits(self._matrices.parts, self.latents())

    def quality(self) -> float:
        """Quality of the picture, in the unit of targets."""
        return quality_of(self._loss.error(self._matrices.parts, self.latents()))

    def matrices_bits(self, lambda_: float) -> float:
        """Bits that the matrices would take if they were rounded now."""
        self.choose_matrix_steps(lambda_)
        return matrices_bits(self._matrices.quantized())

    def choose_matrix_steps(self, lambda_: float) -> None:
        """Find the step of each matrix at which it costs least; the matrices stay exact."""
        latents = self.latents()
        self._matrices.choose_steps(
            lambda parts: self._loss.error(parts, latents),
            lambda parts: self._loss.bits(parts, latents),
            lambda_ / self.num_pixels,
        )

    def rdoq(self, lambda_: float, passes: int, tried: Collection[int]) -> list[Tensor]:
        """``latents``, but a level away where that lowers the loss.

        Args:
            lambda_: error that a bit a pixel is worth.
            passes: how often to go through all of them.
            tried: exponents of the grids to try.
        """
        parts, bit_error = self._matrices.parts, lambda_ / self.num_pixels
        return rdoq(
            self.latents(),
            self._exponents,
            lambda grids: self._loss.contributions(parts, grids, bit_error),
            lambda grids: self._loss.latents_gradient(parts, grids, bit_error),
            passes,
            tried,
        )


def quality_of(error: float) -> float:
    """Mean squared error of a picture, values being 0 to 1 -> PSNR in dB, the unit of targets."""
    return -10 * math.log10(max(error, 1e-12))
