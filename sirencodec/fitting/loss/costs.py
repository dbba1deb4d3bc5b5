"""What the two terms of the loss say of a picture: how far it is off, what it costs, and why.

The loss is D + bit_error * B. D is the mean squared error over pixels and channels, values being 0
to 1. B is the number of bits of all latents. lambda being the error that a bit a pixel is worth,
bit_error = lambda / pixels is the error that a bit is worth.
"""

from dataclasses import dataclass

from torch import Tensor

# Matrices of one phase's context network, first layer first, in units of 1
# (``entropy.context_network`` has them in units of 2^-16).
ContextNetwork = list[Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Gradient:
    """The derivatives of a number with respect to all that a picture is made of.

    Attributes:
        layers: with respect to each augmented matrix of the network.
        kernels: with respect to the upsampling kernels, (octaves, 4).
        grids: with respect to each grid, finest first.
        refinement: with respect to both matrices of the refinement; empty if there is none.
    """

    layers: list[Tensor]
    kernels: Tensor
    grids: list[Tensor]
    refinement: list[Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Distortion:
    """How far a picture is off, D.

    Attributes:
        error: D.
        gradient: of D.
    """

    error: float
    gradient: Gradient


@dataclass(frozen=True, slots=True, eq=False)
class Rate:
    """What latents cost, B.

    Attributes:
        bits: of each grid, finest first; B is their sum.
        grids: gradient of bit_error * B with respect to each grid.
        context_networks: gradient of bit_error * B with respect to the trained layers, which are
            the last ones, of each phase's context network.
    """

    bits: list[float]
    grids: list[Tensor]
    context_networks: list[ContextNetwork]
