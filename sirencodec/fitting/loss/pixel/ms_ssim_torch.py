"""Values and the original -> MS-SSIM, in plain PyTorch: the reference for the compiled one.

Wang, Simoncelli and Bovik 2003, on red, green and blue, whose numbers are averaged, as the package
``pytorch-msssim`` does it: windows lie wholly inside, and scales of an odd side are halved with a
zero before the first and after the last pixel.

As in ssimulacra2_torch.py, fractions are written in terms of the difference between the images.
"""

import torch
from torch import Tensor
from torch.nn import functional

from sirencodec.fitting.loss.pixel.autograd import TorchMeasure
from sirencodec.fitting.loss.pixel.ms_ssim_scale import C1, C2, combine, num_scales
from sirencodec.fitting.loss.pixel.window import inner_blur


class TorchMsSsim(TorchMeasure):
    """MS-SSIM of images against one original: 1 is no difference.

    Images of up to 160 pixels on a side, which the package refuses, have fewer scales, as many as
    are wider than the window, and their weights are scaled to the same sum; those of less than the
    window's 11 pixels have one, and a window as large as they are.
    """

    def __init__(self, targets: Tensor) -> None:
        """See ``Measure``."""
        self._originals = _pyramid(targets)

    def _score(self, values: Tensor) -> Tensor:
        pairs = list(zip(self._originals, _pyramid(values), strict=True))
        means = [_similarity(*pair, is_last=pair is pairs[-1]) for pair in pairs]
        return combine(torch.stack(means))


def _pyramid(values: Tensor) -> list[Tensor]:
    """(channels, height, width) -> the same at every scale."""
    planes = [values.clamp(0, 1)]
    for _ in range(1, num_scales(*values.shape[1:])):
        finer = planes[-1]
        odd = finer.shape[1] % 2, finer.shape[2] % 2
        planes.append(functional.avg_pool2d(finer, 2, padding=odd))
    return planes


def _similarity(original: Tensor, decoded: Tensor, is_last: bool) -> Tensor:
    """Two images of a scale -> (channels,) means of contrast and structure; at last of SSIM."""
    difference = decoded - original
    mean, shift = inner_blur(original), inner_blur(difference)
    variance = inner_blur(original.square()) - mean.square()
    error = inner_blur(difference.square()) - shift.square()
    covariance = inner_blur(original * difference) - mean * shift
    contrast = 1 - error / (2 * variance + 2 * covariance + error + C2)
    if not is_last:
        return contrast.mean((1, 2))
    luminance = 1 - shift.square() / (mean.square() + (mean + shift).square() + C1)
    return (luminance * contrast).mean((1, 2))
