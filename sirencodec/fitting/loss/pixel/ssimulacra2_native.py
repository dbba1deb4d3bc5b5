"""Values and the original -> SSIMULACRA2, by compiled kernels.

What ssimulacra2_torch.py says, in four passes: values to XYB at all scales, sums of maps, slopes of
the score along XYB, and back to values.
"""

import ctypes
from typing import ClassVar, Final

import torch
from torch import Tensor

from sirencodec.fitting.loss.pixel.measure import Score
from sirencodec.fitting.loss.pixel.native_planes import (
    NUM_FACTORS,
    Comparisons,
    Original,
    empty_planes,
    half_window,
)
from sirencodec.fitting.loss.pixel.ssimulacra2_scale import scale_sizes, score_of, weights_of
from sirencodec.fitting.loss.pixel.ssimulacra2_torch import C2, blur
from sirencodec.fitting.loss.pixel.window import RADIUS
from sirencodec.native.measures import (
    EDGE,
    EDGES,
    STRUCTURE,
    MeasureKernels,
    XybScale,
    XybTask,
)
from sirencodec.native.tensors import address
from sirencodec.synthesis.threads import Workers

_Y: Final = 1  # the plane that gray has; of the others a difference is always zero
_SMALLEST_NORM: Final = 1e-9  # below it fourth powers vanish in single precision


class CompiledSsimulacra2:
    """The score of images against one original; see ``ReferenceSsimulacra2``."""

    better: ClassVar[int] = 1

    def __init__(self, targets: Tensor, workers: Workers, kernels: MeasureKernels) -> None:
        """Keep what is needed of the original.

        Args:
            targets: see ``Measure``; on the CPU.
            workers: threads to share the work among.
            kernels: for the targets' dtype.
        """
        self._workers, self._kernels = workers, kernels
        self._sizes = scale_sizes(*targets.shape[1:])
        channels = len(targets)
        planes = [empty_planes(targets, channels, *size) for size in self._sizes]
        self._convert(targets, planes)
        windows = half_window(RADIUS, targets), half_window(RADIUS, targets)
        self._originals = [
            Original.of(values, width, C2, blur, windows, is_inside=False)
            for values, (_, width) in zip(planes, self._sizes, strict=True)
        ]
        weights = weights_of(len(self._sizes))
        self._weights = weights[_Y : _Y + 1] if channels == 1 else weights
        # Only maps that have a weight are looked at.
        self._places = [
            (channel, scale)
            for channel in range(channels)
            for scale in range(len(self._sizes))
            if self._weights[channel, scale].any()
        ]
        self._comparisons = Comparisons(
            [
                (
                    self._originals[scale],
                    channel,
                    STRUCTURE if self._weights[channel, scale, :, 0].any() else EDGES,
                )
                for channel, scale in self._places
            ],
            workers,
            kernels,
        )

    def __call__(self, values: Tensor) -> Score:
        """Values -> number and gradient."""
        values = values.contiguous()
        if not self._sizes:
            return Score(self.value(values), torch.zeros_like(values))
        norms = self._norms(values).requires_grad_()
        score = self._score(norms)
        (slopes,) = torch.autograd.grad(score, norms)
        self._comparisons.slopes(self._factors(slopes, norms.detach()))
        gradient = torch.empty_like(values)
        planes = [original.decoded for original in self._originals]
        self._convert(values, planes, gradient)
        return Score(score.item(), gradient)

    def value(self, values: Tensor) -> float:
        """Values -> number alone."""
        norms = self._norms(values.contiguous()) if self._sizes else torch.zeros(0, 2, 3)
        return self._score(norms).item()

    def _norms(self, values: Tensor) -> Tensor:
        """(planes looked at, 2, 3) 1-norms and 4-norms of maps."""
        self._convert(values, [original.decoded for original in self._originals])
        sums = self._comparisons.sums().reshape(-1, 3, 2).mT
        means = sums / self._pixels()
        return torch.stack([means[:, 0], means[:, 1] ** 0.25], 1)

    def _pixels(self) -> Tensor:
        """(planes looked at, 1, 1) pixels of their scales."""
        pixels = [self._originals[scale].pixels for _, scale in self._places]
        return torch.tensor(pixels, dtype=torch.float64)[:, None, None]

    def _score(self, norms: Tensor) -> Tensor:
        weighted = torch.zeros((), dtype=torch.float64)
        if self._places:
            channels, scales = zip(*self._places, strict=True)
            weighted = (norms * self._weights[list(channels), list(scales)]).sum()
        return score_of(weighted)

    def _factors(self, slopes: Tensor, norms: Tensor) -> Tensor:
        """Slopes of the score along norms -> what comparison.h wants: (planes, 9)."""
        per_pixel = slopes / self._pixels()
        fourth = norms[:, 1]
        inverse = torch.where(fourth > _SMALLEST_NORM, 1 / fourth, 0)
        return torch.stack([*per_pixel.unbind(1), inverse], 2).reshape(-1, NUM_FACTORS)

    def _convert(
        self, values: Tensor, planes: list[Tensor], gradient: Tensor | None = None
    ) -> None:
        """Values -> their XYB in planes; or, with slopes along those, the gradient."""
        if not planes:
            return
        values = values.contiguous()
        scales = [
            XybScale(
                planes=address(of_scale, 0, 0, EDGE),
                slopes=None
                if gradient is None
                else address(self._originals[index].slopes, 0, 0, EDGE),
                plane=of_scale.stride(0),
                row=of_scale.stride(1),
                height=height,
                width=width,
            )
            for index, (of_scale, (height, width)) in enumerate(
                zip(planes, self._sizes, strict=True)
            )
        ]
        task = XybTask(
            values=address(values),
            gradient=address(gradient),
            plane=values.stride(0),
            row=values.stride(1),
            channels=len(values),
            scales=(XybScale * len(scales))(*scales),
            num_scales=len(scales),
        )
        begun = ctypes.c_long(0)

        def run(_: int) -> None:
            back = int(gradient is not None)
            if self._kernels.convert_xyb(ctypes.byref(task), ctypes.byref(begun), back):
                raise MemoryError("no memory to convert an image in")

        self._workers.map(run, range(self._workers.count))
