"""The shape of a SIREN: what the header says about the network, and what follows from it."""

from dataclasses import dataclass

from sirencodec.errors import ParameterError

INPUTS = 2  # coordinates (x, y)


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
    """

    hidden_features: int
    hidden_layers: int
    channels: int
    omega_0: int

    def __post_init__(self) -> None:
        """Reject shapes no network can have."""
        if min(self.hidden_features, self.channels, self.omega_0) < 1 or self.hidden_layers < 0:
            raise ParameterError(f"impossible architecture {self}")

    @property
    def layer_shapes(self) -> tuple[tuple[int, int], ...]:
        """Shape of each layer's augmented matrix ``[W | b]``: (outputs, inputs + 1), in order."""
        width = self.hidden_features
        first = (width, INPUTS + 1)
        hidden = (width, width + 1)
        last = (self.channels, width + 1)
        return (first, *(hidden for _ in range(self.hidden_layers)), last)

    @property
    def num_parameters(self) -> int:
        """Weights and biases together."""
        return sum(rows * columns for rows, columns in self.layer_shapes)
