"""What is found in a file's network, as data."""

from dataclasses import dataclass

from sirencodec.bitstream.info import Info
from sirencodec.inspection.histogram import Histogram


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of the network.

    Attributes:
        kind: "sine", or "linear" for the last one.
        inputs, outputs: sizes; the bias is no input.
        pre_activations: of all its units at all points; nothing is predicted of the last layer's,
            which are the image's values.
        shape_ks_distance: KS distance of the pre-activations to the normal of their own mean and
            standard deviation; None if they are all equal.
        activations: their sines; None for the last layer.
        bits: that the layer's matrix takes in the file.
    """

    kind: str
    inputs: int
    outputs: int
    pre_activations: Histogram
    shape_ks_distance: float | None
    activations: Histogram | None
    bits: float


@dataclass(frozen=True, slots=True)
class Frequencies:
    """Waves of the first layer's units, by their weights for the coordinates.

    Attributes:
        x, y: cycles a pixel along the axes, a number a unit; signs say which way a wave runs.
        largest: magnitude of the largest of them.
        nyquist: 1/2, beyond which pixel centres cannot tell a frequency from a lower one.
        beyond_nyquist: units with a frequency above that along an axis.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    largest: float
    nyquist: float
    beyond_nyquist: int


@dataclass(frozen=True, slots=True)
class Bits:
    """What the payload's bits are spent on; all but ``grids`` are sums, and all add up to it.

    Attributes:
        payload: all of them.
        layers: the network's matrices, each of which says its own.
        kernels: the upsampling kernels, 0 if there are none.
        context: what the context model differs by from the shipped one, 0 if there is none.
        refinement: what the refinement differs by from the shipped one, 0 if there is none.
        grids: one a grid, finest first.
        rest: what the coder's last words hold besides.
    """

    payload: int
    layers: float
    kernels: float
    context: float
    refinement: float
    grids: tuple[float, ...]
    rest: float


@dataclass(frozen=True, slots=True)
class Inspection:
    """All that is found.

    Attributes:
        info: facts about the file.
        at_init: whether ``layers`` and ``frequencies`` are a freshly initialised network's.
        points_across, points_down: pixels asked, on a regular grid.
        layers: from the first.
        frequencies: of the first layer.
        bits: of the file, whatever the network.
    """

    info: Info
    at_init: bool
    points_across: int
    points_down: int
    layers: tuple[Layer, ...]
    frequencies: Frequencies
    bits: Bits
