"""Samples -> the values that a fit works with, and what an error of these is in decibels."""

import math
from typing import Final

import numpy as np
import torch
from torch import Tensor

from sirencodec.image.samples import Samples

SMALLEST_ERROR: Final = 1e-12  # 120 dB, for an error of none


def values_of(samples: Samples) -> Tensor:
    """(height, width, channels) samples -> (channels, height, width) float32 in [0, 1].

    In memory the channels of a pixel stay side by side, which sets the order of sums.
    """
    peak = np.iinfo(samples.dtype).max
    return torch.from_numpy(np.moveaxis(samples, 2, 0).astype(np.float32) / peak)


def psnr_db(error: float) -> float:
    """Mean squared error of values -> PSNR, -10 log10(error), in dB; 120 where there is none."""
    return -10 * math.log10(max(error, SMALLEST_ERROR))
