"""Latents, matrices and lambda of a fit, and the stage at which it is."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sirencodec.bitstream.architecture import Architecture, grid_shape
from sirencodec.entropy.payload import QuantizedPicture
from sirencodec.errors import FitError
from sirencodec.fitting.pyramid.images import StageImages
from sirencodec.fitting.pyramid.latent_optimizer import LatentOptimizer
from sirencodec.fitting.pyramid.matrices import Parts, TrainedMatrices
from sirencodec.fitting.pyramid.plan import PyramidPlan
from sirencodec.fitting.pyramid.rounded import RoundedPicture
from sirencodec.fitting.pyramid.stage import StageView
from sirencodec.fitting.pyramid.stage_loss import Loss, StageLoss
from sirencodec.image.samples import Samples
from sirencodec.synthesis.threads import Workers


@dataclass(frozen=True, slots=True, eq=False)
class SoftLatents:
    """Softly rounded latents of a stage.

    Attributes:
        grids: (rows, columns) each.
        derivative: (count,) of all of them with respect to the latents behind them.
    """

    grids: list[Tensor]
    derivative: Tensor


class PyramidState:
    """A pyramid and its network while they are fitted.

    Attributes:
        plan: of the fit.
        lambda_: mean squared error that a bit a pixel is worth.
        matrices: of the network and of the entropy model.
        matrix_steps: index of the step of each matrix that was found last, where the next search
            begins; empty before the first.
        view: what the stage shows of them.
        rounded: the stage's picture with rounded latents.
        num_pixels: of the image at full size.
    """

    view: StageView
    rounded: RoundedPicture

    def __init__(
        self,
        samples: Samples,
        architecture: Architecture,
        plan: PyramidPlan,
        device: torch.device,
        workers: Workers,
    ) -> None:
        """Start from zero latents and the shipped matrices."""
        self.plan, self._architecture, self._workers = plan, architecture, workers
        self._images = StageImages(samples, max(octaves for octaves, _ in plan.stages), device)
        generator = torch.Generator().manual_seed(plan.seed)
        self.matrices = TrainedMatrices(
            architecture, self._images.mean, plan.lambda_, plan.settings, generator, device
        )
        height, width, _ = samples.shape
        self._size = width, height
        self._grids = {
            exponent: torch.zeros(grid_shape(width, height, exponent), device=device)
            for exponent in architecture.grids
        }
        self._random = torch.Generator(device=device).manual_seed(plan.seed)
        self.matrix_steps: tuple[int, ...] = ()
        self.lambda_ = plan.lambda_
        self.num_pixels = height * width

    def start_stage(self, octaves: int) -> None:
        """Turn to the image reduced by ``octaves``, and to the grids no finer than its pixels."""
        parts = self.matrices.parts
        self.view = StageView(self._architecture, octaves, parts)
        exponents = self.view.exponents
        self._shapes = [grid_shape(*self._size, exponent) for exponent in exponents]
        self._latents = torch.cat([self._grids[exponent].flatten() for exponent in exponents])
        grids = self._split(self._latents)
        self._grids.update(zip(exponents, grids, strict=True))
        self._release()
        self._loss = StageLoss(
            self.view,
            self._images.take(octaves),
            self._shapes,
            parts,
            self.plan.settings.blend,
            self._workers,
        )
        self.rounded = RoundedPicture(self._loss, exponents, self.matrices, grids, self.num_pixels)
        self.matrices.forget_gradients()
        sizes, settings = [grid.numel() for grid in grids], self.plan.settings.latents
        self._optimizer = LatentOptimizer(self._latents, sizes, settings)

    def _release(self) -> None:
        """Let go of what the stage before has kept of its image, before another is looked at."""
        for name in ("_loss", "rounded", "_optimizer"):
            vars(self).pop(name, None)

    def _split(self, flat: Tensor) -> list[Tensor]:
        """One number a latent of the stage, (count,) -> views of it, (rows, columns) a grid."""
        parts = torch.split(flat, [math.prod(shape) for shape in self._shapes])
        return [part.view(shape) for part, shape in zip(parts, self._shapes, strict=True)]

    def soften(self, temperature: float, amplitude: float) -> SoftLatents:
        """Latents as they are -> soft_round(soft_round(latents) + amplitude * noise).

        Args:
            temperature: of both roundings; 0 rounds fully.
            amplitude: standard deviation of the noise, in levels.
        """
        noise = torch.empty_like(self._latents).normal_(generator=self._random)
        soft, derivative = self.plan.settings.soften(
            self._latents, noise, temperature, amplitude, self._workers
        )
        return SoftLatents(self._split(soft), derivative)

    def loss(self, latents: SoftLatents, bit_weight: float) -> Loss:
        """Softly rounded latents -> loss of the stage's picture, and its gradient.

        Args:
            latents: softly rounded.
            bit_weight: of a bit, relative to lambda.

        Raises:
            FitError: if it is not a finite number.
        """
        bit_error = bit_weight * self.lambda_ / self.num_pixels
        parts, adapted_layers = self.matrices.parts, self.plan.settings.matrices.adapted_layers
        loss = self._loss(parts, latents.grids, bit_error, adapted_layers)
        if not math.isfinite(loss.squared_error + loss.bits):
            raise FitError("the fit diverged")
        return loss

    def move_matrices(self, gradient: Parts, rate: float) -> None:
        """One update of the matrices; what the stage does not show of them stays.

        Args:
            gradient: of the loss with respect to all matrices.
            rate: learning rate of the network.
        """
        copies = self.view.copies(self.matrices.parts)
        bit_error = self.plan.matrices_bit_weight(self.lambda_) * self.lambda_ / self.num_pixels
        self.matrices.move(gradient, rate, bit_error)
        self.view.restore(self.matrices.parts, copies)

    def move_latents(self, loss: Loss, latents: SoftLatents, rate: float) -> None:
        """One update of the latents, against the gradient through their soft rounding.

        Args:
            loss: of ``latents``.
            latents: softly rounded.
            rate: levels for a gradient as large as the grid's root mean square.
        """
        pairs = zip(loss.latents, self._split(latents.derivative), strict=True)
        self._optimizer.update([of_grid.mul_(own) for of_grid, own in pairs], rate)

    def round_matrices(self) -> None:
        """Round each matrix to the step at which it costs least, as a decoder will rebuild it."""
        self.follow_for_matrices()
        self.matrix_steps = self.rounded.matrix_steps(self.lambda_, self.matrix_steps)
        self.matrices.round(self.matrix_steps)

    def follow_for_matrices(self) -> None:
        """Let the loss stand for the blend around the rounded picture, for choices of steps."""
        self._follow(self.plan.settings.blend.matrices_curvature)

    def _follow(self, curvature: float) -> None:
        """The same, the blend taken to be so curved."""
        self._loss.follow(self.matrices.parts, self.rounded.latents(), curvature)

    def rdoq(self, passes: int) -> None:
        """Round latents, a level away where that lowers the loss; the others stay exact.

        Args:
            passes: over all latents.
        """
        self._follow(self.plan.settings.blend.latents_curvature)
        tried = self.plan.settings.rdoq.exponents
        grids = self.rounded.rdoq(self.lambda_, passes, tried)
        for latents, moved in zip(self._split(self._latents), grids, strict=True):
            latents.copy_(torch.where(moved == torch.round(latents), latents, moved))

    def quantized(self) -> QuantizedPicture:
        """Rounded matrices and latents as integers."""
        latents = tuple(grid.cpu().numpy().astype(np.int32) for grid in self.rounded.latents())
        return QuantizedPicture(self.matrices.quantized(self.matrix_steps), latents)
