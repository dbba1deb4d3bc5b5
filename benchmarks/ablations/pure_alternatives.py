"""What ablations put in the place of the codec's own ingredients; see `pure_variants.py`."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sirencodec.bitstream.architecture import INPUTS, Architecture
from sirencodec.fitting.start import initial_layers
from sirencodec.synthesis.network import Layers
from sirencodec.theory import first_layer_bound, hidden_bound, pytorch_bias_bound

Indices = npt.NDArray[np.int64]


def zero_bias(
    architecture: Architecture, axis_scale: tuple[float, float], generator: torch.Generator
) -> Layers:
    """Initial layers, all biases zero but those of the first, which set where the waves start."""
    layers = initial_layers(architecture, axis_scale, generator)
    for layer in layers[1:]:
        layer[:, -1] = 0
    return layers


def pytorch_bias(
    architecture: Architecture, axis_scale: tuple[float, float], generator: torch.Generator
) -> Layers:
    """Initial layers with the biases that ``torch.nn.Linear`` would leave in the authors' code."""
    layers = initial_layers(architecture, axis_scale, generator)
    for layer in layers[:-1]:
        rows, columns = layer.shape
        bound = architecture.omega_0 * pytorch_bias_bound(columns - 1)
        layer[:, -1] = (torch.rand(rows, generator=generator) * 2 - 1) * bound
    return layers


def coin_bias(
    architecture: Architecture, axis_scale: tuple[float, float], generator: torch.Generator
) -> Layers:
    """Initial layers whose biases are drawn from the weights' range, as in COIN's code."""
    layers = initial_layers(architecture, axis_scale, generator)
    first = architecture.omega_0 * first_layer_bound(INPUTS)
    hidden = hidden_bound(architecture.hidden_features)
    for layer, bound in zip(layers[:-1], [first, *[hidden] * len(layers[1:-1])], strict=True):
        layer[:, -1] = (torch.rand(len(layer), generator=generator) * 2 - 1) * bound
    return layers


class Adam:
    """Adam (Kingma and Ba 2014) with the interface of the codec's optimiser."""

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        """Remember ``parameters``."""
        self._parameters = parameters
        self._means = [torch.zeros_like(parameter) for parameter in parameters]
        self._squares = [torch.zeros_like(parameter) for parameter in parameters]
        self._step = 0

    def update(self, gradients: Sequence[Tensor], learning_rates: Sequence[float]) -> None:
        """Move each parameter by about its learning rate."""
        self._step += 1
        lists = (self._parameters, gradients, learning_rates, self._means, self._squares)
        for parameter, gradient, rate, mean, square in zip(*lists, strict=True):
            mean.lerp_(gradient, 0.1)
            square.lerp_(gradient.square(), 0.001)
            deviation = (square / (1 - 0.999**self._step)).sqrt_().add_(1e-12)
            parameter.sub_(mean / (1 - 0.9**self._step) / deviation, alpha=rate)


class RandomBatches(Iterator[Indices]):
    """Batches of pixels drawn at random from the whole image, without regard to where they lie."""

    def __init__(
        self, width: int, height: int, batch_pixels: int, generator: np.random.Generator
    ) -> None:
        """Prepare batches of ``batch_pixels``, or of all pixels if there are no more."""
        self._count = width * height
        self._generator = generator
        self._order: Indices = np.empty(0, dtype=np.int64)
        self.batch_pixels = min(batch_pixels, self._count)

    def __next__(self) -> Indices:
        """(batch_pixels,) indices; none comes twice before all have come."""
        if len(self._order) < self.batch_pixels:
            self._order = self._generator.permutation(self._count)
        batch, self._order = np.split(self._order, [self.batch_pixels])
        return batch


def equal_sensitivities(layers: Sequence[Tensor], points: Tensor) -> list[float]:
    """As if every weight mattered as much as any other: one step for all layers."""
    del points
    return [1.0] * len(layers)
