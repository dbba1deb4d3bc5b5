"""Coordinate networks with other activations: ReLU, ReLU behind a positional encoding, tanh.

All of them, the sine network too, are differentiated by autograd here, so that their times can be
compared. Layers are augmented matrices as in `sirencodec.synthesis.network`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from benchmarks.studies.activations.fitting import Gradient, Values
from sirencodec.bitstream.architecture import INPUTS, Architecture
from sirencodec.fitting.start import initial_layers
from sirencodec.synthesis.network import Layers

OMEGA_0 = 30


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of network.

    Attributes:
        activation: between layers.
        gain: variance of a weight is gain / inputs at the start, as suits the activation.
        is_encoded: whether coordinates pass through a positional encoding first.
    """

    activation: Callable[[Tensor], Tensor]
    gain: float
    is_encoded: bool = False


# Glorot and Bengio 2010 for tanh, with PyTorch's recommended gain 5/3; He et al. 2015 for ReLU.
KINDS = {
    "sine": Kind(torch.sin, 2.0),
    "ReLU, encoded": Kind(torch.relu, 2.0, is_encoded=True),
    "ReLU": Kind(torch.relu, 2.0),
    "tanh": Kind(torch.tanh, 25 / 9),
}


def octaves(samples: int) -> int:
    """Samples along an axis -> octaves of the encoding, as the authors of SIREN choose them.

    ``floor(log2(samples / 4))`` in their code (`modules.py`, ``get_num_frequencies_nyquist``): the
    highest wave has a quarter of Nyquist's frequency, or a little less.
    """
    return max(1, math.floor(math.log2(samples / 4)))


def encode(points: Tensor, count: int) -> Tensor:
    """Points -> coordinates and sin, cos (2^k pi x), k = 0 ... count - 1, then the row of ones.

    Positional encoding, Mildenhall et al. 2020 (NeRF), section 5.1.
    """
    coordinates = points[:-1]
    waves = [math.pi * 2**octave * coordinates for octave in range(count)]
    rows = [coordinates, *map(torch.sin, waves), *map(torch.cos, waves), points[-1:]]
    return torch.cat(rows)


@dataclass(frozen=True, slots=True)
class Network:
    """A kind of network on signals of some size.

    Attributes:
        kind: what is between its layers.
        octaves: of its positional encoding, if it has one.
    """

    kind: Kind
    octaves: int

    def values(self, layers: Sequence[Tensor], points: Tensor) -> Tensor:
        """(channels, n) values at (inputs + 1, n) points."""
        hidden = self._inputs(points)[:-1]
        for layer in layers[:-1]:
            hidden = self.kind.activation(torch.addmm(layer[:, -1:], layer[:, :-1], hidden))
        return torch.addmm(layers[-1][:, -1:], layers[-1][:, :-1], hidden)

    def trace(self, layers: Sequence[Tensor], points: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """What each layer is given, with the row of ones, and what its product with that is."""
        inputs, phases = [self._inputs(points)], [layers[0] @ self._inputs(points)]
        for layer in layers[1:]:
            activations = self.kind.activation(phases[-1])
            inputs.append(torch.cat([activations, torch.ones_like(activations[:1])]))
            phases.append(layer @ inputs[-1])
        return inputs, phases

    def _inputs(self, points: Tensor) -> Tensor:
        return encode(points, self.octaves) if self.kind.is_encoded else points


def gradient_of(values: Values) -> Gradient:
    """Values -> derivative of their mean squared error by layer."""

    def gradient(layers: Layers, points: Tensor, targets: Tensor) -> Layers:
        leaves = [layer.detach().requires_grad_() for layer in layers]
        error = (values(leaves, points) - targets).square().mean()
        return list(torch.autograd.grad(error, leaves))

    return gradient


def start(
    name: str, inputs: int, width: int, hidden_layers: int, channels: int, seed: int
) -> Layers:
    """Kind's name and shape -> random layers."""
    generator = torch.Generator().manual_seed(seed)
    if name == "sine":
        architecture = Architecture(width, hidden_layers, channels, OMEGA_0)
        layers = initial_layers(architecture, (1.0, 1.0), generator)
        # The bound is 1 / inputs; where there is one input, the second column goes.
        first = torch.cat([layers[0][:, :inputs] * (INPUTS / inputs), layers[0][:, -1:]], 1)
        return [first, *layers[1:]]
    sizes = [inputs, *[width] * (hidden_layers + 1), channels]
    layers = []
    for columns, rows in pairwise(sizes):
        bound = math.sqrt(3 * KINDS[name].gain / columns)
        weight = (torch.rand(rows, columns, generator=generator) * 2 - 1) * bound
        # PyTorch's default: without any bias a ReLU network of coordinates has all its kinks at 0.
        bias = (torch.rand(rows, 1, generator=generator) * 2 - 1) / math.sqrt(columns)
        layers.append(torch.cat([weight, bias], 1))
    layers[-1][:, :-1] *= 0.1  # as the sine network: a fit starts near the targets' mean
    layers[-1][:, -1] = 0
    return layers


def num_parameters(inputs: int, width: int, hidden_layers: int, channels: int) -> int:
    """Shape -> weights and biases."""
    return (inputs + 1) * width + hidden_layers * (width + 1) * width + (width + 1) * channels


def width_for(limit: int, inputs: int, hidden_layers: int, channels: int) -> int:
    """Parameters allowed -> the widest network that has no more."""
    width = 1
    while num_parameters(inputs, width + 1, hidden_layers, channels) <= limit:
        width += 1
    return width
