"""What ablations put in the place of a pyramid's own ingredients; see `pyramid_variants.py`."""

import math
from dataclasses import replace

import torch
from torch import Tensor

from sirencodec.bitstream.architecture import INPUTS, Architecture
from sirencodec.fitting.pyramid.start import (
    TRAINED_ARCHITECTURE,
    TRAINED_LAMBDA,
    starting_network,
)
from sirencodec.fitting.pyramid.start_settings import StartSettings
from sirencodec.synthesis.network import Layers
from sirencodec.synthesis.upsampling import CUBIC_KERNEL

LINEAR_KERNEL = (0.0, 0.25, 0.75, 0.0)  # at a quarter sample's distance


def start_of_one_rate(
    architecture: Architecture,
    mean: Tensor,
    lambda_: float,
    generator: torch.Generator,
    settings: StartSettings,
) -> tuple[Layers, Tensor]:
    """The shipped network as it was trained, whatever lambda."""
    del lambda_
    return starting_network(architecture, mean, TRAINED_LAMBDA, generator, settings)


def trimmed_start(
    architecture: Architecture,
    mean: Tensor,
    lambda_: float,
    generator: torch.Generator,
    settings: StartSettings,
) -> tuple[Layers, Tensor]:
    """The shipped network without the features of the grids that there are not."""
    whole = replace(architecture, grids=TRAINED_ARCHITECTURE.grids)
    layers, kernels = starting_network(whole, mean, lambda_, generator, settings)
    features = [INPUTS + exponent for exponent in architecture.grids]
    layers[0] = layers[0][:, [*range(INPUTS), *features, layers[0].shape[1] - 1]]
    return layers, kernels[: architecture.grids[-1]]


def linear_start(
    architecture: Architecture,
    mean: Tensor,
    lambda_: float,
    generator: torch.Generator,
    settings: StartSettings,
) -> tuple[Layers, Tensor]:
    """The shipped network, kernels that interpolate linearly."""
    return _start_with_kernel(LINEAR_KERNEL, architecture, mean, lambda_, generator, settings)


def cubic_start(
    architecture: Architecture,
    mean: Tensor,
    lambda_: float,
    generator: torch.Generator,
    settings: StartSettings,
) -> tuple[Layers, Tensor]:
    """The shipped network, kernels of cubic convolution."""
    return _start_with_kernel(CUBIC_KERNEL, architecture, mean, lambda_, generator, settings)


def _start_with_kernel(
    kernel: tuple[float, ...],
    architecture: Architecture,
    mean: Tensor,
    lambda_: float,
    generator: torch.Generator,
    settings: StartSettings,
) -> tuple[Layers, Tensor]:
    """The shipped network, all doublings by one kernel, features as large as with its own."""
    layers, kernels = starting_network(architecture, mean, lambda_, generator, settings)
    gains = [(float(own.sum()) / sum(kernel)) ** 2 for own in kernels]
    for number, exponent in enumerate(architecture.grids):
        layers[0][:, INPUTS + number] *= math.prod(gains[:exponent])
    return layers, torch.tensor(kernel).repeat(len(kernels), 1)


def straight_through(values: Tensor, *others: object) -> tuple[Tensor, Tensor]:
    """Rounded values, and a derivative as if they were not."""
    del others  # noise, its amplitude, temperature, threads
    return torch.round(values), torch.ones_like(values)
