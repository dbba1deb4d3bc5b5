"""Numbers -> numbers drawn towards the nearest whole ones, with a slope.

Rounding has no useful gradient. Its soft form (Agustsson and Theis 2020, section 4.1) is the
identity at high temperature, a staircase at zero, and exact at whole numbers and halves throughout.
"""

import math

import torch
from torch import Tensor


def soft_round(values: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Softly rounded values and their derivative.

    Args:
        values: any shape.
        temperature: above 0; at 1 hardly rounded, at 0.1 almost fully.
    """
    floor = torch.floor(values)
    curve = (values - floor).sub_(0.5).div_(temperature).tanh_()
    height = 0.5 / math.tanh(0.5 / temperature)
    slope = curve.square().neg_().add_(1).mul_(height / temperature)
    return floor.add_(0.5).add_(curve, alpha=height), slope
