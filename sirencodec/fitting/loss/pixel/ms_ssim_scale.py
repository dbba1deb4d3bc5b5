"""Means of MS-SSIM's maps -> its number, and how it scales images (Wang et al. 2003)."""

from typing import Final

import torch
from torch import Tensor

from sirencodec.fitting.loss.pixel.window import RADIUS

C1, C2 = 0.01**2, 0.03**2  # against division by zero, for values up to 1
_WEIGHTS: Final = 0.0448, 0.2856, 0.3001, 0.2363, 0.1333  # of scales, finest first


def num_scales(height: int, width: int) -> int:
    """Size of an image -> how many of the five scales are larger than the window's 10 steps."""
    ratio = (min(height, width) - 1) // (2 * RADIUS)
    return max(1, min(len(_WEIGHTS), ratio.bit_length()))


def combine(means: Tensor) -> Tensor:
    """(scales, channels) means -> weighted geometric mean over scales, mean over channels.

    A channel with a negative mean, of which there is no power, counts as zero and has no gradient.
    """
    weights = torch.tensor(_WEIGHTS[: len(means)], dtype=means.dtype, device=means.device)
    weights = weights * (sum(_WEIGHTS) / weights.sum())
    is_positive = (means > 0).all(0)
    product = (torch.where(is_positive, means, 1) ** weights[:, None]).prod(0)
    return torch.where(is_positive, product, 0).mean()
