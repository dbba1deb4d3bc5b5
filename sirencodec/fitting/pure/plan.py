"""Budget, image size and effort -> the network to fit and the work to put into it."""

import math
from dataclasses import dataclass, field

from sirencodec.bitstream.architecture import Architecture
from sirencodec.fitting.pure.settings import NetworkSettings, PureSettings, WorkSettings


@dataclass(frozen=True, slots=True)
class PurePlan:
    """How much work to put into a fit, and what it may come to.

    Attributes:
        updates: of the network.
        batch_pixels: that an update looks at, about.
        budget_bits: what the payload may take.
        seed: of initialisation and sampling.
        settings: the profile's hyper-parameters.
    """

    updates: int
    batch_pixels: int
    budget_bits: float
    seed: int
    settings: PureSettings = field(default_factory=PureSettings)


def plan_architecture(
    payload_bits: float, channels: int, longest_side: int, settings: NetworkSettings
) -> Architecture:
    """Budget of the payload and image size -> network whose weights fill the budget.

    Depth grows with the number of weights up to where it stops paying; width follows.

    Args:
        payload_bits: bits available to the levels and their side information.
        channels: 1 to 4.
        longest_side: pixels along the image's longer axis.
        settings: of networks.
    """
    wanted = payload_bits / settings.bits_per_weight
    hidden_layers = plan_depth(wanted, settings)
    features = 1
    while Architecture(features + 1, hidden_layers, channels, 1).num_parameters <= wanted:
        features += 1
    num_parameters = Architecture(features, hidden_layers, channels, 1).num_parameters
    omega_0 = plan_omega_0(longest_side, num_parameters, settings)
    return Architecture(features, hidden_layers, channels, omega_0)


def plan_omega_0(longest_side: int, num_parameters: int, settings: NetworkSettings) -> int:
    """Pixels along the longer axis and size of the network -> frequency factor of the first layer.

    What a network can show decides: one of few weights has no use of high frequencies, and cannot
    get rid of those it starts with. The best factor grows with about the fifth root of the number
    of weights, whatever the image's size and bandwidth (docs/why-sine.md).

    First-layer weights of omega_0 * U(-1/2, 1/2) reach omega_0 / (2 pi) cycles across the image.
    They should not begin above half of Nyquist's N/2 cycles: what a fit through pixel centres
    cannot tell from a lower frequency shows up between them. So omega_0 <= pi N / 2, which binds
    below 20 pixels.
    """
    photo = settings.photo_omega_0
    size = num_parameters / settings.photo_parameters
    by_network: float = photo * size**settings.omega_0_power
    return max(1, round(min(photo, by_network, math.pi * longest_side / 2)))


def plan_depth(num_parameters: float, settings: NetworkSettings) -> int:
    """Number of weights -> hidden layers."""
    for hidden_layers, limit in enumerate(settings.depth_limits):
        if num_parameters < limit:
            return hidden_layers
    return settings.deepest


def plan_fits(
    architecture: Architecture,
    num_pixels: int,
    effort: int,
    budget_bits: float,
    seed: int,
    settings: PureSettings,
) -> list[PurePlan]:
    """Network, image size and effort -> the fits to make, the best of which to keep.

    One, as a rule. A small image is settled before the effort is spent, or nearly so, and more
    updates are no better there than other ones; so it is fitted as every lower effort would, too.
    """

    def plan(level: int) -> PurePlan:
        updates = plan_updates(architecture, num_pixels, level, settings)
        batch_pixels = min(num_pixels, settings.work.batch_pixels)
        return PurePlan(updates, batch_pixels, budget_bits, seed, settings)

    whole = plan(effort)
    is_small = num_pixels <= settings.work.small_pixels
    if not is_small and whole.updates < settled_updates(num_pixels, effort, settings):
        return [whole]
    return [*map(plan, range(effort)), whole]


def settled_updates(num_pixels: int, effort: int, settings: PureSettings) -> int:
    """Image size and effort -> updates that are enough: a handful of pixels takes few."""
    return (settings.work.settled_updates + num_pixels) * (1 + effort)


def plan_updates(
    architecture: Architecture, num_pixels: int, effort: int, settings: PureSettings
) -> int:
    """Network, image size and effort -> number of updates.

    The work is counted in multiply-adds rather than seconds, so that a plan, and with it the file,
    does not depend on how busy the machine is.
    """
    work = settings.work
    affordable = round(
        work.effort_multiply_adds[effort]
        / _update_multiply_adds(architecture, min(num_pixels, work.batch_pixels), work)
    )
    enough = settled_updates(num_pixels, effort, settings)
    return max(work.fewest_updates, min(affordable, enough, work.most_updates))


def plan_renewals(architecture: Architecture, num_pixels: int, plan: PurePlan) -> int:
    """Network and image size -> updates from one renewal of the targets to the next.

    A renewal evaluates the whole picture, and costs as much as dozens of updates.
    """
    work, blend = plan.settings.work, plan.settings.blend
    forwards = architecture.num_parameters + work.sine_multiply_adds * _sines(architecture) / 2
    renewal = num_pixels * (forwards + work.measure_multiply_adds)
    update = _update_multiply_adds(architecture, plan.batch_pixels, work)
    return max(blend.period, math.ceil(renewal / (work.renewal_share * update)))


def _update_multiply_adds(
    architecture: Architecture, batch_pixels: int, work: WorkSettings
) -> float:
    """Network and batch -> work of an update: the way through the network, and back."""
    of_pixel = 3 * architecture.num_parameters + work.sine_multiply_adds * _sines(architecture)
    return work.update_multiply_adds + batch_pixels * of_pixel


def _sines(architecture: Architecture) -> int:
    """Sines of one evaluation."""
    return architecture.hidden_features * (architecture.hidden_layers + 1)
