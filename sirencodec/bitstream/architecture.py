"""Shapes of the network and the latent grids: what the header says, and what follows from it."""

import math
from dataclasses import dataclass

from sirencodec.errors import ParameterError

INPUTS = 2  # coordinates (x, y)
KERNEL_TAPS = 4  # of an even sample's kernel; an odd one's is its mirror image
REFINED = (0, 1)  # exponents of the grids whose features the refinement corrects, where they are


def grid_shape(width: int, height: int, exponent: int) -> tuple[int, int]:
    """Image size -> (rows, columns) of its grid with one sample for 2^exponent pixels each way."""
    return -(-height >> exponent), -(-width >> exponent)


@dataclass(frozen=True, slots=True)
class Architecture:
    """Widths and depth of a SIREN, in the terms of the paper (Sitzmann et al. 2020, section 3.2).

    ``hidden_layers`` counts the sine layers after the first one, so a network has
    ``hidden_layers + 1`` sine layers and one linear layer on top.

    Attributes:
        hidden_features: width of every sine layer.
        hidden_layers: sine layers between the first one and the linear one.
        channels: outputs, 1 to 4.
        omega_0: frequency factor the first layer was initialised with, in radians a unit of
            coordinate. Stored weights include it, so decoding does not need it; inspecting does.
        grids: exponents of the latent grids, rising: grid k has a sample every 2^k pixels. Empty
            in the pure profile, whose only inputs are coordinates.
        prior: number of the shipped context model and refinement; 0 without grids.
    """

    hidden_features: int
    hidden_layers: int
    channels: int
    omega_0: int
    grids: tuple[int, ...] = ()
    prior: int = 0

    def __post_init__(self) -> None:
        """Reject shapes no network can have."""
        if min(self.hidden_features, self.channels, self.omega_0) < 1 or self.hidden_layers < 0:
            raise ParameterError(f"impossible architecture {self}")
        first = self.grids[0] if self.grids else 0
        if self.grids != tuple(range(first, first + len(self.grids))):
            raise ParameterError(f"grids must be consecutive in {self}")

    @property
    def layer_shapes(self) -> tuple[tuple[int, int], ...]:
        """Shape of each layer's augmented matrix ``[W | b]``: (outputs, inputs + 1), in order."""
        width = self.hidden_features
        first = (width, INPUTS + len(self.grids) + 1)
        hidden = (width, width + 1)
        last = (self.channels, width + 1)
        return (first, *(hidden for _ in range(self.hidden_layers)), last)

    @property
    def kernel_shapes(self) -> tuple[tuple[int, int], ...]:
        """Shape of the upsampling kernels, a row an octave from fine to coarse; none if pure."""
        return ((self.grids[-1], KERNEL_TAPS),) if self.grids and self.grids[-1] else ()

    @property
    def num_parameters(self) -> int:
        """Weights and biases together."""
        return sum(rows * columns for rows, columns in self.layer_shapes)

    def grid_shapes(self, width: int, height: int) -> dict[int, tuple[int, int]]:
        """Image size -> (rows, columns) of its grids by exponent, finest first."""
        return {exponent: grid_shape(width, height, exponent) for exponent in self.grids}

    def num_latents(self, width: int, height: int, finest: int = 0) -> int:
        """Samples of an image's grids, but for those of exponents below ``finest``."""
        return sum(
            math.prod(grid_shape(width, height, exponent))
            for exponent in self.grids
            if exponent >= finest
        )
