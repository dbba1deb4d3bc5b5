"""One word, one thing: names in the package are the glossary's words, not those it rules out."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from tests.paths import PACKAGE, ROOT

GLOSSARY = re.compile(r"^\| word \| .* \| not \|\n\|.*\n((?:\|.*\n)+)", re.MULTILINE)
PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")  # of snake_case and of CamelCase
# Rooms and modules that know the filters of grids. Elsewhere a kernel would be a loop in C.
KERNELS = {"bitstream", "entropy", "synthesis", "fitting", "inspection", "decoder"}
# Rooms and modules that know quantisers. Elsewhere a step would be an update of a fit.
STEPS = {"bitstream", "entropy", "fitting.one_colour", "fitting.rounding"}
STEPS |= {"fitting.pure.bit_allocation", "fitting.pure.fitted_network"}
STEPS |= {
    f"fitting.pyramid.{module}"
    for module in ("matrices", "matrix_steps", "rounded", "state", "target_search")
}


def ruled_out() -> set[str]:
    """Words of the glossary's last column, without the plural."""
    (rows,) = GLOSSARY.findall((ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8"))
    return {word for row in rows.splitlines() for word in re.findall("`(\\w+)`", row.split("|")[3])}


def names(path: Path) -> Iterator[tuple[str, int]]:
    """What a module names, and the line: itself or its room, functions, arguments, variables."""
    yield path.parent.name if path.stem == "__init__" else path.stem, 1
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.alias(asname=str(name)):
                yield name, node.lineno
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                yield name, node.lineno
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                yield name, node.lineno


def words(name: str) -> str:
    """``_gridSlopes`` -> "_grid_slopes_"."""
    return "_".join(["", *(part.lower() for part in PARTS.findall(name)), ""])


def uses(pattern: str, elsewhere: Collection[str] = ()) -> list[str]:
    """Where a name of the package holds these words, outside some of its rooms and modules."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        if not any(f"{module}.".startswith(f"{place}.") for place in elsewhere):
            hits = (each for each in names(path) if re.search(f"_(?:{pattern})s?_", words(each[0])))
            found += [f"{module}, line {line}: {name}" for name, line in hits]
    return found


def test_no_name_is_ruled_out_by_the_glossary() -> None:
    assert {"slope", "trade_off", "utils"} <= ruled_out()
    assert uses("|".join(ruled_out())) == []


def test_kernels_are_filters_of_grids() -> None:
    assert uses("kernel", KERNELS) == []


def test_steps_are_a_quantisers() -> None:
    """But for names that callers know from before: ``on_step``, and progress in steps."""
    found = uses("step", {*STEPS, "fitting.progress", "cli"})
    assert [use for use in found if not use.endswith((" on_step", " _on_step"))] == []
