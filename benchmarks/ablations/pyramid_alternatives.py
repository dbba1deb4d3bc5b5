"""What ablations put in the place of a pyramid's own ingredients; see `pyramid_variants.py`."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from benchmarks.ablations.pure_alternatives import LUMA_CHROMA
from sirencodec.bitstream.architecture import INPUTS, Architecture
from sirencodec.fitting import start as starting_network
from sirencodec.fitting.pyramid import plan as pyramid_plan
from sirencodec.fitting.pyramid import planning as pyramid_planning
from sirencodec.fitting.pyramid import state as pyramid_state
from sirencodec.fitting.target import Target
from sirencodec.image.samples import Samples
from sirencodec.synthesis.network import Layers
from sirencodec.synthesis.upsampling import CUBIC_KERNEL

# What is to be replaced, as it was before.
_starting_network, _feature_bound = (
    starting_network.starting_network,
    starting_network.feature_bound,
)
_rgb_targets, _plan = pyramid_state._targets, pyramid_plan.PyramidPlan
_plan_pyramid = pyramid_planning.plan_pyramid

LINEAR_KERNEL = (0.0, 0.25, 0.75, 0.0)  # at a quarter sample's distance


def plan_with_other_seed(
    target: Target, samples: Samples, effort: int, seed: int
) -> pyramid_plan.PyramidPlan:
    """The same work for the same target, with other random numbers."""
    return _plan_pyramid(target, samples, effort, seed + 1)


def random_start(
    architecture: Architecture, mean: Tensor, lambda_: float, generator: torch.Generator
) -> tuple[Layers, Tensor]:
    """Network and kernels that no photograph has trained."""
    del lambda_
    return starting_network.random_network(architecture, mean, generator)


def multiple_bound(factor: float) -> Callable[[int], float]:
    """Factor -> bound of a random network's feature weights, that many times the usual one."""
    return lambda features: factor * _feature_bound(features)


def plan_grids(first: int, last: int) -> Callable[[int], Architecture]:
    """Exponents -> architecture with the grids from the first to the last of them, by channels."""
    usual = pyramid_planning.plan_pyramid_architecture
    return lambda channels: replace(usual(channels), grids=tuple(range(first, last + 1)))


def trimmed_start(
    architecture: Architecture, mean: Tensor, lambda_: float, generator: torch.Generator
) -> tuple[Layers, Tensor]:
    """The shipped network without the features of the grids that there are not."""
    whole = replace(architecture, grids=starting_network.TRAINED_ARCHITECTURE.grids)
    layers, kernels = _starting_network(whole, mean, lambda_, generator)
    features = [INPUTS + exponent for exponent in architecture.grids]
    layers[0] = layers[0][:, [*range(INPUTS), *features, layers[0].shape[1] - 1]]
    return layers, kernels[: architecture.grids[-1]]


def linear_start(
    architecture: Architecture, mean: Tensor, lambda_: float, generator: torch.Generator
) -> tuple[Layers, Tensor]:
    """The shipped network, kernels that interpolate linearly."""
    return _start_with_kernel(LINEAR_KERNEL, architecture, mean, lambda_, generator)


def cubic_start(
    architecture: Architecture, mean: Tensor, lambda_: float, generator: torch.Generator
) -> tuple[Layers, Tensor]:
    """The shipped network, kernels of cubic convolution."""
    return _start_with_kernel(CUBIC_KERNEL, architecture, mean, lambda_, generator)


def _start_with_kernel(
    kernel: tuple[float, ...],
    architecture: Architecture,
    mean: Tensor,
    lambda_: float,
    generator: torch.Generator,
) -> tuple[Layers, Tensor]:
    """The shipped network, all doublings by one kernel, features as large as with its own."""
    layers, kernels = _starting_network(architecture, mean, lambda_, generator)
    gains = [(float(own.sum()) / sum(kernel)) ** 2 for own in kernels]
    for number, exponent in enumerate(architecture.grids):
        layers[0][:, INPUTS + number] *= math.prod(gains[:exponent])
    return layers, torch.tensor(kernel).repeat(len(kernels), 1)


def luma_targets(samples: Samples) -> Tensor:
    """Samples -> (channels, height, width) in luma and chroma."""
    targets = _rgb_targets(samples)
    if len(targets) != len(LUMA_CHROMA):
        return targets
    return torch.einsum("ij,jyx->iyx", torch.from_numpy(LUMA_CHROMA).float(), targets)


def luma_start(
    architecture: Architecture, mean: Tensor, lambda_: float, generator: torch.Generator
) -> tuple[Layers, Tensor]:
    """The shipped network, made to speak luma and chroma, around a mean in these."""
    black = torch.zeros_like(mean)
    layers, kernels = _starting_network(architecture, black, lambda_, generator)
    if len(mean) == len(LUMA_CHROMA):
        layers[-1] = torch.from_numpy(LUMA_CHROMA).float() @ layers[-1]
    layers[-1][:, -1] += mean
    return layers, kernels


def plan_adapting(layers: int) -> Callable[..., pyramid_plan.PyramidPlan]:
    """Number of layers -> plans in which so many of each context network become the image's own."""
    return partial(_plan, adapted_layers=layers)


def straight_through(values: Tensor, *others: object) -> tuple[Tensor, Tensor]:
    """Rounded values, and a derivative as if they were not."""
    del others  # noise, its amplitude, temperature, threads
    return torch.round(values), torch.ones_like(values)


def usual_octave(cost: Callable[[int], float], first: int) -> int:
    """The step that a search would look at first."""
    del cost
    return first


def no_search(
    search: object, update: int, progress: float, lambda_: float, rounded: object
) -> float:
    """Leave lambda as it was planned; only corrections may change it."""
    del search, update, progress, rounded
    return lambda_
