"""Context networks -> layers as the compiled loop wants them, one set a grid, and back."""

import ctypes
from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from sirencodec.fitting.loss.context_sources import INPUT_SCALE, num_source_inputs
from sirencodec.fitting.loss.costs import ContextNetwork
from sirencodec.fitting.loss.laplace_bits import SCALE_RANGE, SMALLEST_PROBABILITY
from sirencodec.native.tasks import Layer
from sirencodec.native.tensors import describe_layers

OF_TABLES: Final = {
    "smallest_log_scale": SCALE_RANGE[0],
    "largest_log_scale": SCALE_RANGE[1],
    "smallest_probability": SMALLEST_PROBABILITY,
}  # what a task says of the frequency tables


def by_grid(network: ContextNetwork, exponents: Sequence[int]) -> ContextNetwork:
    """Network -> what ``struct layer`` wants: (grids, outputs, inputs + 1), then the others.

    The first layer becomes one matrix a grid, whose bias is the grid's own. Inputs are latents as
    they are, ``INPUT_SCALE`` being in the weights.
    """
    first = network[0]
    count = num_source_inputs(network)
    weights = (first[:, :count] * INPUT_SCALE).expand(len(exponents), -1, -1)
    biases = first[:, count:].t()[list(exponents), :, None]
    return [torch.cat([weights, biases], 2), *(layer.contiguous() for layer in network[1:])]


def of_network(
    network: ContextNetwork, gradient: list[Tensor], exponents: Sequence[int]
) -> ContextNetwork:
    """Gradient with respect to what ``by_grid`` makes -> with respect to the network.

    Without the first layer, where that is not trained, both are the same.
    """
    if len(gradient) < len(network):
        return gradient
    count = num_source_inputs(network)
    first = torch.zeros_like(network[0])
    first[:, :count] = gradient[0][:, :, :-1].sum(0) * INPUT_SCALE
    first[:, count:].index_add_(1, torch.tensor(exponents), gradient[0][:, :, -1].t().contiguous())
    return [first, *gradient[1:]]


def layers_of_grid(
    layers: ContextNetwork, gradient: Sequence[Tensor], grid: int
) -> ctypes.Array[Layer]:
    """What ``by_grid`` makes, and gradients of the trained layers -> one grid's, described."""
    untrained: list[Tensor | None] = [None] * (len(layers) - len(gradient))
    wanted = [*untrained, *gradient] if untrained else [gradient[0][grid], *gradient[1:]]
    return describe_layers([layers[0][grid], *layers[1:]], wanted)
