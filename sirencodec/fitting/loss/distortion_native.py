"""Latents, kernels and network -> how far their picture is off, and the gradient of that, compiled.

What ``distortion_torch`` computes tile by tile, here in three passes over a swath of rows: each
grid to pixel resolution, then bands of rows through refinement and network and back, then the way
back of each grid. Every thread takes a band.
"""

import ctypes
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from sirencodec.fitting.loss.bands_native import (
    Band,
    BandedSwath,
    cut_swaths,
    sample_swaths,
    swath_rows,
)
from sirencodec.fitting.loss.costs import Distortion, Gradient
from sirencodec.fitting.loss.distortion_targets import Held, HeldTargets, WholeTargets
from sirencodec.fitting.loss.distortion_tasks import BandTasks, PictureNetwork, RowPlanes
from sirencodec.fitting.loss.features_native import NativeFeatures
from sirencodec.fitting.loss.pixel_rows import RowSink
from sirencodec.native.library import Loops
from sirencodec.native.tensors import describe_layers
from sirencodec.synthesis.threads import Workers

Tensors = Sequence[Tensor]


class NativeDistortion:
    """The distance from one image: a ``DistortionTerm``."""

    def __init__(
        self,
        targets: Tensor | HeldTargets,
        exponents: Sequence[int],
        workers: Workers,
        loops: Loops,
        rows: int | None = None,
    ) -> None:
        """Make room for features and gradients.

        Args:
            targets: (channels, height, width) values wanted, on the CPU; or those of a large image,
                which are renewed where they are.
            exponents: of the grids, rising.
            workers: threads to share the work among.
            loops: for the targets' dtype.
            rows: of a swath, a multiple of the coarsest grid's spacing; None if size decides.
        """
        self._exponents, self._workers, self._loops = list(exponents), workers, loops
        self._targets: HeldTargets = (
            WholeTargets(targets) if isinstance(targets, Tensor) else targets
        )
        like = targets if isinstance(targets, Tensor) else torch.empty(0)
        self._like = like.new_empty(0)
        self._channels, self._height, self._width = self._targets.shape
        self._count = self._channels * self._height * self._width
        size = self._height, self._width
        rows = min(rows or swath_rows(size), self._height)
        self._features = NativeFeatures(size, rows, exponents, self._like, workers, loops)
        self._tasks = BandTasks(size, self._features, self._like)
        gradients = self._features.gradients
        self._swaths = cut_swaths(gradients, size, rows, workers.count)
        self._sample = sample_swaths(gradients, size, workers.count) or self._swaths

    def set_targets(self, targets: Tensor, weights: Tensor | None = None) -> None:
        """Replace targets and weights. See ``DistortionTerm``."""
        if not isinstance(self._targets, WholeTargets):
            raise TypeError("targets of a large image are renewed where they are")
        self._targets.set(targets, weights)

    def __call__(
        self,
        layers: Tensors,
        kernels: Tensor,
        grids: Tensors,
        refinement: Tensors = (),
        values: Tensor | RowSink | None = None,
    ) -> Distortion:
        """Error and gradient. See ``DistortionTerm``."""
        network, scale = PictureNetwork(self._exponents, layers, refinement), 1 / self._count
        self._check_planes(values)
        error, gradient = self._there_and_back(network, kernels, grids, scale, values)
        return Distortion(error * scale, gradient)

    def gradient(
        self,
        value_gradient: Tensor,
        layers: Tensors,
        kernels: Tensor,
        grids: Tensors,
        refinement: Tensors = (),
    ) -> Gradient:
        """The backward half. See ``DistortionTerm``."""
        network = PictureNetwork(self._exponents, layers, refinement)
        given = value_gradient.contiguous()
        self._check_planes(given)
        error, gradient = self._there_and_back(network, kernels, grids, 1.0, value_gradient=given)
        if math.isnan(error):
            raise MemoryError("no room for a gradient")
        return gradient

    def values(
        self, layers: Tensors, kernels: Tensor, grids: Tensors, refinement: Tensors = ()
    ) -> Tensor:
        """The forward half. See ``DistortionTerm``."""
        values = self._like.new_empty(self._channels, self._height, self._width)
        self.put_values(values, layers, kernels, grids, refinement)
        return values

    def put_values(
        self,
        values: Tensor | RowSink,
        layers: Tensors,
        kernels: Tensor,
        grids: Tensors,
        refinement: Tensors = (),
    ) -> None:
        """The same into ``values``, (channels, height, width), or to whoever takes their rows."""
        network = PictureNetwork(self._exponents, layers, refinement)
        described = describe_layers(network.matrices, [None] * len(network.matrices))
        for swath in self._swaths:
            self._features.fill(kernels.contiguous(), grids, swath)
            planes = self._planes(swath, values)
            tasks = [
                self._tasks.synthesis(swath.top, band, network, described, planes)
                for band in swath.bands
            ]
            if any(self._workers.map(lambda t: self._loops.synthesis(ctypes.byref(t)), tasks)):
                raise MemoryError("no room for a picture")
            _deliver(values, planes)

    def errors(
        self, layers: Tensors, kernels: Tensor, grids: Tensors, refinement: Tensors = ()
    ) -> Tensor:
        """Errors of pixels alone. See ``DistortionTerm``."""
        found = list(self.errors_by_rows(layers, kernels, grids, refinement))
        return found[0][1] if len(found) == 1 else torch.cat([errors for _, errors in found])

    def errors_by_rows(
        self,
        layers: Tensors,
        kernels: Tensor,
        grids: Tensors,
        refinement: Tensors = (),
        *,
        is_sampled: bool = False,
    ) -> Iterator[tuple[int, Tensor]]:
        """The same, a swath at a time. See ``DistortionTerm``."""
        network = PictureNetwork(self._exponents, layers, refinement)
        for swath in self._sample if is_sampled else self._swaths:
            self._features.fill(kernels.contiguous(), grids, swath)
            held = self._targets.of_rows(swath.top, swath.bottom)
            errors = held.targets.new_empty(swath.bottom - swath.top, held.targets.shape[2])
            planes = RowPlanes(errors=errors, first=swath.top)
            run = partial(self._run, swath.top, network, held=held, planes=planes)
            self._workers.map(run, swath.bands)
            yield swath.top, errors[:, : self._width].div_(self._channels)

    def _check_planes(self, planes: Tensor | RowSink | None) -> None:
        """Raise ValueError for what C would read or write beyond."""
        shape = self._channels, self._height, self._width
        if isinstance(planes, Tensor) and (
            planes.shape != shape or planes.dtype != self._like.dtype or planes.stride(2) != 1
        ):
            raise ValueError(f"planes must be {shape} {self._like.dtype}, columns side by side")

    def _planes(self, swath: BandedSwath, values: Tensor | RowSink | None) -> RowPlanes:
        """Where a swath's values go: where they are wanted, or into memory of its own."""
        if values is None or isinstance(values, Tensor):
            return RowPlanes(values)
        rows = swath.bottom - swath.top
        own = self._like.new_empty(self._channels, rows, self._width)
        return RowPlanes(own, first=swath.top)

    def _there_and_back(
        self,
        network: PictureNetwork,
        kernels: Tensor,
        grids: Tensors,
        scale: float,
        values: Tensor | RowSink | None = None,
        value_gradient: Tensor | None = None,
    ) -> tuple[float, Gradient]:
        """Sum of squared errors, and ``scale`` times the gradient of that or from values given."""
        kernels, features = kernels.contiguous(), self._features
        of_grids = [torch.zeros_like(grid).contiguous() for grid in grids]
        of_kernels, error = torch.zeros_like(kernels), 0.0
        gradient = [torch.zeros_like(matrix) for matrix in network.matrices]
        for swath in self._swaths:
            features.fill(kernels, grids, swath)
            held = self._targets.of_rows(swath.top, swath.bottom)
            planes = replace(self._planes(swath, values), value_gradient=value_gradient)

            def run(
                band: Band, top: int = swath.top, held: Held = held, planes: RowPlanes = planes
            ) -> tuple[float, list[Tensor]]:
                band.clear(features.gradients)
                own = [torch.zeros_like(matrix) for matrix in network.matrices]
                return self._run(top, network, band, own, held=held, planes=planes), own

            parts = self._workers.map(run, swath.bands)
            error += sum(of_band for of_band, _ in parts)
            for total, *same in zip(gradient, *(of_band for _, of_band in parts), strict=True):
                total += torch.stack(same).sum(0)
            for band in swath.bands:
                band.join(features.gradients)
            of_kernels += features.backward(kernels, grids, swath, of_grids)
            _deliver(values, planes)
        count, gradient = network.num_convolutions, [total.mul_(scale) for total in gradient]
        return error, Gradient(
            gradient[count:],
            of_kernels * scale,
            [of_grid.mul_(scale) for of_grid in of_grids],
            network.local.gradient(gradient[:count]),
        )

    def _run(
        self,
        top: int,
        network: PictureNetwork,
        band: Band,
        gradient: Sequence[Tensor] | None = None,
        *,
        held: Held,
        planes: RowPlanes,
    ) -> float:
        """Band of a swath that begins at ``top`` -> its sum of squared errors.

        It is 0 from a gradient with respect to values. Adds to ``gradient``, one tensor a
        matrix, and fills errors and values where given.
        """
        layers = describe_layers(network.matrices, gradient or [None] * len(network.matrices))
        picture = self._tasks.synthesis(top, band, network, layers, planes)
        task = self._tasks.distortion(
            picture, top, band, held, planes, is_gradient_wanted=gradient is not None
        )
        error: float = self._loops.distortion(ctypes.byref(task))
        return error


def _deliver(values: Tensor | RowSink | None, planes: RowPlanes) -> None:
    """A swath's values have been computed -> given to whoever takes rows."""
    if values is not None and not isinstance(values, Tensor) and planes.values is not None:
        values.put(planes.first, planes.values)
