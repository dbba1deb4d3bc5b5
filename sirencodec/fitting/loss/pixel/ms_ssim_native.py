"""Values and the original -> MS-SSIM, by compiled kernels: what ms_ssim_torch.py says."""

import ctypes
from collections.abc import Callable
from itertools import pairwise
from typing import ClassVar, Final

import torch
from torch import Tensor

from sirencodec.fitting.loss.pixel.measure import Score
from sirencodec.fitting.loss.pixel.ms_ssim_scale import C2, combine, num_scales, window_radius
from sirencodec.fitting.loss.pixel.ms_ssim_torch import blur
from sirencodec.fitting.loss.pixel.native_planes import (
    NUM_FACTORS,
    Comparisons,
    Original,
    empty_planes,
    half_window,
)
from sirencodec.native.measures import (
    CONTRAST,
    EDGE,
    SIMILARITY,
    Clamping,
    Halving,
    MeasureKernels,
)
from sirencodec.native.tensors import address
from sirencodec.synthesis.threads import Workers

_BANDS: Final = 8  # of rows, in which planes are halved: parts of an even size for most machines


class CompiledMsSsim:
    """MS-SSIM of images against one original; see ``ReferenceMsSsim``."""

    better: ClassVar[int] = 1

    def __init__(self, targets: Tensor, workers: Workers, kernels: MeasureKernels) -> None:
        """Keep what is needed of the original.

        Args:
            targets: see ``Measure``; on the CPU.
            workers: threads to share the work among.
            kernels: for the targets' dtype.
        """
        self._workers, self._kernels = workers, kernels
        channels, height, width = targets.shape
        count = num_scales(height, width)
        sizes = [(-(-height // 2**scale), -(-width // 2**scale)) for scale in range(count)]
        planes = [empty_planes(targets, channels, *size) for size in sizes]
        self._sizes = sizes
        self._fill(targets, planes)
        self._originals = [
            Original.of(
                values,
                size[1],
                C2,
                blur,
                tuple(half_window(window_radius(side), targets) for side in size),
                is_inside=True,
            )
            for values, size in zip(planes, sizes, strict=True)
        ]
        self._comparisons = Comparisons(
            [
                (original, channel, SIMILARITY if scale == count - 1 else CONTRAST)
                for scale, original in enumerate(self._originals)
                for channel in range(channels)
            ],
            workers,
            kernels,
        )

    def __call__(self, values: Tensor) -> Score:
        """Values -> number and gradient."""
        values = values.contiguous()
        means = self._means(values).requires_grad_()
        score = combine(means)
        (slopes,) = torch.autograd.grad(score, means)
        factors = torch.zeros(means.numel(), NUM_FACTORS, dtype=torch.float64)
        factors[:, 0] = (slopes / self._pixels()).flatten()
        self._comparisons.slopes(factors)
        for coarse in range(len(self._sizes) - 1, 0, -1):
            self._halve(coarse - 1, [original.slopes for original in self._originals], back=True)
        gradient = torch.empty_like(values)
        self._clamp(values, self._originals[0].slopes, gradient)
        return Score(score.item(), gradient)

    def value(self, values: Tensor) -> float:
        """Values -> number alone."""
        return combine(self._means(values.contiguous())).item()

    def _means(self, values: Tensor) -> Tensor:
        """(scales, channels) means of maps."""
        self._fill(values, [original.decoded for original in self._originals])
        return self._comparisons.sums()[:, 0].reshape(len(self._sizes), -1) / self._pixels()

    def _pixels(self) -> Tensor:
        """(scales, 1) pixels that count."""
        pixels = [original.pixels for original in self._originals]
        return torch.tensor(pixels, dtype=torch.float64)[:, None]

    def _fill(self, values: Tensor, planes: list[Tensor]) -> None:
        """Values -> planes of all scales."""
        self._clamp(values.contiguous(), planes[0])
        for fine in range(len(planes) - 1):
            self._halve(fine, planes)

    def _clamp(self, values: Tensor, plane: Tensor, gradient: Tensor | None = None) -> None:
        """Values -> the finest planes, clamped; or those planes -> the gradient along values."""

        def run(place: tuple[int, tuple[int, int]]) -> None:
            channel, (top, bottom) = place
            task = Clamping(
                values=address(values, channel, top),
                gradient=address(gradient, channel, top),
                plane=address(plane, channel, top, EDGE),
                values_row=values.stride(1),
                plane_row=plane.stride(1),
                rows=bottom - top,
                columns=values.shape[2],
            )
            self._kernels.clamp(ctypes.byref(task))

        self._each_band(run, len(values), values.shape[1])

    def _halve(self, fine: int, planes: list[Tensor], back: bool = False) -> None:
        """Planes of a scale -> of the next; or slopes of the next, added to those of the scale."""
        height, width = self._sizes[fine]

        def run(place: tuple[int, tuple[int, int]]) -> None:
            channel, (top, bottom) = place
            task = Halving(
                fine=address(planes[fine], channel, 0, EDGE),
                coarse=address(planes[fine + 1], channel, 0, EDGE),
                fine_row=planes[fine].stride(1),
                coarse_row=planes[fine + 1].stride(1),
                height=height,
                width=width,
                top=top,
                bottom=bottom,
            )
            (self._kernels.spread if back else self._kernels.halve)(ctypes.byref(task))

        rows = height if back else self._sizes[fine + 1][0]
        self._each_band(run, len(planes[fine]), rows)

    def _each_band(
        self, function: Callable[[tuple[int, tuple[int, int]]], None], channels: int, rows: int
    ) -> None:
        """Call a function for each channel and band of rows."""
        bounds = [rows * part // _BANDS for part in range(_BANDS + 1)]
        bands = [(c, band) for c in range(channels) for band in pairwise(bounds)]
        self._workers.map(function, bands)
