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

PACKAGE = Path(__file__).parents[1] / "sirencodec"
GOLDEN = Path(__file__).parent / "golden" / "valid" / "gray-4x4.siren"

# From the ground up. A module imports from layers below its own, never from its own or above; a
# name with a star is a package whose modules import each other, though not in circles.
LAYERS = (
    (
        "errors",
        "native",
        "format",
        "version",
        "grid",
        "sampling",
        "metrics",
        "files",
        "entropy",
        "native.library",
        "progress",
        "prior_file",
    ),
    (
        "limits",
        "varint",
        "annealing",
        "pyramid_plan",
        "architecture",
        "metadata",
        "config",
        "device",
        "workers",
        "soap",
        "activations",
        "recording",
        "native.tensors",
        "entropy.context_network",
    ),
    (
        "refinement",
        "buffers",
        "soft_round",
        "water_filling",
        "context_sources",
        "entropy.coder",
        "imagefile.*",
        "histogram",
    ),
    ("entropy.frequency", "siren", "upsampling", "context_rate", "image"),
    ("entropy.laplace", "quantize", "features", "batch_gradient", "tile_gradient"),
    ("entropy.context", "entropy.matrices", "query", "compiled_distortion", "compiled_rate"),
    ("entropy.prior", "bit_allocation", "starting_network", "loss_terms"),
    ("entropy.payload", "container"),
    ("metadata_section", "info", "fit", "trained_matrices", "entropy.bit_count"),
    ("stage_view", "latent_trials"),
    ("decoder", "planning", "pyramid_state"),
    ("function", "rate_control", "inspection", "target_search"),
    ("pyramid_planning", "inspection_plot", "target_correction"),
    ("pyramid_fit",),
    ("encoder",),
    ("api", "pillow_plugin"),
    ("cli.*",),
    ("__init__", "__main__"),
)
# Between the integers of a file and the samples of an image; and what sets PyTorch up.
TORCH = {"siren", "soap", "workers", "fit", "query", "device", "decoder", "function", "encoder"}
TORCH |= {
    "buffers",
    "inspection",
    "compiled_distortion",
    "compiled_rate",
    "context_rate",
    "context_sources",
    "features",
    "native.tensors",
    "loss_terms",
    "pyramid_fit",
    "pyramid_state",
    "recording",
    "stage_view",
    "refinement",
    "latent_trials",
    "soft_round",
    "starting_network",
    "trained_matrices",
}
TORCH |= {"batch_gradient", "tile_gradient", "upsampling", "cli.processes"}

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
    """Modules of the package that a module imports, by their names in ``LAYERS``."""
    names = {name for name in imports(module) if name.split(".")[0] == "sirencodec"}
    return {name.removeprefix("sirencodec.").replace("sirencodec", "__init__") for name in names}


def entry(module: str) -> str | None:
    """Module -> its entry in ``LAYERS``."""
    starred = module.split(".")[0] + ".*"
    return next((name for layer in LAYERS for name in layer if name in (module, starred)), None)


def rank(module: str) -> int:
    return next(index for index, layer in enumerate(LAYERS) if entry(module) in layer)


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_a_layer(module: str) -> None:
    assert entry(module) is not None, f"{module} is new: give it a layer"


def test_every_entry_has_a_module() -> None:
    assert {entry(module) for module in MODULES} == {name for layer in LAYERS for name in layer}
    assert set(MODULES) >= TORCH


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module: str) -> None:
    for imported in package_imports(module):
        same_package = entry(module) == entry(imported) and "*" in str(entry(module))
        assert same_package or rank(imported) < rank(module), f"{module} imports {imported}"


def test_no_circles() -> None:
    graph = {module: package_imports(module) for module in MODULES}
    list(graphlib.TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("module", sorted(set(MODULES) - TORCH))
def test_torch_stays_on_its_side(module: str) -> None:
    assert "torch" not in {name.split(".")[0] for name in imports(module)}


@pytest.mark.parametrize(
    "call",
    ["sirencodec.read_info(path)", "import PIL.Image; PIL.Image.open(path).close()"],
    ids=["read_info", "Pillow"],
)
def test_a_header_is_read_without_torch(call: str) -> None:
    code = f"import sys, sirencodec; path = sys.argv[1]; {call}; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code, str(GOLDEN)], check=True)


@pytest.mark.parametrize("module", ["entropy.payload", "container", "info"])
def test_the_exact_side_needs_no_torch(module: str) -> None:
    code = f"import sys, sirencodec.{module}; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("module", MODULES)
def test_nothing_runs_what_it_reads(module: str) -> None:
    assert not FORBIDDEN_MODULES & {name.split(".")[0] for name in imports(module)}
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Call):
            assert ast.unparse(node.func) not in FORBIDDEN_CALLS
            keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            assert keywords.get("shell", "False") == "False"
            assert keywords.get("allow_pickle", "False") == "False"
