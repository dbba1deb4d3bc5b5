"""Architecture -> network and kernels that the fit of a pyramid starts from.

Fits start from a network that has been trained on other photographs, together with the context
models (``python -m benchmarks train-prior``): it knows which colours go with which grid, where a
random one takes hundreds of steps to find out. No file depends on it, so it may change.
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
from sirencodec.fitting.pyramid.settings import StartSettings
from sirencodec.synthesis.network import Layers
from sirencodec.synthesis.upsampling import CUBIC_KERNEL
from sirencodec.theory import first_layer_bound, hidden_bound

# What the shipped network is for. Its features are those of this lambda; at another one latents
# are larger or smaller by the square root of the ratio, as their rounding error is to the whole.
TRAINED_ARCHITECTURE: Final = Architecture(16, 1, 3, 1, tuple(range(7)), 1)
TRAINED_LAMBDA: Final = 0.002
LUMA: Final = (0.299, 0.587, 0.114)  # what a gray picture is made of (ITU-R BT.601)

# Bounds of initial biases: the first layer's, and the others' relative to their weights' bound.
FIRST_BIAS_BOUND: Final = math.pi
HIDDEN_BIAS_SHARE: Final = 0.5


def initial_layers(
    architecture: Architecture, axis_scale: tuple[float, float], generator: torch.Generator
) -> Layers:
    """Architecture -> random layers with SIREN's distribution of activations.

    Weights are uniform, as in the authors' code (their paper's first layer is a slip; see
    vsitzmann/siren issue 4). In terms of the folded matrices:

    * first layer: ``omega_0 * U(-1/2, 1/2)``, as ``1/n`` with n = 2 inputs;
    * hidden layers: ``U(-sqrt(6/n), sqrt(6/n))``. The variance of a weight is then 2/n, that of an
      arcsine-distributed activation 1/2, and the sum over n inputs has variance 1 in every layer;
    * last layer: the hidden bound times 0.1, so that a fit starts near the targets' mean.

    Biases: the first layer's are uniform over a whole period, so that the waves start at every
    phase. Hidden ones are U(+-sqrt(6/n)/2), adding 1/(2n) to the variance; PyTorch's default
    would add 300/n at omega_0 = 30, several times the signal at the widths used here.

    Args:
        architecture: widths, depth and omega_0.
        axis_scale: factors on the first layer's x and y weights, so that a wide image starts with
            the same frequencies, in cycles a pixel, along both axes.
        generator: source of randomness, on the CPU.

    Returns:
        float32 matrices, on the CPU.
    """

    def uniform(rows: int, columns: int, bound: float) -> Tensor:
        return (torch.rand(rows, columns, generator=generator) * 2 - 1) * bound

    width = architecture.hidden_features
    bound = hidden_bound(width)
    first_bound = architecture.omega_0 * first_layer_bound(INPUTS)
    first = uniform(width, INPUTS, first_bound) * torch.tensor(axis_scale)
    layers = [torch.cat([first, uniform(width, 1, FIRST_BIAS_BOUND)], 1)]
    for _ in range(architecture.hidden_layers):
        weight = uniform(width, width, bound)
        layers.append(torch.cat([weight, uniform(width, 1, bound * HIDDEN_BIAS_SHARE)], 1))
    weight = uniform(architecture.channels, width, bound * 0.1)
    layers.append(torch.cat([weight, torch.zeros(architecture.channels, 1)], 1))
    return layers


def axis_scale(width: int, height: int) -> tuple[float, float]:
    """Image size -> factors on the first layer's x and y weights: 1 along the longer axis."""
    longest = max(width, height)
    return width / longest, height / longest


def feature_bound(features: int, settings: StartSettings) -> float:
    """Number of features -> bound of the first layer's uniform weights.

    phase_gain * sqrt(3 / features): a weight's variance is then phase_gain^2 / features.
    """
    return settings.phase_gain * math.sqrt(3 / features)


def starting_network(
    architecture: Architecture,
    mean: Tensor,
    lambda_: float,
    generator: torch.Generator,
    settings: StartSettings,
) -> tuple[Layers, Tensor]:
    """The trained network around a mean colour; a random one where it does not fit.

    Args:
        architecture: with grids.
        mean: (channels,) that the image has on average.
        lambda_: error that a bit a pixel is worth.
        generator: source of randomness, on the CPU.
        settings: which network.

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
    """Lambda -> factor on the trained network's feature weights."""
    return math.sqrt(lambda_ / TRAINED_LAMBDA)


def random_network(
    architecture: Architecture, mean: Tensor, generator: torch.Generator, settings: StartSettings
) -> tuple[Layers, Tensor]:
    """Random layers around a mean colour, and cubic upsampling.

    Latents are whole numbers of either sign, a few levels high, and a fit starts from none at all;
    so phases start small, where a sine is nearly linear in every feature, and what bends them is
    learned. Bounds are SIREN's for hidden layers; a feature's is smaller by the square root of two,
    so that latents of unit deviation give phases of unit variance, and coordinates start without
    effect.

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
