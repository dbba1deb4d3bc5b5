"""Architecture -> network and kernels that the fit of a pyramid starts from.

The shipped network was trained on other photographs, together with the context networks
(``python -m benchmarks train-prior``). It knows which colours go with which grid; a random one
takes hundreds of updates to find out. No file depends on it, so it may change.
"""

import math
from functools import lru_cache
from typing import Final

import torch
from torch import Tensor

from sirencodec.bitstream.architecture import INPUTS, Architecture
from sirencodec.bitstream.prior_file import start_bytes
from sirencodec.bitstream.quantize import dequantize
from sirencodec.entropy.matrices import read_matrices
from sirencodec.fitting.bounds import HIDDEN_BIAS_SHARE
from sirencodec.fitting.pyramid.start_settings import StartSettings, feature_bound
from sirencodec.synthesis.network import Layers
from sirencodec.synthesis.upsampling import CUBIC_KERNEL
from sirencodec.theory import hidden_bound

# The shipped network was trained for this architecture, at this lambda.
TRAINED_ARCHITECTURE: Final = Architecture(16, 1, 3, 1, tuple(range(7)), 1)
TRAINED_LAMBDA: Final = 0.002
LUMA: Final = (0.299, 0.587, 0.114)  # what a gray picture is made of (ITU-R BT.601)


def starting_network(
    architecture: Architecture,
    mean: Tensor,
    lambda_: float,
    generator: torch.Generator,
    settings: StartSettings,
) -> tuple[Layers, Tensor]:
    """Architecture, mean colour and lambda -> the shipped network, or a random one.

    The shipped one is taken where its shapes fit, whatever the channels. Its weights of features
    are multiplied by ``feature_gain``; a gray picture starts from its luma, opacity from its mean.

    Args:
        architecture: with grids.
        mean: (channels,) that the image has on average.
        lambda_: error that a bit a pixel is worth.
        generator: source of randomness for a random network, on the CPU.
        settings: whether the shipped one is wanted, and the size of a random one.

    Returns:
        Augmented matrices and the (octaves, 4) kernels, float32 on the CPU.
    """
    trained = TRAINED_ARCHITECTURE
    if (
        not settings.is_trained
        or architecture.layer_shapes[:-1] != trained.layer_shapes[:-1]
        or architecture.kernel_shapes != trained.kernel_shapes
    ):
        return random_network(architecture, mean, generator, settings)
    *layers, kernels = (matrix.clone() for matrix in trained_matrices())
    layers[0][:, INPUTS:-1] *= feature_gain(lambda_)
    colour, channels = layers[-1], architecture.channels
    if channels <= 2:
        colour = torch.tensor(LUMA)[None] @ colour
    opacity = colour.new_zeros(channels - len(colour), colour.shape[1])
    layers[-1] = torch.cat([colour, opacity])
    layers[-1][:, -1] += mean
    return layers, kernels


@lru_cache
def trained_matrices() -> tuple[Tensor, ...]:
    """The shipped network's layers and kernels, around black, at ``TRAINED_LAMBDA``."""
    shapes = TRAINED_ARCHITECTURE.layer_shapes + TRAINED_ARCHITECTURE.kernel_shapes
    weights = read_matrices(start_bytes(), shapes)
    return tuple(torch.from_numpy(matrix).float() for matrix in dequantize(weights))


def feature_gain(lambda_: float) -> float:
    """Lambda -> factor on the shipped network's feature weights: sqrt(lambda / TRAINED_LAMBDA).

    Rounding a latent makes an error of (effect of a level)^2 / 12, and lambda is the error that a
    bit may cost. So the effect of a level grows with the root of lambda.
    """
    return math.sqrt(lambda_ / TRAINED_LAMBDA)


def random_network(
    architecture: Architecture, mean: Tensor, generator: torch.Generator, settings: StartSettings
) -> tuple[Layers, Tensor]:
    """Architecture and mean colour -> random layers, and cubic upsampling.

    Latents are whole numbers of either sign, a few levels high, and a fit starts from zeros. So
    phases start small, where a sine is nearly linear in every feature; what bends them is learned.
    Weights of features are uniform within ``feature_bound``: latents of unit deviation give phases
    of variance phase_gain^2. Coordinates have no weight at first. Hidden layers are SIREN's.

    Args:
        architecture: with grids.
        mean: (channels,) that the image has on average.
        generator: source of randomness, on the CPU.
        settings: how large phases are, and the last layer.

    Returns:
        Augmented matrices and the (octaves, 4) kernels, float32 on the CPU.
    """

    def uniform(rows: int, columns: int, bound: float) -> Tensor:
        return (torch.rand(rows, columns, generator=generator) * 2 - 1) * bound

    width, features = architecture.hidden_features, len(architecture.grids)
    bound = hidden_bound(width)
    first = uniform(width, features, feature_bound(features, settings))
    bias = uniform(width, 1, settings.bias_bound)
    layers = [torch.cat([torch.zeros(width, INPUTS), first, bias], 1)]
    for _ in range(architecture.hidden_layers):
        weight = uniform(width, width, bound)
        layers.append(torch.cat([weight, uniform(width, 1, bound * HIDDEN_BIAS_SHARE)], 1))
    last = uniform(architecture.channels, width, bound * settings.last_layer_share)
    layers.append(torch.cat([last, mean[:, None]], 1))
    kernels = torch.tensor(CUBIC_KERNEL).repeat(architecture.grids[-1], 1)
    return layers, kernels
