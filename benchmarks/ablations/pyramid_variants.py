"""Variants of the pyramid profile: latent grids, and a network that is asked about them."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.ablations.variant import Alternative, Variant

PYRAMID = "pyramid"  # profile, and name of the variant that replaces nothing

# The shipped network is of one width and depth, so others start from random numbers, and are
# compared with the usual width and depth that starts from random numbers, too.
RANDOM_START = "random-start"


def pyramid_variants() -> Iterator[Variant]:
    """All of them, the one that replaces nothing first."""
    yield _variant(PYRAMID, "nothing", {})
    # How far apart fits lie that differ by nothing of meaning; other differences must be larger.
    seed = {"fitting.pyramid.planning.plan_pyramid": _alternative("plan_with_other_seed")}
    yield _variant("other-seed", "luck", seed)
    yield from _starts()
    yield from _networks()
    yield from _grids()
    yield from _entropy_models()
    yield from _rounding()
    yield from _schedules()
    yield from _optimisers()


def _variant(
    name: str, switch: str, replacements: Mapping[str, Any], base: str = PYRAMID
) -> Variant:
    return Variant(name, switch, PYRAMID, base, replacements=replacements)


def _alternative(name: str, *arguments: Any) -> Alternative:
    return Alternative(name, arguments, "pyramid_alternatives")


def _starts() -> Iterator[Variant]:
    start = {"fitting.start.starting_network": _alternative("random_start")}
    yield _variant(RANDOM_START, "initialisation", start)
    gain = {"fitting.start.feature_gain": Alternative("constant", (1.0,))}
    yield _variant("start-of-one-rate", "initialisation", gain)
    # What omega_0 is where inputs are features: the spread of phases that a fit starts from.
    for factor in (0.5, 2.0, 4.0):
        bound = {"fitting.start.feature_bound": _alternative("multiple_bound", factor)}
        yield _variant(f"phases-times-{factor:g}", "omega_0", start | bound, RANDOM_START)


def _networks() -> Iterator[Variant]:
    start = {"fitting.start.starting_network": _alternative("random_start")}
    kinds = (("width", "HIDDEN_FEATURES", (8, 24, 32)), ("layers", "HIDDEN_LAYERS", (0, 2)))
    for kind, constant, values in kinds:
        for value in values:
            size = {f"fitting.pyramid.planning.{constant}": value}
            yield _variant(f"{kind}-{value}", "width against depth", start | size, RANDOM_START)
    colours = {
        "fitting.pyramid.state._targets": _alternative("luma_targets"),
        "fitting.start.starting_network": _alternative("luma_start"),
        "synthesis.query.query_strips": Alternative("luma_strips"),
    }
    yield _variant("pyramid-luma-chroma", "colour transform", colours)


def _grids() -> Iterator[Variant]:
    # Their network is the shipped one less the columns of what is missing, and not trained for it.
    for name, first, last in (("no-grid-1", 1, 6), ("no-grid-1-2", 2, 6), ("no-grid-64", 0, 5)):
        grids = {
            "fitting.pyramid.planning.plan_pyramid_architecture": _alternative(
                "plan_grids", first, last
            ),
            "fitting.start.starting_network": _alternative("trimmed_start"),
        }
        yield _variant(name, "grids", grids)
    fixed = {"fitting.pyramid.matrices.KERNEL_SHARE": 0.0}
    yield _variant("kernels-as-shipped", "learned kernels", fixed)
    for name in ("linear", "cubic"):
        start = {"fitting.start.starting_network": _alternative(f"{name}_start")}
        yield _variant(f"kernels-{name}", "learned kernels", fixed | start)
    yield _variant("no-refinement", "refinement", {"synthesis.refinement.REFINED": ()})
    still = {"fitting.pyramid.matrices.REFINEMENT_SHARE": 0.0}
    yield _variant("refinement-as-shipped", "refinement", still)


def _entropy_models() -> Iterator[Variant]:
    still = {"fitting.pyramid.matrices.CONTEXT_SHARE": 0.0}
    yield _variant("context-as-shipped", "entropy model", still)
    for name, layers in (("two", 2), ("all", 3)):
        adapted = {"fitting.pyramid.plan.PyramidPlan": _alternative("plan_adapting", layers)}
        yield _variant(f"adapt-{name}-layers", "entropy model", adapted)
    free = {"fitting.pyramid.plan.MATRICES_BIT_WEIGHT": 0.0}
    yield _variant("matrices-for-nothing", "bits of matrices in the loss", free)
    gaussian = {"entropy.matrices.NUM_SHAPES": 1}
    yield _variant("matrices-gaussian", "entropy model", gaussian)


def _rounding() -> Iterator[Variant]:
    yield _variant("no-noise", "soft rounding", {"fitting.pyramid.schedule.NOISES": (0.0, 0.0)})
    untried = {"fitting.rdoq.TRIED_EXPONENTS": range(0)}
    yield _variant("no-trials", "trials of rounded latents", untried)
    through = {"fitting.soft_round.soften": _alternative("straight_through")}
    yield _variant("straight-through", "soft rounding", through)
    # As much noise as rounding makes, and no rounding beside it.
    noise = {
        "fitting.pyramid.schedule.TEMPERATURES": (50.0, 50.0),
        "fitting.pyramid.schedule.NOISES": (0.29, 0.29),
    }
    yield _variant("noise-only", "soft rounding", noise)
    yield _variant(
        "harder-start", "soft rounding", {"fitting.pyramid.schedule.TEMPERATURES": (0.35, 0.07)}
    )
    same = {"fitting.pyramid.matrix_steps._lowest": Alternative("constant", (8,))}
    yield _variant("same-steps", "chosen steps", same)
    usual = {"fitting.pyramid.matrix_steps._lowest": _alternative("usual_octave")}
    yield _variant("usual-steps", "chosen steps", usual)


def _schedules() -> Iterator[Variant]:
    # Stages that take about as much time as the three of the codec.
    for name, stages in (("one-stage", ((0, 998),)), ("two-stages", ((1, 194), (0, 950)))):
        yield _variant(name, "coarse to fine", {"fitting.pyramid.planning.STAGE_STEPS": stages})
    unsought = {"fitting.pyramid.target_search.TargetSearch.next_lambda": _alternative("no_search")}
    yield _variant("no-search", "search for the target", unsought)
    unlimited = {"fitting.pyramid.latent_optimizer.LONGEST_MOVE": math.inf}
    yield _variant("no-longest-step", "latents' steps", unlimited)
    even = {"fitting.pyramid.schedule.EXTRA_BIT_WEIGHT": 0.0}
    yield _variant("even-bit-weight", "weight of bits", even)
    hasty = {"fitting.pyramid.schedule.NETWORK_WARM_UP_UPDATES": 1}
    yield _variant("no-network-warm-up", "network's first steps", hasty)


def _optimisers() -> Iterator[Variant]:
    for rate in (0.03, 0.01, 0.003):
        adam = {
            "fitting.soap.Soap": Alternative("Adam"),
            "fitting.pyramid.state.NETWORK_RATE": rate,
        }
        yield _variant(f"network-adam-{rate:g}", "optimiser", adam)
    for momentum in (0.0, 0.8):
        inertia = {"fitting.pyramid.latent_optimizer.MOMENTUM": momentum}
        yield _variant(f"momentum-{momentum:g}", "latents' momentum", inertia)
    for kind, module in (("network", "state"), ("latent", "schedule")):
        name = f"fitting.pyramid.{module}.{kind.upper()}_RATE"
        for factor in (0.5, 2.0):
            scaled = {name: Alternative("multiple", (f"sirencodec.{name}", factor))}
            yield _variant(f"{kind}-rate-times-{factor:g}", "learning rates", scaled)
