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
        matrices_curvature: second derivative that the blend is taken to have where matrices' steps
            are chosen, relative to squared error's. Rounding errors of a matrix lie all over the
            picture, where the blend has little more than its own share of squared error [34].
        latents_curvature: the same where RDOQ moves latents. These moves go where measures rise
            fastest, many at once, and measures bend soon: taken at 1, RDOQ loses up to 20 % of the
            bits [34].
        most_octaves: that an image is reduced by where the blend is followed; squared error alone
            places the coarse grids of stages before.
    """

    shares: tuple[tuple[str, float], ...] = ()
    period: int = 2
    memory: float = 0.9
    matrices_curvature: float = 0.5
    latents_curvature: float = 4.0
    most_octaves: int = 1
