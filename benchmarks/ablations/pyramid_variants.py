"""Variants of the pyramid profile: latent grids, and a network that is asked about them."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from benchmarks.ablations import pyramid_alternatives as alternatives
from benchmarks.ablations.pure_alternatives import Adam
from benchmarks.ablations.variant import Variant
from sirencodec.fitting.pyramid.settings import PyramidSettings
from sirencodec.fitting.settings import Settings

PYRAMID = "pyramid"  # profile, and name of the variant that replaces nothing

# The shipped network is of one width and depth, so others start from random numbers, and are
# compared with the usual width and depth that starts from random numbers, too.
RANDOM_START = "random-start"
RANDOM = {"is_trained": False}

Changes = Mapping[str, Any]  # of settings: what changes in a group, or another ingredient


def pyramid_variants() -> Iterator[Variant]:
    """All of them, the one that replaces nothing first."""
    yield _variant(PYRAMID, "nothing")
    # How far apart fits lie that differ by nothing of meaning; other differences must be larger.
    yield replace(_variant("other-seed", "luck"), seed_offset=1)
    yield from _starts()
    yield from _networks()
    yield from _grids()
    yield from _entropy_models()
    yield from _rounding()
    yield from _schedules()
    yield from _optimisers()


def _variant(
    name: str, switch: str, changes: Changes | None = None, base: str = PYRAMID
) -> Variant:
    return Variant(name, switch, PYRAMID, base, Settings(pyramid=_changed(changes or {})))


def _changed(changes: Changes) -> PyramidSettings:
    """Changes by group -> the usual settings with them."""
    settings = PyramidSettings()
    changed = {
        name: replace(getattr(settings, name), **new) if isinstance(new, Mapping) else new
        for name, new in changes.items()
    }
    return replace(settings, **changed)


def _starts() -> Iterator[Variant]:
    yield _variant(RANDOM_START, "initialisation", {"start": RANDOM})
    same = {"starting_network": alternatives.start_of_one_rate}
    yield _variant("start-of-one-rate", "initialisation", same)
    # What omega_0 is where inputs are features: the spread of phases that a fit starts from.
    for factor in (0.5, 2.0, 4.0):
        start = RANDOM | {"phase_gain": factor}
        yield _variant(f"phases-times-{factor:g}", "omega_0", {"start": start}, base=RANDOM_START)


def _networks() -> Iterator[Variant]:
    kinds = (("width", "hidden_features", (8, 24, 32)), ("layers", "hidden_layers", (0, 2)))
    for kind, field, values in kinds:
        for value in values:
            changes: Changes = {"start": RANDOM, "plan": {field: value}}
            yield _variant(f"{kind}-{value}", "width against depth", changes, base=RANDOM_START)


def _grids() -> Iterator[Variant]:
    # Their network is the shipped one less the columns of what is missing, and not trained for it.
    trimmed = {"starting_network": alternatives.trimmed_start}
    for name, first, last in (("no-grid-1", 1, 6), ("no-grid-1-2", 2, 6), ("no-grid-64", 0, 5)):
        grids = {"plan": {"grids": tuple(range(first, last + 1))}}
        yield _variant(name, "grids", grids | trimmed)
    fixed = {"matrices": {"kernel_share": 0.0}}
    yield _variant("kernels-as-shipped", "learned kernels", fixed)
    kernels = {"linear": alternatives.linear_start, "cubic": alternatives.cubic_start}
    for name, start_kernels in kernels.items():
        start = {"starting_network": start_kernels}
        yield _variant(f"kernels-{name}", "learned kernels", fixed | start)
    still = {"matrices": {"refinement_share": 0.0}}
    yield _variant("refinement-as-shipped", "refinement", still)


def _entropy_models() -> Iterator[Variant]:
    still = {"matrices": {"context_share": 0.0}}
    yield _variant("context-as-shipped", "entropy model", still)
    for name, layers in (("two", 2), ("all", 3)):
        adapted = {"matrices": {"adapted_layers": layers}}
        yield _variant(f"adapt-{name}-layers", "entropy model", adapted)
    free = {"matrices": {"bit_weight": 0.0}}
    yield _variant("matrices-for-nothing", "bits of matrices in the loss", free)


def _rounding() -> Iterator[Variant]:
    yield _variant("no-noise", "soft rounding", {"schedule": {"amplitudes": (0.0, 0.0)}})
    yield _variant("no-trials", "RDOQ", {"rdoq": {"exponents": ()}})
    through = {"soften": alternatives.straight_through}
    yield _variant("straight-through", "soft rounding", through)
    # As much noise as rounding makes, and no rounding beside it.
    noise = {"schedule": {"temperatures": (50.0, 50.0), "amplitudes": (0.29, 0.29)}}
    yield _variant("noise-only", "soft rounding", noise)
    harder = {"schedule": {"temperatures": (0.35, 0.07)}}
    yield _variant("harder-start", "soft rounding", harder)
    same = {"octaves": (8,), "usual_octave": 8, "usual_difference_octave": 8}
    yield _variant("same-steps", "chosen steps", {"matrices": same})
    yield _variant("usual-steps", "chosen steps", {"matrices": {"patience": 0}})


def _schedules() -> Iterator[Variant]:
    # Stages that take about as much time as the three of the codec.
    for name, stages in (("one-stage", ((0, 998),)), ("two-stages", ((1, 194), (0, 950)))):
        yield _variant(name, "coarse to fine", {"plan": {"stages": stages}})
    yield _variant("no-search", "search for the target", {"search": {"first_look": 1.0}})
    unlimited = {"latents": {"longest_move": math.inf}}
    yield _variant("no-longest-step", "longest move of a latent", unlimited)
    even = {"schedule": {"extra_bit_weight": 0.0}}
    yield _variant("even-bit-weight", "weight of bits", even)
    hasty = {"schedule": {"network_warm_up_updates": 1}}
    yield _variant("no-network-warm-up", "warm-up of the network", hasty)


def _optimisers() -> Iterator[Variant]:
    for rate in (0.03, 0.01, 0.003):
        adam = {"optimizer": Adam, "schedule": {"network_rate": rate}}
        yield _variant(f"network-adam-{rate:g}", "optimiser", adam)
    for momentum in (0.0, 0.8):
        inertia = {"latents": {"momentum": momentum}}
        yield _variant(f"momentum-{momentum:g}", "latents' momentum", inertia)
    for kind in ("network", "latent"):
        usual = getattr(PyramidSettings().schedule, f"{kind}_rate")
        for factor in (0.5, 2.0):
            scaled = {"schedule": {f"{kind}_rate": factor * usual}}
            yield _variant(f"{kind}-rate-times-{factor:g}", "learning rates", scaled)
