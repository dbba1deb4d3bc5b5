"""Names -> variants of the codec, one switch at a time; those of either profile in their module."""

from collections.abc import Iterable

from benchmarks.ablations.pure_variants import pure_variants
from benchmarks.ablations.pyramid_variants import pyramid_variants

VARIANTS = {variant.name: variant for variant in (*pyramid_variants(), *pure_variants())}


def with_bases(names: Iterable[str]) -> tuple[str, ...]:
    """Names of variants -> the same after those that they are to be compared with, each once."""
    ordered: dict[str, None] = {}
    for name in names:
        chain = [name]
        while (base := VARIANTS[chain[-1]].base) != chain[-1]:
            chain.append(base)
        ordered |= dict.fromkeys(reversed(chain))
    return tuple(ordered)
