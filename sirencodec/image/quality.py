"""Two images -> how far apart they are."""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

PIXELS_AT_ONCE: Final = 1 << 18  # in double precision, to save memory


def psnr_db(
    reference: npt.NDArray[np.unsignedinteger], image: npt.NDArray[np.unsignedinteger]
) -> float:
    """Samples of two images -> peak signal-to-noise ratio over all channels, in dB.

    Where there is alpha, colours are taken times their alpha: what is not seen does not count.

    Args:
        reference: (height, width, channels) uint8 or uint16; its type sets the peak.
        image: the same shape and type.

    Returns:
        10 log10(peak^2 / mean squared error); infinity for equal images.
    """
    peak = float(np.iinfo(reference.dtype).max)
    rows, total = max(1, PIXELS_AT_ONCE // reference.shape[1]), 0.0
    for top in range(0, len(reference), rows):
        both = (samples[top : top + rows] for samples in (reference, image))
        original, decoded = (_seen(samples, peak) for samples in both)
        total += float(np.square(original - decoded).sum())
    if total == 0:
        return math.inf
    return 10 * math.log10(peak**2 * reference.size / total)


def _seen(samples: npt.NDArray[np.unsignedinteger], peak: float) -> npt.NDArray[np.float64]:
    """Samples -> the same as float64, colours times alpha if there is alpha."""
    values = samples.astype(np.float64)
    if values.shape[2] in (2, 4):
        values[:, :, :-1] *= values[:, :, -1:] / peak
    return values
