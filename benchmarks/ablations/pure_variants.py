"""Variants of the pure profile: a network that knows nothing but coordinates."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.ablations.variant import Alternative, Variant

PURE = "pure"  # profile, and name of the variant that replaces nothing


def _variant(name: str, switch: str, replacements: Mapping[str, Any]) -> Variant:
    return Variant(name, switch, replacements, PURE, PURE)


def pure_variants() -> Iterator[Variant]:
    """All of them, the one that replaces nothing first."""
    yield _variant(PURE, "nothing", {})
    for name in ("zero", "coin", "pytorch"):
        start = Alternative(f"{name}_bias")
        yield _variant(f"bias-{name}", "initial biases", {"fitting.start.initial_layers": start})
    for omega_0 in (10, 20, 30, 60, 120):
        plan = Alternative("constant", (omega_0,))
        yield _variant(f"omega-{omega_0}", "omega_0", {"fitting.pure.plan.plan_omega_0": plan})
    # From the last step on: as good as rounding a finished fit.
    for name, fractions in (("after", (1 - 1e-9,)), ("early", (0.5, 0.9))):
        switch = "quantisation-aware fitting"
        yield _variant(f"quantise-{name}", switch, {"fitting.pure.fit.REALLOCATE_AT": fractions})
    for rate in (0.02, 0.006, 0.002):
        adam = {
            "fitting.soap.Soap": Alternative("Adam"),
            "fitting.pure.fit.LEARNING_RATE": math.inf,  # the largest holds at every width
            "fitting.pure.fit.WIDE_LEARNING_RATE": math.inf,
            "fitting.pure.fit.LARGEST_LEARNING_RATE": rate,
        }
        yield _variant(f"adam-{rate:g}", "optimiser", adam)
    equal = Alternative("equal_sensitivities")
    yield _variant(
        "equal-steps", "steps by sensitivity", {"fitting.pure.bit_allocation.sensitivities": equal}
    )
    yield _variant("gaussian", "entropy model", {"entropy.matrices.NUM_SHAPES": 1})
    yield _variant("one-gaussian", "entropy model", _payload("one_gaussian"))
    yield _variant("zstd", "entropy model", _payload("zstd", decoder=True))
    for depth in (2, 4, 6, 10):
        plan = Alternative("constant", (depth,))
        yield _variant(
            f"depth-{depth}", "width against depth", {"fitting.pure.plan.plan_depth": plan}
        )
    for factor in (0.5, 2.0):
        kinds = ("LEARNING_RATE", "LARGEST_LEARNING_RATE", "WIDE_LEARNING_RATE")
        names = [f"fitting.pure.fit.{kind}" for kind in kinds]
        rates = {name: Alternative("multiple", (f"sirencodec.{name}", factor)) for name in names}
        yield _variant(f"rate-times-{factor:g}", "learning rate", rates)
    for pixels in (2048, 16384):
        yield _variant(
            f"batch-{pixels}", "pixels a step", {"fitting.pure.plan.BATCH_PIXELS": pixels}
        )
    batches = Alternative("RandomBatches")
    yield _variant(
        "sampling-random",
        "sampling of pixels",
        {"fitting.pure.pixel_batches.StratifiedBatches": batches},
    )
    for bits in (5.0, 8.0, 10.0):
        yield _variant(
            f"bits-{bits:g}", "bits a weight", {"fitting.pure.plan.BITS_PER_WEIGHT": bits}
        )
    colours = {
        "fitting.pure.fit._targets": Alternative("luma_targets"),
        "synthesis.query.query_strips": Alternative("luma_strips"),
    }
    yield _variant("luma-chroma", "colour transform", colours)


def _payload(name: str, *, decoder: bool = False) -> dict[str, Any]:
    """Replacements for everything that codes levels or counts what they cost."""
    replacements: dict[str, Any] = {
        "entropy.payload.encode_payload": Alternative(f"encode_{name}"),
        "entropy.matrices.matrices_bits": Alternative(f"bits_of_{name}"),
    }
    if decoder:
        replacements["entropy.payload.decode_payload"] = Alternative(f"decode_{name}")
    return replacements
