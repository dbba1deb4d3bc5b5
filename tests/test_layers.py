"""Imports go one way, PyTorch stays on its side of the seam, and nothing runs what it reads."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.paths import PACKAGE, ROOT, VALID

UNIT = ROOT / "tests" / "unit"

# From the ground up. A module imports from its own room and from those before it, never from a
# later one, and never in a circle.
FACTS = ("errors", "version", "files", "limits", "config", "theory")
ROOMS = ("native", "image", "bitstream", "entropy", "synthesis", "fitting", "inspection")
FACES = ("decoder", "function", "encoder", "api", "pillow_plugin")
DOORS = ("batch", "serve", "cli", "__init__", "__main__")
ORDER = FACTS + ROOMS + FACES + DOORS
# Inside a fit: loss terms, what the profiles share, the profiles, and what hands both down.
FITTING = {"loss": 0, "pure": 2, "pyramid": 2, "profile": 3, "settings": 3}
MOST_FILES, MOST_ROOMS = 13, 10  # at the top: what one reads at a glance

# Nothing before the integers of a file become numbers imports PyTorch, and no command does.
TORCH_ROOMS = {"synthesis", "fitting", "inspection"}
TORCH_MODULES = {"native.tensors", "batch.processes"}
# What decodes without PyTorch.
PLAIN_MODULES = {
    f"synthesis.{name}"
    for name in (
        *("coordinates", "lanczos", "picture", "points", "region", "samples", "threads"),
        *("query_native", "query_numpy"),
    )
}
PLAIN_FACES = {"decoder", "function", "api", "pillow_plugin", "inspection.inspect"}

FORBIDDEN_MODULES = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
FORBIDDEN_CALLS = {
    "eval",
    "exec",
    "torch.load",
    "torch.save",
    "torch.hub.load",
    "np.load",
    "np.save",
    "numpy.load",
    "numpy.save",
    "os.system",
    "os.popen",
}


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def imports(module: str) -> Iterator[str]:
    """Full names of the modules that a module imports, anywhere in it."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            assert node.module is not None
            submodules = [f"{node.module}.{alias.name}" for alias in node.names]
            inside = [name for name in submodules if name.removeprefix("sirencodec.") in MODULES]
            yield from inside or [node.module]


def package_imports(module: str) -> set[str]:
    """Modules of the package that a module imports, by their names in ``MODULES``."""
    names = {name for name in imports(module) if name.split(".")[0] == "sirencodec"}
    return {name.removeprefix("sirencodec.").replace("sirencodec", "__init__") for name in names}


def room(module: str) -> str:
    return module.split(".")[0]


def test_every_room_has_its_place() -> None:
    assert {room(module) for module in MODULES} == set(ORDER)


def test_the_top_is_read_at_a_glance() -> None:
    assert len(list(PACKAGE.glob("*.py"))) <= MOST_FILES
    assert len(list(PACKAGE.glob("*/__init__.py"))) <= MOST_ROOMS


def is_named_after_a_module(test: Path) -> bool:
    """Or after the common start of several, such as both of one loss term, or after its room."""
    place, name = PACKAGE / test.parent.relative_to(UNIT), test.stem.removeprefix("test_")
    modules = [path.stem for path in place.glob("*.py")]
    return name == place.name or any(f"{module}_".startswith(f"{name}_") for module in modules)


def test_unit_tests_lie_as_the_package_does() -> None:
    tests = sorted(UNIT.rglob("test_*.py"))
    assert [path for path in tests if not is_named_after_a_module(path)] == []


def test_imports_point_down() -> None:
    assert [
        f"{module} imports {imported}"
        for module in MODULES
        for imported in package_imports(module)
        if ORDER.index(room(imported)) > ORDER.index(room(module))
    ] == []


def test_imports_point_down_inside_a_fit() -> None:
    """Neither profile knows the other."""
    strangers = []
    for module in MODULES:
        for imported in package_imports(module):
            if room(module) == room(imported) == "fitting":
                name, other = (each.split(".")[1] for each in (module, imported))
                if name != other and FITTING.get(name, 1) <= FITTING.get(other, 1) != 1:
                    strangers.append(f"{module} imports {imported}")
    assert strangers == []


def test_no_circles() -> None:
    graph = {module: package_imports(module) for module in MODULES}
    list(graphlib.TopologicalSorter(graph).static_order())


def test_torch_stays_on_its_side() -> None:
    users = {m for m in MODULES if "torch" in {name.split(".")[0] for name in imports(m)}}
    assert {m for m in users if room(m) not in TORCH_ROOMS} == TORCH_MODULES
    assert not users & PLAIN_MODULES
    assert not users & PLAIN_FACES


@pytest.mark.parametrize(
    "call",
    ["sirencodec.read_info(path)", "import PIL.Image; PIL.Image.open(path).close()"],
    ids=["read_info", "Pillow"],
)
def test_a_header_is_read_without_torch(call: str) -> None:
    code = f"import sys, sirencodec; path = sys.argv[1]; {call}; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code, str(VALID / "gray-4x4.siren")], check=True)


@pytest.mark.parametrize(
    "module",
    [
        "batch.expectation",
        "serve.app",
        "entropy.stored",
        "bitstream.container",
        "bitstream.info",
        *sorted(PLAIN_MODULES),
    ],
)
def test_what_does_no_fit_needs_no_torch(module: str) -> None:
    code = f"import sys, sirencodec.{module}; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_nothing_runs_what_it_reads() -> None:
    for module in MODULES:
        assert not FORBIDDEN_MODULES & {name.split(".")[0] for name in imports(module)}, module
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in FORBIDDEN_CALLS, module
                keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
                assert keywords.get("shell", "False") == "False", module
                assert keywords.get("allow_pickle", "False") == "False", module
