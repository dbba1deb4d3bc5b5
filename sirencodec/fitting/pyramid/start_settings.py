"""The hyper-parameters of a pyramid's first network; numbers in brackets are entries of the log.

What has none was set by eye.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StartSettings:
    """The network that a fit starts from.

    Attributes:
        is_trained: whether it is the shipped one where that fits; a random one takes hundreds of
            updates to find out which colours go with which grid [11].
        phase_gain: deviation of a random network's phases for latents of unit deviation; 0 starts
            blind, 4 in the bends of the sines.
        bias_bound: of a random network's first biases, uniform, in radians.
        last_layer_share: of SIREN's bound, for a random network's last layer; 0 starts from a flat
            picture.
    """

    is_trained: bool = True
    phase_gain: float = 1.0
    bias_bound: float = math.pi / 4
    last_layer_share: float = 0.1


def feature_bound(features: int, settings: StartSettings) -> float:
    """Number of features -> bound of the first layer's uniform weights.

    phase_gain * sqrt(3 / features): a weight's variance is then phase_gain^2 / features.
    """
    return settings.phase_gain * math.sqrt(3 / features)
