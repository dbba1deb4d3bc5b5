"""Architecture -> random layers of a network of coordinates, as a fit starts from."""

import torch
from torch import Tensor

from sirencodec.bitstream.architecture import INPUTS, Architecture
from sirencodec.fitting.bounds import FIRST_BIAS_BOUND, HIDDEN_BIAS_SHARE, LAST_LAYER_SHARE
from sirencodec.synthesis.network import Layers
from sirencodec.theory import first_layer_bound, hidden_bound


def initial_layers(
    architecture: Architecture, axis_scale: tuple[float, float], generator: torch.Generator
) -> Layers:
    """Architecture -> random layers with SIREN's distribution of activations.

    Weights are uniform, as in the authors' code (their paper's first layer is a slip; see
    vsitzmann/siren issue 4). In terms of the folded matrices:

    * first layer: ``omega_0 * U(-1/2, 1/2)``, as ``1/n`` with n = 2 inputs;
    * hidden layers: ``U(-sqrt(6/n), sqrt(6/n))``. The variance of a weight is then 2/n, that of an
      arcsine-distributed activation 1/2, and the sum over n inputs has variance 1 in every layer;
    * last layer: ``LAST_LAYER_SHARE`` of the hidden bound, so that a fit starts near the mean.

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
    weight = uniform(architecture.channels, width, bound * LAST_LAYER_SHARE)
    layers.append(torch.cat([weight, torch.zeros(architecture.channels, 1)], 1))
    return layers
