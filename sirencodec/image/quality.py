"""Two images -> how far apart they are."""

import math

import numpy as np
import numpy.typing as npt


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
    error = _seen(reference, peak) - _seen(image, peak)
    mean_square = float(np.mean(np.square(error)))
    if mean_square == 0:
        return math.inf
    return 10 * math.log10(peak**2 / mean_square)


def _seen(samples: npt.NDArray[np.unsignedinteger], peak: float) -> npt.NDArray[np.float64]:
    """Samples -> the same as float64, colours times alpha if there is alpha."""
    values = samples.astype(np.float64)
    if values.shape[2] in (2, 4):
        values[:, :, :-1] *= values[:, :, -1:] / peak
    return values
