"""The rooms of benchmarks/: imports point down, never in a circle, deferred ones included."""

import ast
import graphlib

from tests.paths import ROOT

# From the ground up. A module imports from its own room and from those before it.
ORDER = ("ablations", "measuring", "reporting", "studies", "training", "readme", "smoke", "cli")
FOLDER = ROOT / "benchmarks"


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(FOLDER.rglob("*.py"))}


def imports(module):
    """Modules of benchmarks/ that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            yield from names & set(MODULES) or {node.module}


def place(module):
    """Module -> its room's number; what only starts the others comes last."""
    room = module.split(".")[1] if "." in module else "__main__"
    return len(ORDER) if room == "__main__" else ORDER.index(room)


def test_imports_point_down():
    assert [
        f"{module} imports {imported}"
        for module in MODULES
        for imported in imports(module)
        if place(imported) > place(module)
    ] == []


def test_no_circles():
    graph = {module: set(imports(module)) for module in MODULES}
    list(graphlib.TopologicalSorter(graph).static_order())
