"""A finished study -> one row a statement: claimed, measured, holds or not, command.

Whether a statement holds is decided by the program from the figures, by bounds that are written
down, so that a study that finds something else says something else.
"""

from collections.abc import Callable

from benchmarks.reporting.tables import markdown
from benchmarks.studies.activations.summary import Run, Verdict
from benchmarks.studies.activations.verdicts_of_fits import (
    judge_alternatives,
    judge_derivatives,
    judge_folded,
    judge_hidden,
    judge_omega,
    judge_rounded,
)
from benchmarks.studies.activations.verdicts_of_theory import (
    judge_after,
    judge_biases,
    judge_fixed,
    judge_redrawn,
    judge_sine,
    judge_start,
    judge_trainable,
    judge_uniform,
)


def verdict_table(run: Run) -> str:
    """Study -> the table of all statements."""
    command = "python -m benchmarks activations --parts"
    rows = [[*verdict(run), f"`{command} {part}`"] for part, verdict in VERDICTS]
    table = markdown(["Claimed", "Measured, mean (range over seeds)", "Holds?", "Command"], rows)
    return table.replace("| :-- | --: | --: | --: |", "| :-- | :-- | :-- | :-- |")


VERDICTS: tuple[tuple[str, Callable[[Run], Verdict]], ...] = (
    ("arcsine", judge_uniform),
    ("central-limit", judge_redrawn),
    ("central-limit", judge_fixed),
    ("depth", judge_sine),
    ("depth", judge_start),
    ("depth", judge_after),
    ("depth", judge_trainable),
    ("bias", judge_biases),
    ("folding", judge_folded),
    ("folding", judge_hidden),
    ("omega", judge_omega),
    ("rivals", judge_alternatives),
    ("rivals", judge_rounded),
    ("rivals", judge_derivatives),
)
