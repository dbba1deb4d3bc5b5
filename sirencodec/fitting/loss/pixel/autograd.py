"""A measure in plain PyTorch -> its gradient."""

from collections.abc import Callable

import torch
from torch import Tensor

from sirencodec.fitting.loss.pixel.measure import Score


def score_with_gradient(measure: Callable[[Tensor], Tensor], values: Tensor) -> Score:
    """Measure, values -> a tensor of one number, and values -> the number and its gradient."""
    with torch.enable_grad():
        leaf = values.detach().requires_grad_()
        score = measure(leaf)
        (gradient,) = torch.autograd.grad(score, leaf)
    return Score(score.item(), gradient)
