"""Processor -> the compiled loops that run fastest on it.

An update of a fit is a few hundred operations for every pixel. As single tensor operations they
stream through memory again and again; a compiled loop takes a row of pixels through all of them
while the row is in the cache. An update then takes two fifths of the time that PyTorch takes
(benchmarks/LOG.md, entry 18). The C sources in ``src`` are compiled when the package is installed.
Where there was no compiler, NumPy and PyTorch do the same.

Those of ``entropy`` are on the exact side of the seam: they compute in integers, or carry them in
double precision, whose sums then have no rounding in any order. No other has a say in what a file
means.
"""

import ctypes
from collections.abc import Iterator
from functools import lru_cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any, Final

from sirencodec.native.tasks import rate_task, softening_task

# Level of x86-64 that the processor has -> suffixes of what it can run, fastest first.
SINGLE: Final = {4: ("_single_v4", "_single_v3", "_single"), 3: ("_single_v3", "_single")}
EXACT: Final = {4: ("_exact_v4", "_exact_v3", "_double"), 3: ("_exact_v3", "_double")}


class Loops:
    """The compiled loops of a fit, in one precision and for one instruction set.

    Attributes:
        name: precision and instruction set, such as "single_v4".
        softening_task, rate_task: structures of this precision that two of the loops are told.
    """

    def __init__(
        self,
        library: ctypes.CDLL,
        suffix: str,
        real: type[ctypes.c_float] | type[ctypes.c_double],
    ) -> None:
        """Look up functions whose names end in ``suffix``; ``real`` is their precision."""
        self.name = suffix.lstrip("_")
        self.softening_task, self.rate_task = softening_task(real), rate_task(real)
        self.rate = find_function(library, f"rate{suffix}", None)
        self.synthesis = find_function(library, f"synthesis{suffix}", ctypes.c_int)
        self.distortion = find_function(library, f"distortion{suffix}", ctypes.c_double)
        self.upsampling_memory = find_function(library, f"upsampling_memory{suffix}", ctypes.c_long)
        self.upsample = find_function(library, f"upsample{suffix}", None)
        self.upsampling_gradient = find_function(library, f"upsampling_gradient{suffix}", None)
        self.soften = find_function(library, f"soften{suffix}", None)


@lru_cache
def single_loops() -> tuple[Loops, ...]:
    """Loops in single precision that this processor can run, fastest first; none if not built."""
    return tuple(
        Loops(library, suffix, ctypes.c_float)
        for library, suffix in variants("rate", SINGLE, "_single")
    )


@lru_cache
def double_loops() -> tuple[Loops, ...]:
    """The one set of loops in double precision, for any processor; none if not built."""
    library = find_library()
    return () if library is None else (Loops(library, "_double", ctypes.c_double),)


def variants(
    name: str, by_level: dict[int, tuple[str, ...]], plain: str
) -> Iterator[tuple[ctypes.CDLL, str]]:
    """The library, and suffixes with which a function of this name was built and can be run."""
    library = find_library()
    if library is not None:
        for suffix in by_level.get(find_function(library, "level", ctypes.c_int)(), (plain,)):
            if hasattr(library, f"sirencodec_{name}{suffix}"):
                yield library, suffix


def find_function(library: ctypes.CDLL, name: str, result: Any) -> Any:
    """Name without its prefix -> the library's function of that name and type of result."""
    function = library[f"sirencodec_{name}"]
    function.restype = result
    return function


@lru_cache
def find_library(folder: Path = Path(__file__).parent) -> ctypes.CDLL | None:
    """The compiled library in a folder, this file's own, if it was built."""
    for suffix in EXTENSION_SUFFIXES:
        path = folder / f"compiled{suffix}"
        if path.exists():
            return ctypes.CDLL(str(path))
    return None
