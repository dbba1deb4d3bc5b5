"""Latents, kernels and network -> how far their picture is off, and the gradient of that, compiled.

What ``distortion_torch`` computes tile by tile, here in three passes over a swath of rows: each
grid to pixel resolution, then bands of rows through refinement and network and back, then the way
back of each grid. Every thread takes a band.
"""

import ctypes
import math
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from sirencodec.fitting.loss.bands_native import Band, cut_swaths, swath_rows
from sirencodec.fitting.loss.costs import Distortion, Gradient
from sirencodec.fitting.loss.features_native import NativeFeatures
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
        targets: Tensor,
        exponents: Sequence[int],
        workers: Workers,
        loops: Loops,
        rows: int | None = None,
    ) -> None:
        """Make room for features and gradients.

        Args:
            targets: (channels, height, width) values wanted, on the CPU.
            exponents: of the grids, rising.
            workers: threads to share the work among.
            loops: for the targets' dtype.
            rows: of a swath, a multiple of the coarsest grid's spacing; None if size decides.
        """
        self._exponents, self._workers, self._loops = list(exponents), workers, loops
        channels, self._height, self._width = targets.shape
        self._count = targets.numel()
        self._targets = targets.new_zeros(channels, self._height, rounded_up(self._width))
        self._weights, self._is_weighted = targets.new_empty(0), False
        self.set_targets(targets)
        self._x, self._y = (
            torch.from_numpy(pixel_centres(0, count, size, count)).to(targets)
            for size, count in (
                (self._width, rounded_up(self._width)),
                (self._height, self._height),
            )
        )
        size = self._height, self._width
        rows = min(rows or swath_rows(size), self._height)
        self._features = NativeFeatures(size, rows, exponents, targets, workers, loops)
        self._swaths = cut_swaths(self._features.gradients, size, rows, workers.count)

    def set_targets(self, targets: Tensor, weights: Tensor | None = None) -> None:
        """Replace targets and weights. See ``DistortionTerm``."""
        self._targets[:, :, : self._width] = targets
        self._is_weighted = weights is not None
        if weights is None:
            return
        if len(weights) not in (1, len(self._targets)):
            raise ValueError(f"{len(weights)} planes of weights for {len(self._targets)} channels")
        if len(self._weights) != len(weights):
            self._weights = self._targets.new_zeros(len(weights), *self._targets.shape[1:])
        self._weights[:, :, : self._width] = weights

    def __call__(
        self,
        layers: Tensors,
        kernels: Tensor,
        grids: Tensors,
        refinement: Tensors = (),
        values: Tensor | None = None,
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
        network = _Network(self._exponents, layers, refinement)
        values = self._targets.new_empty(len(self._targets), self._height, self._width)
        described = describe_layers(network.matrices, [None] * len(network.matrices))
        for swath in self._swaths:
            self._features.fill(kernels.contiguous(), grids, swath)
            tasks = [
                self._picture(swath.top, band, network, described, values) for band in swath.bands
            ]
            if any(self._workers.map(lambda t: self._loops.synthesis(ctypes.byref(t)), tasks)):
                raise MemoryError("no room for a picture")
        return values

    def errors(
        self, layers: Tensors, kernels: Tensor, grids: Tensors, refinement: Tensors = ()
    ) -> Tensor:
        """Errors of pixels alone. See ``DistortionTerm``."""
        network = _Network(self._exponents, layers, refinement)
        errors = torch.empty_like(self._targets[0])
        for swath in self._swaths:
            self._features.fill(kernels.contiguous(), grids, swath)
            self._workers.map(partial(self._run, swath.top, network, errors=errors), swath.bands)
        return errors[:, : self._width].div_(len(self._targets))

    def _check_planes(self, planes: Tensor | None) -> None:
        """Raise ValueError for what C would read or write beyond."""
        shape = len(self._targets), self._height, self._width
        if planes is not None and (
            planes.shape != shape or planes.dtype != self._targets.dtype or planes.stride(2) != 1
        ):
            raise ValueError(f"planes must be {shape} {self._targets.dtype}, columns side by side")

    def _there_and_back(
        self,
        network: _Network,
        kernels: Tensor,
        grids: Tensors,
        scale: float,
        values: Tensor | None = None,
        value_gradient: Tensor | None = None,
    ) -> tuple[float, Gradient]:
        """Sum of squared errors, and ``scale`` times the gradient of that or from values given."""
        kernels, features = kernels.contiguous(), self._features
        of_grids = [torch.zeros_like(grid).contiguous() for grid in grids]
        of_kernels, error = torch.zeros_like(kernels), 0.0
        gradient = [torch.zeros_like(matrix) for matrix in network.matrices]
        for swath in self._swaths:
            features.fill(kernels, grids, swath)

            def run(band: Band, top: int = swath.top) -> tuple[float, list[Tensor]]:
                band.clear(features.gradients)
                own = [torch.zeros_like(matrix) for matrix in network.matrices]
                return self._run(top, network, band, own, None, values, value_gradient), own

            parts = self._workers.map(run, swath.bands)
            error += sum(of_band for of_band, _ in parts)
            for total, *same in zip(gradient, *(of_band for _, of_band in parts), strict=True):
                total += torch.stack(same).sum(0)
            for band in swath.bands:
                band.join(features.gradients)
            of_kernels += features.backward(kernels, grids, swath, of_grids)
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
        errors: Tensor | None = None,
        values: Tensor | None = None,
        value_gradient: Tensor | None = None,
    ) -> float:
        """Band of a swath that begins at ``top`` -> its sum of squared errors.

        It is 0 from a gradient with respect to values. Adds to ``gradient``, one tensor a
        matrix, and fills errors and values where given.
        """
        described = describe_layers(network.matrices, gradient or [None] * len(network.matrices))
        targets, gradients = self._targets, self._features.gradients
        weights = self._weights if self._is_weighted else None
        below = gradients if band.below is None else band.below
        task = DistortionTask(
            picture=self._picture(top, band, network, described, values),
            slopes=None if gradient is None else address(gradients, 0, band.top),
            slopes_below=address(below, 0, 0 if below is band.below else band.bottom),
            targets=address(targets, 0, top + band.top),
            weights=address(weights, 0, top + band.top),
            errors=address(errors, top + band.top),
            value_slopes=address(value_gradient, 0, top + band.top),
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
        values: Tensor | None,
    ) -> SynthesisTask:
        """Band and network -> the part of a task that says what picture it is of."""
        features, convolutions = self._features.planes, network.num_convolutions
        layers = ctypes.addressof(described)
        return SynthesisTask(
            features=address(features, 0, band.top),
            values=address(values, 0, top + band.top),
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
