"""Architecture -> network and kernels that the fit of a pyramid starts from.

Latents are whole numbers of either sign, a few levels high, and the fit starts from none at all; so
phases start small, where a sine is nearly linear in every feature, and what bends them is learned.
"""

import math

import torch
from torch import Tensor

from sirencodec.architecture import INPUTS, Architecture
from sirencodec.siren import Layers
from sirencodec.upsampling import CUBIC_KERNEL


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
    bound = math.sqrt(6 / width)
    first = uniform(width, features, math.sqrt(3 / features))
    bias = uniform(width, 1, math.pi / 4)
    layers = [torch.cat([torch.zeros(width, INPUTS), first, bias], 1)]
    for _ in range(architecture.hidden_layers):
        layers.append(torch.cat([uniform(width, width, bound), uniform(width, 1, bound / 2)], 1))
    last = uniform(architecture.channels, width, bound * 0.1)
    layers.append(torch.cat([last, mean[:, None]], 1))
    kernels = torch.tensor(CUBIC_KERNEL).repeat(architecture.grids[-1], 1)
    return layers, kernels
