"""Inputs of samples and a context network -> centres and log-scales; gradients the way back.

A phase's network sees a column of inputs a sample: the 3 x 3 neighbours in each of its sources,
then one input a grid, 1 for the sample's own. With layers [W_l | b_l] and rectified hidden units,

    h_1 = max(0, W_1 inputs)      h_l = max(0, W_l h_(l-1) + b_l)      (centre, log-scale) = last

The gradient is written out, in buffers that the next group of samples overwrites.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from sirencodec.fitting.loss.buffers import Buffers
from sirencodec.fitting.loss.context_sources import INPUT_SCALE, num_source_inputs
from sirencodec.fitting.loss.costs import ContextNetwork


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """Samples, a column each, and what a network makes of what they are predicted from.

    Attributes:
        inputs: of the network; those of grids stand for biases.
        samples: (n,).
        activations: of its hidden layers.
        output: (2, n) centres and log-scales.
    """

    inputs: Tensor
    samples: Tensor
    activations: list[Tensor]
    output: Tensor


def forward(
    network: ContextNetwork, inputs: Tensor, samples: Tensor, buffers: Buffers
) -> Predicted:
    """Network, (inputs, n) and the (n,) samples behind them -> what it predicts."""
    count = len(samples)
    activations: list[Tensor] = []
    for index, layer in enumerate(network[:-1]):
        active = buffers(f"active {index}", len(layer), count)
        if index:
            torch.addmm(layer[:, -1:], layer[:, :-1], activations[-1], out=active)
        else:
            torch.mm(layer, inputs, out=active)
        activations.append(active.clamp_(min=0))
    output = buffers("output", 2, count)
    torch.addmm(network[-1][:, -1:], network[-1][:, :-1], activations[-1], out=output)
    return Predicted(inputs, samples, activations, output)


def backward(
    network: ContextNetwork,
    predicted: Predicted,
    output_gradient: Tensor,
    trained: ContextNetwork,
    buffers: Buffers,
) -> Tensor:
    """(2, n) gradient with respect to the output -> with respect to the inputs from sources.

    Args:
        network: that has predicted.
        predicted: its inputs and activations are overwritten.
        output_gradient: with respect to centres and log-scales.
        trained: the gradient with respect to the last layers, as many as these, is added here.
        buffers: to work in.
    """
    inputs, activations, gradient = predicted.inputs, predicted.activations, output_gradient
    first_trained = len(network) - len(trained)
    for index in range(len(network) - 1, 0, -1):
        below = activations[index - 1]
        if index >= first_trained:
            of_layer = trained[index - first_trained]
            of_layer[:, :-1].addmm_(gradient, below.t())
            of_layer[:, -1] += gradient.sum(1)
        buffer = buffers(f"gradient {index}", *below.shape)
        # The activations' own signs: a comparison would be turned from booleans into numbers,
        # which takes as long as all the products together.
        torch.mm(network[index][:, :-1].t(), gradient, out=buffer)
        gradient = buffer.mul_(below.sign_())
    if not first_trained:
        trained[0].addmm_(gradient, inputs.t())
    count = num_source_inputs(network)
    weights = network[0][:, :count] * INPUT_SCALE
    return torch.mm(weights.t(), gradient, out=inputs[:count])
