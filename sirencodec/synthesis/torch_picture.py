"""Picture -> tensors of one precision on one device, for ``query``."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sirencodec.synthesis.features import FeatureField
from sirencodec.synthesis.picture import Picture


@dataclass(frozen=True, slots=True, eq=False)
class TorchPicture:
    """A picture as PyTorch evaluates it.

    Attributes:
        layers: of the sine network, all of one dtype on one device.
        field: features by position, for its inputs besides coordinates; None in the pure profile.
    """

    layers: Sequence[Tensor]
    field: FeatureField | None = None


def to_torch(picture: Picture, device: torch.device, *, exact: bool) -> TorchPicture:
    """Picture -> its tensors.

    Args:
        picture: of either profile.
        device: where to evaluate it.
        exact: in float64 instead of float32.
    """
    dtype = torch.float64 if exact else torch.float32

    def tensor(array: object) -> Tensor:
        return torch.tensor(array, dtype=dtype, device=device)

    layers = [tensor(matrix) for matrix in picture.layers]
    if not picture.grids:
        return TorchPicture(layers)
    field = FeatureField(
        [tensor(grid) for grid in picture.grids],
        picture.exponents,
        tensor(picture.kernels),
        [tensor(matrix) for matrix in picture.refinement],
        picture.width,
        picture.height,
    )
    return TorchPicture(layers, field)
