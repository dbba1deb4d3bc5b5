"""A measure in plain PyTorch: autograd finds its gradient."""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from sirencodec.fitting.loss.pixel.measure import Score


class TorchMeasure(ABC):
    """A ``Measure``, of whose number more is better."""

    better: ClassVar[int] = 1

    @abstractmethod
    def _score(self, values: Tensor) -> Tensor:
        """Values -> the number, a tensor that autograd can follow."""

    def __call__(self, values: Tensor) -> Score:
        """Values -> number and gradient."""
        with torch.enable_grad():
            leaf = values.detach().requires_grad_()
            score = self._score(leaf)
            (gradient,) = torch.autograd.grad(score, leaf)
        return Score(score.item(), gradient)

    def value(self, values: Tensor) -> float:
        """Values -> number alone."""
        with torch.no_grad():
            return self._score(values).item()
