"""Latents, kernels and network -> how far their picture is off, and the gradient of that, compiled.

What ``distortion_torch`` computes tile by tile, here in three passes over a swath of rows: each
grid to pixel resolution, then bands of rows through refinement and network and back, then the way
back of each grid. Every thread takes a band.
"""

import ctypes
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from sirencodec.fitting.loss.bands_native import (
    Band,
    Swath,
    cut_swaths,
    sample_swaths,
    swath_rows,
)
from sirencodec.fitting.loss.costs import Distortion, Gradient
from sirencodec.fitting.loss.distortion_targets import Held, SwathTargets, WholeTargets
from sirencodec.fitting.loss.features_native import NativeFeatures
from sirencodec.fitting.loss.pixel_rows import RowSink
from sirencodec.native.library import Loops
from sirencodec.native.tasks import DistortionTask, Layer, SynthesisTask, rounded_up
from sirencodec.native.tensors import address, describe_layers
from sirencodec.synthesis.coordinates import pixel_centres
from sirencodec.synthesis.refinement import LocalRefinement
from sirencodec.synthesis.threads import Workers

Tensors = Sequence[Tensor]


class _Network:
    """What features become values by.

    Attributes:
        local: the refinement.
        matrices: contiguous; its convolutions, of which there are ``num_convolutions``, then the
            network's layers.
    """

    def __init__(self, exponents: Sequence[int], layers: Tensors, refinement: Tensors) -> None:
        self.local = LocalRefinement(exponents, refinement)
        self.num_convolutions = len(self.local.matrices)
        self.matrices = [*self.local.matrices, *(layer.contiguous() for layer in layers)]


class NativeDistortion:
    """The distance from one image: a ``DistortionTerm``."""

    def __init__(
        self,
        targets: Tensor | SwathTargets,
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
        self._targets = WholeTargets(targets) if isinstance(targets, Tensor) else targets
        like = targets if isinstance(targets, Tensor) else torch.empty(0)
        self._like = like.new_empty(0)
        self._channels, self._height, self._width = self._targets.shape
        self._count = self._channels * self._height * self._width
        self._x, self._y = (
            torch.from_numpy(pixel_centres(0, count, size, count)).to(like)
            for size, count in (
                (self._width, rounded_up(self._width)),
                (self._height, self._height),
            )
        )
        size = self._height, self._width
        rows = min(rows or swath_rows(size), self._height)
        self._features = NativeFeatures(size, rows, exponents, self._like, workers, loops)
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
        network, scale = _Network(self._exponents, layers, refinement), 1 / self._count
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
        network, given = _Network(self._exponents, layers, refinement), value_gradient.contiguous()
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
        network = _Network(self._exponents, layers, refinement)
        described = describe_layers(network.matrices, [None] * len(network.matrices))
        for swath in self._swaths:
            self._features.fill(kernels.contiguous(), grids, swath)
            planes = self._planes(swath, values)
            tasks = [
                self._picture(swath.top, band, network, described, planes) for band in swath.bands
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
        network = _Network(self._exponents, layers, refinement)
        for swath in self._sample if is_sampled else self._swaths:
            self._features.fill(kernels.contiguous(), grids, swath)
            held = self._targets.of_rows(swath.top, swath.bottom)
            errors = held.targets.new_empty(swath.bottom - swath.top, held.targets.shape[2])
            planes = _Planes(errors=errors, first=swath.top)
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

    def _planes(self, swath: Swath, values: Tensor | RowSink | None) -> "_Planes":
        """Where a swath's values go: where they are wanted, or into memory of its own."""
        if values is None or isinstance(values, Tensor):
            return _Planes(values)
        rows = swath.bottom - swath.top
        own = self._like.new_empty(self._channels, rows, self._width)
        return _Planes(own, first=swath.top)

    def _there_and_back(
        self,
        network: _Network,
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
                band: Band, top: int = swath.top, held: Held = held, planes: _Planes = planes
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
        network: _Network,
        band: Band,
        gradient: Sequence[Tensor] | None = None,
        *,
        held: Held,
        planes: "_Planes",
    ) -> float:
        """Band of a swath that begins at ``top`` -> its sum of squared errors.

        It is 0 from a gradient with respect to values. Adds to ``gradient``, one tensor a
        matrix, and fills errors and values where given.
        """
        described = describe_layers(network.matrices, gradient or [None] * len(network.matrices))
        targets, weights, gradients = held.targets, held.weights, self._features.gradients
        value_gradient, row = planes.value_gradient, top + band.top
        below = gradients if band.below is None else band.below
        task = DistortionTask(
            picture=self._picture(top, band, network, described, planes),
            slopes=None if gradient is None else address(gradients, 0, band.top),
            slopes_below=address(below, 0, 0 if below is band.below else band.bottom),
            targets=address(targets, 0, row - held.first),
            weights=address(weights, 0, row - held.first),
            errors=address(planes.errors, row - planes.first),
            value_slopes=address(value_gradient, 0, row),
            slope_plane=gradients.stride(0),
            below_plane=below.stride(0),
            target_plane=targets.stride(0),
            target_row=targets.stride(1),
            weight_plane=0 if weights is None or len(weights) == 1 else weights.stride(0),
            value_slope_plane=0 if value_gradient is None else value_gradient.stride(0),
            value_slope_row=0 if value_gradient is None else value_gradient.stride(1),
        )
        error: float = self._loops.distortion(ctypes.byref(task))
        return error

    def _picture(
        self,
        top: int,
        band: Band,
        network: _Network,
        described: ctypes.Array[Layer],
        planes: "_Planes",
    ) -> SynthesisTask:
        """Band and network -> the part of a task that says what picture it is of."""
        features, convolutions = self._features.planes, network.num_convolutions
        layers, values = ctypes.addressof(described), planes.values
        return SynthesisTask(
            features=address(features, 0, band.top),
            values=address(values, 0, top + band.top - planes.first),
            feature_plane=features.stride(0),
            feature_row=features.stride(1),
            value_plane=0 if values is None else values.stride(0),
            value_row=0 if values is None else values.stride(1),
            x=address(self._x),
            y=address(self._y, top + band.top),
            rows=band.bottom - band.top,
            columns=self._width,
            num_features=len(self._exponents),
            num_refined=network.matrices[1].shape[0] if convolutions else 0,
            convolutions=layers,
            layers=layers + convolutions * ctypes.sizeof(Layer),
            depth=len(network.matrices) - convolutions,
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Planes:
    """Where a pass over rows writes to and reads from besides targets.

    Attributes:
        values: (channels, rows, width) to be filled.
        errors: (rows, columns) to be filled.
        value_gradient: (channels, height, width) to start from.
        first: the image's row at which values and errors begin.
    """

    values: Tensor | None = None
    errors: Tensor | None = None
    value_gradient: Tensor | None = None
    first: int = 0


def _deliver(values: Tensor | RowSink | None, planes: _Planes) -> None:
    """A swath's values have been computed -> given to whoever takes rows."""
    if values is not None and not isinstance(values, Tensor) and planes.values is not None:
        values.put(planes.first, planes.values)
