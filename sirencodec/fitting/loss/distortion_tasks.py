"""Bands of rows -> what the compiled loops of the distortion are told of them."""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sirencodec.fitting.loss.bands_native import Band
from sirencodec.fitting.loss.distortion_targets import Held
from sirencodec.fitting.loss.features_native import NativeFeatures
from sirencodec.native.tasks import DistortionTask, Layer, SynthesisTask, rounded_up
from sirencodec.native.tensors import address
from sirencodec.synthesis.coordinates import pixel_centres
from sirencodec.synthesis.refinement import LocalRefinement

Tensors = Sequence[Tensor]
Layers = ctypes.Array[Layer]


class PictureNetwork:
    """What features become values by.

    Attributes:
        local: the refinement.
        matrices: contiguous; its convolutions, of which there are ``num_convolutions``, then the
            network's layers.
    """

    def __init__(self, exponents: Sequence[int], layers: Tensors, refinement: Tensors) -> None:
        """Bring the matrices of a picture in order."""
        self.local = LocalRefinement(exponents, refinement)
        self.num_convolutions = len(self.local.matrices)
        self.matrices = [*self.local.matrices, *(layer.contiguous() for layer in layers)]


@dataclass(frozen=True, slots=True, eq=False)
class RowPlanes:
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


class BandTasks:
    """What loops are told of bands of one image's rows.

    Tasks hold addresses: what they are made of must outlive them.
    """

    def __init__(self, size: tuple[int, int], features: NativeFeatures, like: Tensor) -> None:
        """Height and width of the image, features of a swath of it, and their precision."""
        height, self._width = size
        self._features = features
        self._x, self._y = (
            torch.from_numpy(pixel_centres(0, count, side, count)).to(like)
            for side, count in ((self._width, rounded_up(self._width)), (height, height))
        )

    def synthesis(
        self, top: int, band: Band, network: PictureNetwork, layers: Layers, planes: RowPlanes
    ) -> SynthesisTask:
        """Band of a swath that begins at ``top`` -> which picture it shows.

        Args:
            top: the image's row.
            band: of the swath.
            network: of the picture.
            layers: its matrices, as ``describe_layers`` has them.
            planes: where values go.
        """
        features, convolutions = self._features.planes, network.num_convolutions
        first, values = ctypes.addressof(layers), planes.values
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
            num_features=len(features),
            num_refined=network.matrices[1].shape[0] if convolutions else 0,
            convolutions=first,
            layers=first + convolutions * ctypes.sizeof(Layer),
            depth=len(network.matrices) - convolutions,
        )

    def distortion(
        self,
        picture: SynthesisTask,
        top: int,
        band: Band,
        held: Held,
        planes: RowPlanes,
        *,
        is_gradient_wanted: bool,
    ) -> DistortionTask:
        """The same -> what its picture is compared with, or which gradient it has.

        Args:
            picture: from ``synthesis``, of the same band.
            top: the image's row.
            band: of the swath.
            held: targets of the swath.
            planes: where errors go, and gradients with respect to values come from.
            is_gradient_wanted: of features, too.
        """
        targets, weights, gradients = held.targets, held.weights, self._features.gradients
        value_gradient, row = planes.value_gradient, top + band.top
        below = gradients if band.below is None else band.below
        return DistortionTask(
            picture=picture,
            slopes=address(gradients, 0, band.top) if is_gradient_wanted else None,
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
