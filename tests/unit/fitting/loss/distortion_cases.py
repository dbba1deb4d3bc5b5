"""Random pictures, and what to compare with, for the tests of both distortion terms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from sirencodec.fitting.loss.costs import Distortion, Gradient
from sirencodec.fitting.loss.distortion_native import NativeDistortion
from sirencodec.fitting.loss.distortion_torch import TorchDistortion
from sirencodec.fitting.loss.terms import DistortionTerm
from sirencodec.native.library import Loops
from sirencodec.synthesis.threads import Workers
from tests.unit.builders import (
    ALL_GRIDS,
    architecture,
    random_kernels,
    random_latents,
    random_refinement,
)
from tests.unit.fitting.loss.reference_loss import picture_values

SIZES = [(1, 1), (5, 3), (64, 64), (70, 100), (130, 65)]  # (width, height)


@dataclass
class Case:
    """A network in double precision, and an image for it.

    Unless it is ``refined``, features are as they are upsampled: so fits of a reduced image.
    """

    loops_used: ClassVar[Loops | None] = None
    rows: ClassVar[int | None] = None

    width: int
    height: int
    grids: tuple[int, ...] = ALL_GRIDS
    channels: int = 2
    refined: bool = True
    workers: Workers = field(default_factory=Workers)

    def __post_init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        shape = architecture(self.grids, self.channels)

        def normal(*size: int) -> Tensor:
            return torch.randn(size, generator=generator, dtype=torch.float64)

        self.targets = normal(self.channels, self.height, self.width) / 4 + 0.5
        self.layers = [normal(*size) / size[1] ** 0.5 for size in shape.layer_shapes]
        self.kernels = torch.from_numpy(random_kernels(self.grids[-1]))
        latents = random_latents(self.width, self.height, self.grids, spread=1.0)
        self.latents = [torch.from_numpy(grid) + normal(*grid.shape) / 4 for grid in latents]
        matrices = random_refinement() if self.refined else []
        self.refinement = [torch.from_numpy(matrix) for matrix in matrices]

    def term(self) -> DistortionTerm:
        """By the implementation that is being tested."""
        if Case.loops_used is None:
            return self.torch_term()
        return NativeDistortion(self.targets, self.grids, self.workers, Case.loops_used, Case.rows)

    def torch_term(self, longest_tile: int = 64) -> TorchDistortion:
        """In tiles so small that small images have several."""
        return TorchDistortion(self.targets, self.grids, self.layers, longest_tile)

    @property
    def parts(self) -> tuple[list[Tensor], Tensor, list[Tensor], list[Tensor]]:
        """What a term takes: layers, kernels, grids, refinement."""
        return self.layers, self.kernels, self.latents, self.refinement

    def distortion(self, term: DistortionTerm | None = None) -> Distortion:
        return (term or self.term())(*self.parts)

    def tensors(self) -> list[Tensor]:
        """All parts, one after the other."""
        return [*self.layers, self.kernels, *self.latents, *self.refinement]

    def expected_values(self) -> Tensor:
        """By the reference, differentiable with respect to all tensors that ask for it."""
        return picture_values((self.height, self.width), self.grids, *self.parts)

    def expected_gradient(self, loss: Callable[[Tensor], Tensor]) -> list[Tensor]:
        """Of a loss of the reference's values, with respect to ``tensors``, by autograd."""
        tensors = self.tensors()
        for tensor in tensors:
            tensor.requires_grad_()
        found = torch.autograd.grad(loss(self.expected_values()), tensors, materialize_grads=True)
        for tensor in tensors:
            tensor.requires_grad_(requires_grad=False)
        return list(found)


def flat(gradient: Gradient) -> list[Tensor]:
    """In the order of ``Case.tensors``."""
    return [*gradient.layers, gradient.kernels, *gradient.grids, *gradient.refinement]
