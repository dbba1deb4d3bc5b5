"""A finished study -> the tables of `docs/why-sine.md`, a part each."""

from collections.abc import Callable

from benchmarks.studies.activations.summary import Run
from benchmarks.studies.activations.tables_of_fits import (
    derivatives_table,
    folding_table,
    hidden_omega_table,
    omega_table,
    rivals_table,
    rounding_table,
)
from benchmarks.studies.activations.tables_of_theory import (
    arcsine_table,
    bias_tables,
    central_limit_table,
    depth_table,
    growth_table,
    sine_of_normal_table,
)

TABLES: dict[str, Callable[[Run], str]] = {
    "arcsine": arcsine_table,
    "central-limit": central_limit_table,
    "sine-of-normal": sine_of_normal_table,
    "depth": depth_table,
    "growth": growth_table,
    "bias": bias_tables,
    "folding": folding_table,
    "hidden-omega": hidden_omega_table,
    "omega": omega_table,
    "rivals": rivals_table,
    "rounding": rounding_table,
    "derivatives": derivatives_table,
}
