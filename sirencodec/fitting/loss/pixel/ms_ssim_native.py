"""Values and the original -> MS-SSIM, by compiled loops: what ms_ssim_torch.py says."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from sirencodec.fitting.loss.pixel.measure import Score
from sirencodec.fitting.loss.pixel.ms_ssim_scale import C2, combine, num_scales
from sirencodec.fitting.loss.pixel.native_planes import (
    NUM_FACTORS,
    Comparisons,
    Plane,
    Windows,
    empty_plane,
)
from sirencodec.fitting.loss.pixel.native_scales import Scales
from sirencodec.fitting.loss.pixel.window import inner_blur, window_radius
from sirencodec.native.measures import CONTRAST, SIMILARITY, MeasureLoops
from sirencodec.synthesis.threads import Workers


class NativeMsSsim:
    """MS-SSIM of images against one original; see ``TorchMsSsim``."""

    better: ClassVar[int] = 1

    def __init__(self, targets: Tensor, workers: Workers, loops: MeasureLoops) -> None:
        """Keep what is needed of the original.

        Args:
            targets: see ``Measure``; on the CPU.
            workers: threads to share the work among.
            loops: for the targets' dtype.
        """
        channels, height, width = targets.shape
        self._scales = Scales(height, width, num_scales(height, width), workers, loops)
        sizes = self._scales.sizes
        originals = [[empty_plane(targets, *size) for size in sizes] for _ in range(channels)]
        self._scales.fill(targets.contiguous(), originals)
        windows = windows_of(targets, sizes)
        planes = workers.map(
            lambda chain: [
                Plane.of(*pair, C2, inner_blur) for pair in zip(chain, windows, strict=True)
            ],
            originals,
        )
        self._decoded = [[plane.decoded for plane in chain] for chain in planes]
        self._gradients = [[plane.gradient for plane in chain] for chain in planes]
        kinds = kinds_of(len(sizes)) * channels
        all_planes = [plane for chain in planes for plane in chain]
        self._comparisons = Comparisons(all_planes, kinds, workers, loops)

    def __call__(self, values: Tensor) -> Score:
        """Values -> number and gradient."""
        values = values.contiguous()
        score, factors = judged(self._sums(values), self._pixels)
        self._comparisons.backward(factors.flatten(0, 1))
        scales = list(zip(*self._gradients, strict=True))
        for fine in range(len(scales) - 2, -1, -1):
            rows = 0, self._scales.sizes[fine][0]
            self._scales.halve(scales[fine], scales[fine + 1], fine, rows, back=True)
        gradient = torch.empty_like(values)
        self._scales.clamp(values, scales[0], gradient)
        return Score(score, gradient)

    def value(self, values: Tensor) -> float:
        """Values -> number alone."""
        sums = self._sums(values.contiguous())
        return combine((sums / self._pixels).mT).item()

    def _sums(self, values: Tensor) -> Tensor:
        """(channels, scales) sums of maps."""
        self._scales.fill(values, self._decoded)
        return self._comparisons.sums()[:, 0].view(len(values), -1)

    @property
    def _pixels(self) -> Tensor:
        """(scales,) pixels that count, of whichever channel."""
        return self._comparisons.pixels[: len(self._scales.sizes)]


def windows_of(like: Tensor, sizes: Sequence[tuple[int, int]]) -> list[Windows]:
    """Heights and widths of scales -> how each is looked at, in the precision of a tensor."""
    return [
        Windows.of(like, *size, (window_radius(size[0]), window_radius(size[1])), mirrored=False)
        for size in sizes
    ]


def kinds_of(scales: int) -> list[int]:
    """Number of scales -> how each is compared."""
    return [*[CONTRAST] * (scales - 1), SIMILARITY]


def judged(sums: Tensor, pixels: Tensor) -> tuple[float, Tensor]:
    """Sums of maps -> MS-SSIM, and (channels, scales, 9) factors as comparison.h wants them.

    Args:
        sums: (channels, scales), float64.
        pixels: (scales,) that count in each.
    """
    means = (sums / pixels).mT.requires_grad_()
    score = combine(means)
    (of_means,) = torch.autograd.grad(score, means)
    factors = torch.zeros(*sums.shape, NUM_FACTORS, dtype=torch.float64)
    factors[..., 0] = of_means.mT / pixels
    return score.item(), factors
