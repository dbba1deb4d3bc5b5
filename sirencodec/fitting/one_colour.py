"""Image of one colour -> the network that is that colour everywhere; nothing is fitted.

A fit comes near a number and then fills its budget with latents that bring it no nearer: levels of
a matrix go up to 12,288 times its step, too few for 65,535 values of a sample. So a colour is coded
in two digits. The last layer's biases hold multiples of 1/256, which say every sample of 8 bits.
What is left, of 16 bits, is sin(phase) / 256, the phase being a bias of the last sine layer.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from sirencodec.bitstream.architecture import Architecture
from sirencodec.bitstream.quantize import nearest_step_index, quantize
from sirencodec.entropy.payload import QuantizedPicture, matrix_shapes
from sirencodec.image.samples import Samples, has_alpha_channel

STEP: Final = 2.0**-8  # of the last layer: 1 is level 256
# A phase is at most asin(1/2), 4,289 levels. Rounding errs by 1/64 of a sample of 16 bits.
PHASE_STEP: Final = 2.0**-13


def is_one_colour(samples: Samples) -> bool:
    """Whether all pixels of an image look the same; hidden colours may differ.

    By rows, of which the first tells of most pictures.
    """
    first = samples[0, 0]
    is_hidden = has_alpha_channel(len(first)) and first[-1] == 0
    seen = slice(-1, None) if is_hidden else slice(None)
    return all((row[:, seen] == first[seen]).all() for row in samples)


def smallest_network(channels: int) -> Architecture:
    """Channels -> the smallest network that can be any one colour: a sine for each."""
    return Architecture(channels, 0, channels, 1)


def picture_of_one_colour(samples: Samples, architecture: Architecture) -> QuantizedPicture:
    """Image -> network, and empty grids, that show its first pixel everywhere.

    Args:
        samples: (height, width, channels) uint8 or uint16.
        architecture: at least as wide as there are channels.
    """
    height, width, channels = samples.shape
    first, peak = samples[0, 0], int(np.iinfo(samples.dtype).max)
    values = first / peak
    coarse = np.rint(values / STEP) * STEP
    phases = np.arcsin((values - coarse) / STEP)
    phases[np.rint(coarse * peak) == first] = 0

    shapes = matrix_shapes(architecture)
    matrices: list[npt.NDArray[np.float64]] = [np.zeros(shape) for shape in shapes]
    steps = [0] * len(shapes)
    last = len(architecture.layer_shapes) - 1
    matrices[last - 1][:channels, -1], steps[last - 1] = phases, nearest_step_index(PHASE_STEP)
    np.fill_diagonal(matrices[last], np.where(phases == 0, 0, STEP))
    matrices[last][:, -1], steps[last] = coarse, nearest_step_index(STEP)
    grids = architecture.grid_shapes(width, height).values()
    latents = tuple(np.zeros(shape, np.int32) for shape in grids)
    return QuantizedPicture(quantize(matrices, steps), latents)
