"""Progress of a fit -> how far an update goes, how hard latents are rounded, what bits weigh.

Rates fall along half a cosine. Soft rounding hardens, and its noise shrinks, linearly. Bits weigh
more at first: fine grids then begin nearly empty, and coarse ones take what belongs in them.
"""

from dataclasses import dataclass

from sirencodec.fitting.schedule import cosine, linear, warmth

# In stages on reduced images, relative to the network's rate: a network that moves far while the
# finest grids and the refinement are not there loses what it knew of them.
REDUCED_NETWORK_SHARE = 0.25

LATENT_RATE = 0.13  # levels an update at full size; twice as many for each octave less
FINAL_SHARE = 0.02  # of all rates, at the end of the cosine

# Updates until the rates are full, in every stage. The network waits until a new grid's latents
# make sense: its optimiser knows nothing of their feature yet and would move it at random, at the
# cost of up to a decibel (benchmarks/LOG.md, entry 15).
WARM_UP_UPDATES = 5
NETWORK_WARM_UP_UPDATES = 25
LONGEST_WARM_UP = 0.3  # of a stage

# Weight of a bit: 1 + EXTRA_BIT_WEIGHT * (what is left of the fit)**BIT_WEIGHT_POWER (LOG.md, 21).
EXTRA_BIT_WEIGHT = 3.0
BIT_WEIGHT_POWER = 4

# Soft rounding, from the first update to the last: its temperature, and noise (in levels).
TEMPERATURES = (0.6, 0.07)
NOISES = (0.22, 0.15)


@dataclass(frozen=True, slots=True)
class Pace:
    """What one update goes by.

    Attributes:
        temperature: of soft rounding; 1 hardly rounds, 0 does fully.
        noise: its standard deviation, in levels.
        bit_weight: what a bit counts for, relative to lambda.
        network_share: of the network's learning rate.
        latent_rate: levels for a gradient as large as the grid's root mean square.
    """

    temperature: float
    noise: float
    bit_weight: float
    network_share: float
    latent_rate: float


def pace_at(
    progress: float, update: int, updates: int, octaves: int, latent_share: float = 1.0
) -> Pace:
    """Where a fit is -> what its next update goes by.

    Args:
        progress: of the whole fit, 0 to 1.
        update: of the stage, from 0.
        updates: that the stage has.
        octaves: that its image is reduced by.
        latent_share: of the latents' usual rate.
    """
    share = FINAL_SHARE + (1 - FINAL_SHARE) * cosine(progress)
    network_warm_up = max(1.0, min(NETWORK_WARM_UP_UPDATES, LONGEST_WARM_UP * updates))
    network_share = share * warmth(update, network_warm_up)
    if octaves:
        network_share *= REDUCED_NETWORK_SHARE
    latent_rate = latent_share * LATENT_RATE * 2.0**octaves * share
    return Pace(
        temperature=linear(TEMPERATURES, progress),
        noise=linear(NOISES, progress),
        bit_weight=bit_weight(progress),
        network_share=network_share,
        latent_rate=latent_rate * warmth(update, WARM_UP_UPDATES),
    )


def bit_weight(progress: float) -> float:
    """Progress of a fit, 0 to 1 -> what a bit weighs, relative to the end."""
    return 1 + EXTRA_BIT_WEIGHT * (1 - progress) ** BIT_WEIGHT_POWER
