"""Architecture -> network and kernels that the fit of a pyramid starts from.

Latents are whole numbers of either sign, a few levels high, and the fit starts from none at all; so
phases start small, where a sine is nearly linear in every feature, and what bends them is learned.
"""

import math
from typing import Final

import torch
from torch import Tensor

from sirencodec.activations import hidden_bound
from sirencodec.architecture import INPUTS, Architecture
from sirencodec.siren import HIDDEN_BIAS_SHARE, Layers
from sirencodec.upsampling import CUBIC_KERNEL

FEATURE_BIAS_BOUND: Final = math.pi / 4  # of the first layer's biases


def feature_bound(features: int) -> float:
    """Number of features -> bound of the first layer's uniform weights: sqrt(3 / features).

    A weight's variance is then 1 / features.
    """
    return math.sqrt(3 / features)


def starting_network(
    architecture: Architecture, mean: Tensor, generator: torch.Generator
) -> tuple[Layers, Tensor]:
    """Random layers around a mean colour, and cubic upsampling.

    Bounds are SIREN's for hidden layers; a feature's is smaller by the square root of two, so that
    latents of unit deviation give phases of unit variance, and coordinates start without effect.

    Args:
        architecture: with grids.
        mean: (channels,) that the image has on average.
        generator: source of randomness, on the CPU.

    Returns:
        Augmented matrices and the (octaves, 4) kernels, float32 on the CPU.
    """

    def uniform(rows: int, columns: int, bound: float) -> Tensor:
        return (torch.rand(rows, columns, generator=generator) * 2 - 1) * bound

    width, features = architecture.hidden_features, len(architecture.grids)
    bound = hidden_bound(width)
    first = uniform(width, features, feature_bound(features))
    bias = uniform(width, 1, FEATURE_BIAS_BOUND)
    layers = [torch.cat([torch.zeros(width, INPUTS), first, bias], 1)]
    for _ in range(architecture.hidden_layers):
        weight = uniform(width, width, bound)
        layers.append(torch.cat([weight, uniform(width, 1, bound * HIDDEN_BIAS_SHARE)], 1))
    last = uniform(architecture.channels, width, bound * 0.1)
    layers.append(torch.cat([last, mean[:, None]], 1))
    kernels = torch.tensor(CUBIC_KERNEL).repeat(architecture.grids[-1], 1)
    return layers, kernels
