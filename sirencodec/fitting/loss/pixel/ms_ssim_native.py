"""Values and the original -> MS-SSIM, by compiled loops: what ms_ssim_torch.py says."""

import ctypes
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import ClassVar, Final

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
from sirencodec.fitting.loss.pixel.window import inner_blur, window_radius
from sirencodec.native.measures import (
    CONTRAST,
    EDGE,
    SIMILARITY,
    Clamping,
    Halving,
    MeasureLoops,
)
from sirencodec.native.tensors import address
from sirencodec.synthesis.threads import Workers

_SMALL: Final = 1 << 16  # pixels of a plane that one thread is quick with


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
        self._workers, self._loops = workers, loops
        channels, height, width = targets.shape
        count = num_scales(height, width)
        self._sizes = [(-(-height // 2**scale), -(-width // 2**scale)) for scale in range(count)]
        originals = [[empty_plane(targets, *size) for size in self._sizes] for _ in range(channels)]
        self._fill(targets, originals)
        windows = []
        for size in self._sizes:
            down, across = (window_radius(side) for side in size)
            windows.append(Windows.of(targets, *size, (down, across), mirrored=False))
        self._planes = workers.map(
            lambda of_channel: [
                Plane.of(*pair, C2, inner_blur) for pair in zip(of_channel, windows, strict=True)
            ],
            originals,
        )
        self._decoded = [[plane.decoded for plane in of_channel] for of_channel in self._planes]
        self._gradients = [[plane.gradient for plane in of_channel] for of_channel in self._planes]
        kinds = [*[CONTRAST] * (count - 1), SIMILARITY] * channels
        self._comparisons = Comparisons(
            [plane for of_channel in self._planes for plane in of_channel], kinds, workers, loops
        )

    def __call__(self, values: Tensor) -> Score:
        """Values -> number and gradient."""
        values = values.contiguous()
        means = self._means(values).requires_grad_()
        score = combine(means)
        (of_means,) = torch.autograd.grad(score, means)
        self._comparisons.backward(factors_of(of_means, self._comparisons.pixels))
        for coarse in range(len(self._sizes) - 1, 0, -1):
            self._halve(coarse - 1, self._gradients, back=True)
        gradient = torch.empty_like(values)
        self._clamp(values, self._gradients, gradient)
        return Score(score.item(), gradient)

    def value(self, values: Tensor) -> float:
        """Values -> number alone."""
        return combine(self._means(values.contiguous())).item()

    def _means(self, values: Tensor) -> Tensor:
        """(scales, channels) means of maps."""
        self._fill(values, self._decoded)
        means = self._comparisons.sums()[:, 0] / self._comparisons.pixels
        return means.reshape(len(values), -1).mT

    def _fill(self, values: Tensor, planes: Sequence[Sequence[Tensor]]) -> None:
        """Values -> planes of all channels and scales."""
        self._clamp(values.contiguous(), planes)
        for fine in range(len(self._sizes) - 1):
            self._halve(fine, planes)

    def _clamp(
        self,
        values: Tensor,
        planes: Sequence[Sequence[Tensor]],
        gradient: Tensor | None = None,
    ) -> None:
        """Values -> the finest planes, clamped; or their gradients -> that of values."""

        def run(place: tuple[int, tuple[int, int]]) -> None:
            channel, (top, bottom) = place
            plane = planes[channel][0]
            task = Clamping(
                values=address(values, channel, top),
                gradient=address(gradient, channel, top),
                plane=address(plane, top, EDGE),
                values_row=values.stride(1),
                plane_row=plane.stride(0),
                rows=bottom - top,
                columns=values.shape[2],
            )
            self._loops.clamp(ctypes.byref(task))

        self._each_band(run, len(values), self._sizes[0])

    def _halve(self, fine: int, planes: Sequence[Sequence[Tensor]], back: bool = False) -> None:
        """Planes of a scale -> of the next; or gradients of the next, added to the scale's."""
        height, width = self._sizes[fine]

        def run(place: tuple[int, tuple[int, int]]) -> None:
            channel, (top, bottom) = place
            finer, coarser = planes[channel][fine : fine + 2]
            task = Halving(
                fine=address(finer, 0, EDGE),
                coarse=address(coarser, 0, EDGE),
                fine_row=finer.stride(0),
                coarse_row=coarser.stride(0),
                height=height,
                width=width,
                top=top,
                bottom=bottom,
            )
            (self._loops.spread if back else self._loops.halve)(ctypes.byref(task))

        self._each_band(run, len(planes), self._sizes[fine if back else fine + 1])

    def _each_band(
        self,
        function: Callable[[tuple[int, tuple[int, int]]], None],
        channels: int,
        size: tuple[int, int],
    ) -> None:
        """Call a function for each channel and band of rows of a scale."""
        rows, columns = size
        count = self._workers.count if rows * columns > _SMALL else 1
        bounds = [rows * part // count for part in range(count + 1)]
        bands = [(c, band) for c in range(channels) for band in pairwise(bounds)]
        self._workers.map(function, bands)


def factors_of(of_means: Tensor, pixels: Tensor) -> Tensor:
    """(scales, channels) gradient with respect to means -> what comparison.h wants.

    ``pixels`` are those that count in each plane, and planes are ordered by channel: (planes, 9).
    """
    factors = torch.zeros(of_means.numel(), NUM_FACTORS, dtype=torch.float64)
    factors[:, 0] = of_means.mT.flatten() / pixels
    return factors
