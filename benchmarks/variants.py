"""One switch at a time: the codec with one of its ingredients replaced, for ablations.

Variants are of the pure profile, whatever the size of the image; the one that replaces nothing is
what the others are compared with.

The codec has no switches for this. A variant replaces attributes of its modules from outside, in
the process that encodes and again in the one that decodes, and puts them back. What replaces them
is a plain value or something of `alternatives.py`, which imports PyTorch only when it is needed.
"""

import math
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any
from unittest import mock

BASELINE = "pure"  # name of the variant that replaces nothing


@dataclass(frozen=True, slots=True)
class Alternative:
    """Something of ``benchmarks.alternatives``, by name; called with ``arguments`` if there are."""

    name: str
    arguments: tuple[Any, ...] = ()

    def load(self) -> Any:
        """Import it."""
        found = getattr(import_module("benchmarks.alternatives"), self.name)
        return found(*self.arguments) if self.arguments else found


PURE: dict[str, Any] = {
    "sirencodec.pyramid_planning.choose_profile": Alternative("constant", ("pure",))
}


@dataclass(frozen=True, slots=True)
class Variant:
    """The codec with something replaced.

    Attributes:
        name: as in results and on the command line.
        switch: the ingredient in question, the same for all its variants.
        replacements: dotted name of a constant, function or class -> what takes its place, besides
            the choice of the profile.
    """

    name: str
    switch: str
    replacements: dict[str, Any]

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Within the block, the codec is this variant.

        Raises:
            AttributeError: if the codec has no such attribute any more.
        """
        for name in ("encoder", "decoder", "function"):
            import_module(f"sirencodec.{name}")  # and with them all that could be replaced
        with ExitStack() as stack:
            for target, value in (PURE | self.replacements).items():
                loaded = value.load() if isinstance(value, Alternative) else value
                for module, attribute in _places(target):
                    stack.enter_context(mock.patch.object(module, attribute, loaded))
            yield


def _places(target: str) -> list[tuple[ModuleType, str]]:
    """Dotted name -> where to replace it: a function or class in every module that imported it."""
    module_name, _, attribute = target.rpartition(".")
    original = getattr(import_module(module_name), attribute)
    if not callable(original):
        return [(import_module(module_name), attribute)]
    return [
        (module, attribute)
        for name, module in list(sys.modules.items())
        if name.startswith("sirencodec.") and vars(module).get(attribute) is original
    ]


def _all_variants() -> Iterator[Variant]:
    def variant(name: str, switch: str, target: str, value: Any) -> Variant:
        return Variant(name, switch, {f"sirencodec.{target}": value})

    yield Variant(BASELINE, "nothing", {})
    for name in ("zero", "coin", "pytorch"):
        start = Alternative(f"{name}_bias")
        yield variant(f"bias-{name}", "initial biases", "siren.initial_layers", start)
    for omega_0 in (10, 20, 30, 60, 120):
        plan = Alternative("constant", (omega_0,))
        yield variant(f"omega-{omega_0}", "omega_0", "planning.plan_omega_0", plan)
    # From the last step on: as good as rounding a finished fit.
    for name, fractions in (("after", (1 - 1e-9,)), ("early", (0.5, 0.9))):
        switch = "quantisation-aware fitting"
        yield variant(f"quantise-{name}", switch, "fit.REALLOCATE_AT", fractions)
    for rate in (0.02, 0.006, 0.002):
        adam = {
            "sirencodec.soap.Soap": Alternative("Adam"),
            "sirencodec.fit.LEARNING_RATE": math.inf,  # the largest holds at every width
            "sirencodec.fit.WIDE_LEARNING_RATE": math.inf,
            "sirencodec.fit.LARGEST_LEARNING_RATE": rate,
        }
        yield Variant(f"adam-{rate:g}", "optimiser", adam)
    equal = Alternative("equal_sensitivities")
    yield variant("equal-steps", "steps by sensitivity", "siren.sensitivities", equal)
    yield variant("gaussian", "entropy model", "entropy.matrices.NUM_SHAPES", 1)
    yield Variant("one-gaussian", "entropy model", _payload("one_gaussian"))
    yield Variant("zstd", "entropy model", _payload("zstd", decoder=True))
    for depth in (2, 4, 6, 10):
        plan = Alternative("constant", (depth,))
        yield variant(f"depth-{depth}", "width against depth", "planning.plan_depth", plan)
    for factor in (0.5, 2.0):
        kinds = ("LEARNING_RATE", "LARGEST_LEARNING_RATE", "WIDE_LEARNING_RATE")
        names = [f"sirencodec.fit.{kind}" for kind in kinds]
        rates = {name: Alternative("multiple", (name, factor)) for name in names}
        yield Variant(f"rate-times-{factor:g}", "learning rate", rates)
    for pixels in (2048, 16384):
        yield variant(f"batch-{pixels}", "pixels a step", "planning.BATCH_PIXELS", pixels)
    batches = Alternative("RandomBatches")
    yield variant("sampling-random", "sampling of pixels", "sampling.StratifiedBatches", batches)
    for bits in (5.0, 8.0, 10.0):
        yield variant(f"bits-{bits:g}", "bits a weight", "planning.BITS_PER_WEIGHT", bits)
    colours = {
        "sirencodec.fit._targets": Alternative("luma_targets"),
        "sirencodec.query.query_strips": Alternative("luma_strips"),
    }
    yield Variant("luma-chroma", "colour transform", colours)


def _payload(name: str, *, decoder: bool = False) -> dict[str, Any]:
    """Replacements for everything that codes levels or counts what they cost."""
    replacements: dict[str, Any] = {
        "sirencodec.entropy.payload.encode_payload": Alternative(f"encode_{name}"),
        "sirencodec.entropy.matrices.matrices_bits": Alternative(f"bits_of_{name}"),
    }
    if decoder:
        replacements["sirencodec.entropy.payload.decode_payload"] = Alternative(f"decode_{name}")
    return replacements


VARIANTS = {variant.name: variant for variant in _all_variants()}
