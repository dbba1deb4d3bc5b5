"""The shape of a SIREN: what the header says about the network, and what follows from it."""

import math
from dataclasses import dataclass

from sirencodec.errors import ParameterError

INPUTS = 2  # coordinates (x, y)
KERNEL_TAPS = 4  # of an even sample's kernel; an odd one's is its mirror image

# Order in which the samples at even and odd (rows, columns) of a grid are coded. The second lies
# between four of the first, and the others between four of those.
PHASES = ((0, 0), (1, 1), (0, 1), (1, 0))
LARGEST_EXPONENT = 6  # the coarsest grid has a sample every 64 pixels
REFINED = (0, 1)  # exponents of the grids whose features the refinement corrects, where they are
# What a feature takes at a point, dense matrices of a cell counted, then the refinement, and the
# decoding of a latent.
FEATURE_MULTIPLY_ADDS = 400
REFINEMENT_MULTIPLY_ADDS = 1_000
LATENT_MULTIPLY_ADDS = 3_000

EXPONENTS = 8  # the base in which the header writes two of them


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

    def num_latents(self, width: int, height: int) -> int:
        """Samples of all grids of an image of this size."""
        return sum(math.prod(grid_shape(width, height, exponent)) for exponent in self.grids)


def decoding_work(architecture: Architecture, width: int, height: int, num_points: int) -> int:
    """Architecture, image size and points to evaluate -> multiply-adds, about."""
    per_point = architecture.num_parameters + FEATURE_MULTIPLY_ADDS * len(architecture.grids)
    per_point += REFINEMENT_MULTIPLY_ADDS if architecture.grids else 0
    return num_points * per_point + architecture.num_latents(width, height) * LATENT_MULTIPLY_ADDS
