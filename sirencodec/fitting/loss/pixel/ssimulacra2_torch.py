"""Values and the original -> SSIMULACRA2, in plain PyTorch: the reference for the compiled one.

Both images go to XYB, a space of cube roots near what the eye's receptors give to the brain, at up
to six scales. At each, maps of three kinds: of structure (SSIM less its first constant), and of
edges that are new (artefacts) or gone (lost detail). Means and 4-norms of maps are weighted into
one number (ssimulacra2_scale.py).

Maps are written in terms of the difference d between the images. With means m, variances v and the
covariance c, SSIM's fraction (2 c + C) / (v1 + v2 + C) is 1 - e / D, where e is the difference's
variance, and D the denominator: without cancellation, however small d is.
"""

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from sirencodec.fitting.loss.pixel.autograd import TorchMeasure
from sirencodec.fitting.loss.pixel.ssimulacra2_scale import C2, scale_sizes, score_of, weights_of
from sirencodec.fitting.loss.pixel.window import mirrored_blur

# libjxl's opsin absorbance: RGB -> the response of three receptors, and what is added to it.
_ABSORBANCE: Final = (
    (0.30, 1 - 0.30 - 0.078, 0.078),
    (0.23, 1 - 0.23 - 0.078, 0.078),
    (0.24342268924547819, 0.20476744424496821, 1 - 0.24342268924547819 - 0.20476744424496821),
)
_BIAS: Final = 0.0037930732552754493


class TorchSsimulacra2(TorchMeasure):
    """The score of images against one original, as the package ``ssimulacra2`` computes it.

    Images of fewer than 8 pixels on a side have no scale: 100, and no gradient.
    """

    def __init__(self, targets: Tensor) -> None:
        """See ``Measure``."""
        self._originals = _pyramid(targets)
        self._weights = weights_of(len(self._originals)).to(targets)

    def _score(self, values: Tensor) -> Tensor:
        weighted = 0 * values.sum()  # what there is if there is no scale
        pairs = zip(self._originals, _pyramid(values), strict=True)
        for scale, (original, decoded) in enumerate(pairs):
            weighted = weighted + (_norms(original, decoded) * self._weights[:, scale]).sum()
        return score_of(weighted)


def _pyramid(values: Tensor) -> list[Tensor]:
    """(channels, height, width) -> (3, height, width) XYB of every scale."""
    linear = _linear(values.clamp(0, 1)).expand(3, -1, -1)
    planes = list[Tensor]()
    for _ in scale_sizes(*values.shape[1:]):
        if planes:  # halved in linear light; a single last row or column counts twice
            odd_height, odd_width = (side % 2 for side in linear.shape[1:])
            even = functional.pad(linear, (0, odd_width, 0, odd_height), mode="replicate")
            linear = functional.avg_pool2d(even, 2)
        planes.append(_xyb(linear))
    return planes


def _linear(values: Tensor) -> Tensor:
    """SRGB-encoded -> linear light (IEC 61966-2-1)."""
    is_dark = values <= 0.04045
    bright = torch.where(is_dark, 1, values)
    return torch.where(is_dark, values / 12.92, ((bright + 0.055) / 1.055) ** 2.4)


def _xyb(linear: Tensor) -> Tensor:
    """Linear RGB -> X, Y and B - Y, moved and stretched to positive numbers."""
    absorbance = torch.tensor(_ABSORBANCE, dtype=linear.dtype, device=linear.device)
    responses = torch.tensordot(absorbance, linear, 1) + _BIAS
    long, medium, short = responses ** (1 / 3) - _BIAS ** (1 / 3)
    x, y = (long - medium) / 2, (long + medium) / 2
    return torch.stack([14 * x + 0.42, y + 0.01, short - y + 0.55])


def _norms(original: Tensor, decoded: Tensor) -> Tensor:
    """Two images of a scale -> (3, 2, 3): channels, 1-norm and 4-norm, maps.

    Borders are those of the package, which is what is promised. The original program in libjxl has
    nothing above and below as well, and a window a little narrower: up to a point of difference on
    photographs, more on pictures of a few thousand pixels.
    """
    difference = decoded - original
    mean, shift = mirrored_blur(original), mirrored_blur(difference)
    variance = mirrored_blur(original.square()) - mean.square()
    error = mirrored_blur(difference.square()) - shift.square()
    covariance = mirrored_blur(original * difference) - mean * shift
    fraction = error / (2 * variance + 2 * covariance + error + C2)
    structure = 1 - (1 - shift.square()) * (1 - fraction)
    edge, decoded_edge = original - mean, decoded - (mean + shift)
    change = (decoded_edge.abs() - edge.abs()) / (1 + edge.abs())
    maps = torch.stack([structure, change, -change], 1).relu().flatten(2)
    fourth = torch.linalg.vector_norm(maps, 4, -1) / maps.shape[-1] ** 0.25
    return torch.stack([maps.mean(-1), fourth], 1)
