"""Two images -> how far apart they are."""

import math

import numpy as np
import numpy.typing as npt


def psnr_db(
    reference: npt.NDArray[np.unsignedinteger], image: npt.NDArray[np.unsignedinteger]
) -> float:
    """Samples of two images -> peak signal-to-noise ratio over all channels, in dB.

    Args:
        reference: (height, width, channels) uint8 or uint16; its type sets the peak.
        image: the same shape and type.

    Returns:
        10 log10(peak^2 / mean squared error); infinity for equal images.
    """
    error = reference.astype(np.float64) - image
    mean_square = float(np.mean(np.square(error)))
    if mean_square == 0:
        return math.inf
    return 10 * math.log10(float(np.iinfo(reference.dtype).max) ** 2 / mean_square)
