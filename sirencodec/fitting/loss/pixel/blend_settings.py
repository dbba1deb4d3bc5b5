"""Hyper-parameters of a blend of measures; without PyTorch."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BlendSettings:
    """What a fit minimises besides bits.

    Attributes:
        shares: (name of a measure, share of the force) each; squared error has the rest. None is
            squared error alone. Two thirds for measures serve them nearly as well as four fifths do
            and squared error much better [29].
        period: updates from one renewal of the targets to the next; at 1 they are never old, and an
            update takes twice as much longer [29].
        memory: decay of the running mean squares of gradients, a renewal; 0 takes the last alone.
        most_octaves: that an image is reduced by where the blend is followed; squared error alone
            places the coarse grids of stages before.
    """

    shares: tuple[tuple[str, float], ...] = ()
    period: int = 2
    memory: float = 0.9
    most_octaves: int = 1
