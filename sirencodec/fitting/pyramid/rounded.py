"""Latents and matrices in the making -> what a file would take and show, the latents rounded.

Asking changes nothing: neither the fit nor what its loss compares with.
"""

from collections.abc import Collection, Sequence

import torch
from torch import Tensor

from sirencodec.entropy.matrices import matrices_bits
from sirencodec.fitting.loss.values import psnr_db
from sirencodec.fitting.pyramid.matrices import TrainedMatrices
from sirencodec.fitting.pyramid.stage_loss import StageLoss
from sirencodec.fitting.rdoq import rdoq
from sirencodec.fitting.target import Kind, believed_score


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

    def psnr_db(self) -> float:
        """PSNR of the picture."""
        return psnr_db(self._loss.squared_error(self._matrices.parts, self.latents()))

    def score(self) -> float:
        """What the fit is tuned for, more being better."""
        return self._loss.score(self._matrices.parts, self.latents())

    def measured(self, kind: Kind) -> float:
        """What a target of this kind is about; of a size what the fit is tuned for."""
        if kind is Kind.PSNR:
            return self.psnr_db()
        if kind is Kind.SCORE:
            score = self._loss.ssimulacra2(self._matrices.parts, self.latents())
            return believed_score(score, self.psnr_db())
        return self.score()

    def is_exact(self, peak: int) -> bool:
        """Whether samples from 0 to ``peak`` come back as they are."""
        return self._loss.largest_error(self._matrices.parts, self.latents()) < 0.5 / peak

    def matrices_bits(self, step_indices: Sequence[int]) -> float:
        """Bits that the matrices would take if they were rounded to these steps now."""
        return matrices_bits(self._matrices.quantized(step_indices))

    def matrix_steps(self, lambda_: float, last: Sequence[int]) -> tuple[int, ...]:
        """Index of the step of each matrix at which it costs least.

        Args:
            lambda_: error that a bit a pixel is worth.
            last: indices found before, where to look first; empty if none were.
        """
        latents = self.latents()
        return self._matrices.cheapest_steps(
            lambda parts: self._loss.error(parts, latents),
            lambda parts: self._loss.bits(parts, latents, is_sampled=True),
            lambda_ / self.num_pixels,
            last,
        )

    def rdoq(self, lambda_: float, passes: int, tried: Collection[int]) -> list[Tensor]:
        """``latents``, but a level away where that lowers the loss.

        Args:
            lambda_: error that a bit a pixel is worth.
            passes: how often to go through all of them.
            tried: exponents of the grids to try.
        """
        parts, bit_error = self._matrices.parts, lambda_ / self.num_pixels
        latents = self.latents()
        return rdoq(
            latents,
            self._exponents,
            lambda grids, count: self._loss.contributions(parts, grids, bit_error, count),
            lambda grids: self._loss.latents_gradient(parts, grids, bit_error),
            passes,
            tried,
        )
