"""Variants of the pure profile: a network that knows nothing but coordinates."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from benchmarks.ablations import pure_alternatives as alternatives
from benchmarks.ablations.variant import Variant
from sirencodec.fitting.pure.settings import PureSettings
from sirencodec.fitting.settings import Settings

PURE = "pure"  # profile, and name of the variant that replaces nothing
USUAL = PureSettings()

# Everything that codes levels, or counts what they cost.
ONE_GAUSSIAN = {
    "entropy.payload.encode_payload": alternatives.encode_one_gaussian,
    "entropy.matrices.matrices_bits": alternatives.bits_of_one_gaussian,
}
ZSTD = {
    "entropy.payload.encode_payload": alternatives.encode_zstd,
    "entropy.matrices.matrices_bits": alternatives.bits_of_zstd,
    "entropy.payload.decode_payload": alternatives.decode_zstd,
}


def _variant(
    name: str,
    switch: str,
    settings: PureSettings = USUAL,
    replacements: Mapping[str, Any] | None = None,
) -> Variant:
    own = Settings(pure=settings)
    return Variant(name, switch, PURE, PURE, own, replacements=replacements or {})


def pure_variants() -> Iterator[Variant]:
    """All of them, the one that replaces nothing first."""
    yield _variant(PURE, "nothing")
    yield from _networks()
    yield from _fits()
    yield from _ingredients()
    yield from _formats()


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


def _formats() -> Iterator[Variant]:
    """What a decoder has to know of, or would have to: no settings of a fit."""
    gaussian = {"entropy.matrices.NUM_SHAPES": 1}
    yield _variant("gaussian", "entropy model", replacements=gaussian)
    yield _variant("one-gaussian", "entropy model", replacements=ONE_GAUSSIAN)
    yield _variant("zstd", "entropy model", replacements=ZSTD)
    colours = {
        "fitting.pure.fit._targets": alternatives.luma_targets,
        "decoder.to_picture": alternatives.luma_picture,
    }
    yield _variant("luma-chroma", "colour transform", replacements=colours)
