"""Samples of an image and of its decode -> the score that is reported of every encode."""

import numpy as np
import torch
from torch import Tensor

from sirencodec.fitting.loss.pixel.alpha import composite, has_alpha
from sirencodec.fitting.loss.pixel.measures import measure_of
from sirencodec.image.samples import Samples
from sirencodec.synthesis.threads import Workers

SMALLEST_SIDE = 8  # of an image that SSIMULACRA2 says anything of


def ssimulacra2(original: Samples, decoded: Samples) -> float | None:
    """Two images of one shape -> SSIMULACRA2: 30 is low, 50 medium, 70 high quality, 100 equal.

    At 90 nobody tells them apart. Transparent images are seen over gray.

    Args:
        original: (height, width, channels) uint8 or uint16.
        decoded: of the same shape and type.

    Returns:
        The score, which may be negative; None if a side is under 8 pixels.
    """
    if min(original.shape[:2]) < SMALLEST_SIDE:
        return None
    measure = measure_of("ssimulacra2", _seen(original), Workers())
    return measure.value(_seen(decoded))


def _seen(samples: Samples) -> Tensor:
    """Samples -> (colours, height, width) values, 0 to 1, over gray by their own alpha."""
    peak = np.iinfo(samples.dtype).max
    values = torch.from_numpy(np.moveaxis(samples, 2, 0).astype(np.float32) / np.float32(peak))
    return composite(values[:-1], values) if has_alpha(values) else values
