"""Latents, kernels and network -> how far their picture is off, and the gradient of that, compiled.

What ``distortion_torch`` computes tile by tile, here in three passes: each grid to pixel
resolution, then bands of rows through refinement and network and back, then the way back of each
grid. Every thread takes a band.
"""

import ctypes
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from sirencodec.fitting.loss.bands_native import Band, cut_bands
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
        self, targets: Tensor, exponents: Sequence[int], workers: Workers, loops: Loops
    ) -> None:
        """Make room for features and gradients.

        Args:
            targets: (channels, height, width) values wanted, on the CPU.
            exponents: of the grids, rising.
            workers: threads to share the work among.
            loops: for the targets' dtype.
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
        self._features = NativeFeatures(size, exponents, targets, workers, loops)
        self._bands = cut_bands(self._features.gradients, self._height, workers.count)

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
        self._features.fill(kernels.contiguous(), grids)
        network = _Network(self._exponents, layers, refinement)
        values = self._targets.new_empty(len(self._targets), self._height, self._width)
        described = describe_layers(network.matrices, [None] * len(network.matrices))

        def run(band: Band) -> None:
            task = self._picture(band, network, described, values)
            if self._loops.synthesis(ctypes.byref(task)):
                raise MemoryError("no room for a picture")

        self._workers.map(run, self._bands)
        return values

    def errors(
        self, layers: Tensors, kernels: Tensor, grids: Tensors, refinement: Tensors = ()
    ) -> Tensor:
        """Errors of pixels alone. See ``DistortionTerm``."""
        self._features.fill(kernels.contiguous(), grids)
        network = _Network(self._exponents, layers, refinement)
        errors = torch.empty_like(self._targets[0])
        self._workers.map(lambda band: self._run(band, network, errors=errors), self._bands)
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
        kernels = kernels.contiguous()
        self._features.fill(kernels, grids)

        def run(band: Band) -> tuple[float, list[Tensor]]:
            band.clear(self._features.gradients)
            gradient = [torch.zeros_like(matrix) for matrix in network.matrices]
            error = self._run(band, network, gradient, None, values, value_gradient)
            return error, gradient

        parts = self._workers.map(run, self._bands)
        gradient = [
            torch.stack(same).sum(0).mul_(scale)
            for same in zip(*(of_band for _, of_band in parts), strict=True)
        ]
        for band in self._bands:
            band.join(self._features.gradients)
        of_grids, of_kernels = self._features.backward(kernels, grids)
        return sum(error for error, _ in parts), Gradient(
            gradient[network.num_convolutions :],
            of_kernels * scale,
            [of_grid.mul_(scale) for of_grid in of_grids],
            network.local.gradient(gradient[: network.num_convolutions]),
        )

    def _run(
        self,
        band: Band,
        network: _Network,
        gradient: Sequence[Tensor] | None = None,
        errors: Tensor | None = None,
        values: Tensor | None = None,
        value_gradient: Tensor | None = None,
    ) -> float:
        """Band -> its sum of squared errors, 0 from a gradient with respect to values.

        Adds to ``gradient``, one tensor a matrix, and fills errors and values where given.
        """
        described = describe_layers(network.matrices, gradient or [None] * len(network.matrices))
        targets, gradients = self._targets, self._features.gradients
        weights = self._weights if self._is_weighted else None
        below = gradients if band.below is None else band.below
        task = DistortionTask(
            picture=self._picture(band, network, described, values),
            slopes=address(gradients, 0, band.top) if gradient else None,
            slopes_below=address(below, 0, 0 if below is band.below else band.bottom),
            targets=address(targets, 0, band.top),
            weights=address(weights, 0, band.top),
            errors=address(errors, band.top),
            value_slopes=address(value_gradient, 0, band.top),
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
            values=address(values, 0, band.top),
            feature_plane=features.stride(0),
            feature_row=features.stride(1),
            value_plane=0 if values is None else values.stride(0),
            value_row=0 if values is None else values.stride(1),
            x=address(self._x),
            y=address(self._y, band.top),
            rows=band.bottom - band.top,
            columns=self._width,
            num_features=len(self._exponents),
            num_refined=network.matrices[1].shape[0] if convolutions else 0,
            convolutions=layers,
            layers=layers + convolutions * ctypes.sizeof(Layer),
            depth=len(network.matrices) - convolutions,
        )
