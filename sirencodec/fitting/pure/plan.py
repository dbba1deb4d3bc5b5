"""Image size, target and effort -> the network to fit and the work to put into it."""

import math
from typing import Final

from sirencodec.bitstream.architecture import Architecture
from sirencodec.fitting.pure.fit import FitPlan

# Bits of payload a weight gets. From 6 to 7 the file is equally good, and fewer weights are faster
# (benchmarks/LOG.md, entry 3).
BITS_PER_WEIGHT: Final = 6.4

# Quality 0 to 100 -> bits a pixel, geometrically; beyond the largest the network grows slower to
# fit than it gains.
LOWEST_QUALITY_BPP: Final = 0.02
HIGHEST_QUALITY_BPP: Final = 1.0
# Bits every file gets on top, so that a thumbnail at any quality has a network worth the name.
QUALITY_FLOOR_BITS: Final = 1_600

SMALLEST_PAYLOAD_BITS: Final = 200.0  # a network of a dozen weights
LARGEST_PAYLOAD_BITS: Final = 1.2e7  # 1.9 million weights, 500 wide; fitting them takes hours

# The reference's, from PHOTO_PARAMETERS weights on: a flat optimum for photographs at 0.05 to 0.4
# bits a pixel (LOG.md, entry 4). Smaller networks want less (LOG.md, entry 10).
PHOTO_OMEGA_0: Final = 30
PHOTO_PARAMETERS: Final = 12_000
OMEGA_0_POWER: Final = 0.2

BATCH_PIXELS: Final = 6_144  # smaller is noise, larger is fewer steps (LOG.md, entry 2)

# Effort -> arithmetic of one fit, in units of 10^12 multiply-adds. Two cores of a small machine do
# 0.06 of them a second, so effort 4 takes about two minutes there; 9 should take half an hour.
EFFORT_WORK: Final = (0.2, 0.5, 1.2, 3.0, 7.0, 12.0, 20.0, 35.0, 60.0, 100.0)
MAX_STEPS: Final = 60_000
# What a sine and its derivative cost, in multiply-adds, next to the matrix products.
SINE_MULTIPLY_ADDS: Final = 40
# What a step costs besides its pixels, likewise: two milliseconds of bookkeeping.
STEP_MULTIPLY_ADDS: Final = 120_000_000


def quality_bits(quality: float, num_pixels: int) -> float:
    """Quality, 0 to 100, and size -> bits the file may take."""
    ratio = HIGHEST_QUALITY_BPP / LOWEST_QUALITY_BPP
    bpp: float = LOWEST_QUALITY_BPP * ratio ** (quality / 100)
    return QUALITY_FLOOR_BITS + num_pixels * bpp


def plan_architecture(payload_bits: float, channels: int, longest_side: int) -> Architecture:
    """Budget of the payload and image size -> network whose weights fill the budget.

    Depth grows with the number of weights up to where it stops paying; width follows.

    Args:
        payload_bits: bits available to the levels and their side information.
        channels: 1 to 4.
        longest_side: pixels along the image's longer axis.
    """
    wanted = payload_bits / BITS_PER_WEIGHT
    hidden_layers = plan_depth(wanted)
    features = 1
    while Architecture(features + 1, hidden_layers, channels, 1).num_parameters <= wanted:
        features += 1
    num_parameters = Architecture(features, hidden_layers, channels, 1).num_parameters
    omega_0 = plan_omega_0(longest_side, num_parameters)
    return Architecture(features, hidden_layers, channels, omega_0)


def plan_omega_0(longest_side: int, num_parameters: int) -> int:
    """Pixels along the longer axis and size of the network -> frequency factor of the first layer.

    What a network can show decides: one of few weights has no use of high frequencies, and cannot
    get rid of those it starts with. The best factor grows with about the fifth root of the number
    of weights, whatever the image's size and bandwidth (docs/why-sine.md).

    First-layer weights of omega_0 * U(-1/2, 1/2) reach omega_0 / (2 pi) cycles across the image.
    They should not begin above half of Nyquist's N/2 cycles: what a fit through pixel centres
    cannot tell from a lower frequency shows up between them. So omega_0 <= pi N / 2, which binds
    below 20 pixels.
    """
    by_network: float = PHOTO_OMEGA_0 * (num_parameters / PHOTO_PARAMETERS) ** OMEGA_0_POWER
    return max(1, round(min(PHOTO_OMEGA_0, by_network, math.pi * longest_side / 2)))


def plan_depth(num_parameters: float) -> int:
    """Number of weights -> hidden layers: seven is measured (LOG.md, entry 4), fewer a guess."""
    for hidden_layers, largest in enumerate((30, 150, 400, 900, 2_000)):
        if num_parameters < largest:
            return hidden_layers
    return 7


def plan_fits(
    architecture: Architecture, num_pixels: int, effort: int, budget_bits: float, seed: int
) -> list[FitPlan]:
    """Network, image size and effort -> the fits to make, the best of which to keep.

    One, as a rule. A small image is settled long before the effort is spent, and more updates are
    no better there than other ones; so it is fitted as every lower effort would, too.
    """
    plan = plan_fit(architecture, num_pixels, effort, budget_bits, seed)
    if plan.steps < settled_steps(num_pixels, effort):
        return [plan]
    lower = range(effort)
    return [
        *(plan_fit(architecture, num_pixels, level, budget_bits, seed) for level in lower),
        plan,
    ]


def settled_steps(num_pixels: int, effort: int) -> int:
    """Image size and effort -> updates that are enough: a handful of pixels takes few."""
    return (200 + num_pixels) * (1 + effort)


def plan_fit(
    architecture: Architecture, num_pixels: int, effort: int, budget_bits: float, seed: int
) -> FitPlan:
    """Network, image size and effort -> number of updates.

    The work is counted in multiply-adds rather than seconds, so that a plan, and with it the file,
    does not depend on how busy the machine is.
    """
    batch_pixels = min(num_pixels, BATCH_PIXELS)
    sines = architecture.hidden_features * (architecture.hidden_layers + 1)
    step_work = STEP_MULTIPLY_ADDS + batch_pixels * (
        3 * architecture.num_parameters + SINE_MULTIPLY_ADDS * sines
    )
    affordable = round(EFFORT_WORK[effort] * 1e12 / step_work)
    steps = max(20, min(affordable, settled_steps(num_pixels, effort), MAX_STEPS))
    return FitPlan(steps, batch_pixels, budget_bits, seed)
