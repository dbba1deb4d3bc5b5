"""Variants of the pure profile: a network that knows nothing but coordinates."""

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from benchmarks.ablations import pure_alternatives as alternatives
from benchmarks.ablations.variant import Variant
from sirencodec.fitting.pure.settings import PureSettings
from sirencodec.fitting.settings import Settings

PURE = "pure"  # profile, and name of the variant that replaces nothing
USUAL = PureSettings()


def _variant(name: str, switch: str, settings: PureSettings = USUAL) -> Variant:
    return Variant(name, switch, PURE, PURE, Settings(pure=settings))


def pure_variants() -> Iterator[Variant]:
    """All of them, the one that replaces nothing first."""
    yield _variant(PURE, "nothing")
    yield from _networks()
    yield from _fits()
    yield from _ingredients()


def _networks() -> Iterator[Variant]:
    network = partial(replace, USUAL.network)
    for omega_0 in (10, 20, 30, 60, 120):
        same = network(photo_omega_0=omega_0, omega_0_power=0.0)
        yield _variant(f"omega-{omega_0}", "omega_0", replace(USUAL, network=same))
    for depth in (2, 4, 6, 10):
        same = network(depth_limits=(), deepest=depth)
        yield _variant(f"depth-{depth}", "width against depth", replace(USUAL, network=same))
    for bits in (5.0, 8.0, 10.0):
        settings = replace(USUAL, network=network(bits_per_weight=bits))
        yield _variant(f"bits-{bits:g}", "bits a weight", settings)


def _fits() -> Iterator[Variant]:
    # From the last update on: as good as rounding a finished fit.
    for name, shares in (("after", (1 - 1e-9,)), ("early", (0.5, 0.9))):
        rounding = replace(USUAL.rounding, allocate_at=shares)
        settings = replace(USUAL, rounding=rounding)
        yield _variant(f"quantise-{name}", "quantisation-aware fitting", settings)
    for factor in (0.5, 2.0):
        rates = replace(
            USUAL.rates,
            largest=factor * USUAL.rates.largest,
            narrow=factor * USUAL.rates.narrow,
            wide=factor * USUAL.rates.wide,
        )
        settings = replace(USUAL, rates=rates)
        yield _variant(f"rate-times-{factor:g}", "learning rate", settings)
    for pixels in (2048, 16384):
        settings = replace(USUAL, work=replace(USUAL.work, batch_pixels=pixels))
        yield _variant(f"batch-{pixels}", "pixels an update", settings)


def _ingredients() -> Iterator[Variant]:
    biases = {
        "zero": alternatives.zero_bias,
        "coin": alternatives.coin_bias,
        "pytorch": alternatives.pytorch_bias,
    }
    for name, start in biases.items():
        yield _variant(f"bias-{name}", "initial biases", replace(USUAL, start=start))
    for rate in (0.02, 0.006, 0.002):  # at every width
        rates = replace(USUAL.rates, largest=rate, narrow=math.inf, wide=math.inf)
        adam = replace(USUAL, optimizer=alternatives.Adam, rates=rates)
        yield _variant(f"adam-{rate:g}", "optimiser", adam)
    equal = replace(USUAL, sensitivities=alternatives.equal_sensitivities)
    yield _variant("equal-steps", "steps by sensitivity", equal)
    random = replace(USUAL, batches=alternatives.RandomBatches)
    yield _variant("sampling-random", "sampling of pixels", random)
