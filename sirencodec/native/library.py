"""Compiled loops of fitting and coding, on a CPU.

A step of a fit is a few hundred operations for every pixel. As single tensor operations they stream
through memory again and again; here a row of pixels goes through all of them while it is in the
cache (benchmarks/LOG.md, entry 18). The C sources beside this file are compiled when the package is
installed. Where there was no compiler, NumPy and PyTorch do the same.

One kernel is on the exact side of the seam, ``predict``: it carries integers in double precision,
whose sums have no rounding in any order. No other has a say in what a file means.
"""

import ctypes
from collections.abc import Iterator
from functools import lru_cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any, Final

STRIP: Final = 64  # columns that kernels round up to; what they are given has room for them
LARGEST_DEPTH: Final = 8  # layers of a network

# Level of x86-64 that the processor has -> suffixes of what it can run, fastest first.
_SINGLE: Final = {4: ("_single_v4", "_single_v3", "_single"), 3: ("_single_v3", "_single")}
_EXACT: Final = {4: ("_exact_v4", "_exact_v3", "_double"), 3: ("_exact_v3", "_double")}


class Layer(ctypes.Structure):
    """``struct layer`` of rows.h."""

    _fields_ = (
        ("weights", ctypes.c_void_p),
        ("gradient", ctypes.c_void_p),
        ("outputs", ctypes.c_long),
        ("inputs", ctypes.c_long),
    )


class UpsamplingTask(ctypes.Structure):
    """``struct upsampling_task`` of upsampling.h."""

    _fields_ = (
        ("grid", ctypes.c_void_p),
        ("grid_slope", ctypes.c_void_p),
        ("exponent", ctypes.c_long),
        ("kernels", ctypes.c_void_p),
        ("kernel_slopes", ctypes.c_void_p),
        ("feature", ctypes.c_void_p),
        ("row", ctypes.c_long),
        ("height", ctypes.c_long),
        ("width", ctypes.c_long),
        ("memory", ctypes.c_void_p),
    )


class DistortionTask(ctypes.Structure):
    """``struct distortion_task`` of distortion.h."""

    _fields_ = (
        ("features", ctypes.c_void_p),
        ("slopes", ctypes.c_void_p),
        ("slopes_below", ctypes.c_void_p),
        ("targets", ctypes.c_void_p),
        ("errors", ctypes.c_void_p),
        ("feature_plane", ctypes.c_long),
        ("slope_plane", ctypes.c_long),
        ("below_plane", ctypes.c_long),
        ("target_plane", ctypes.c_long),
        ("feature_row", ctypes.c_long),
        ("target_row", ctypes.c_long),
        ("x", ctypes.c_void_p),
        ("y", ctypes.c_void_p),
        ("rows", ctypes.c_long),
        ("columns", ctypes.c_long),
        ("num_features", ctypes.c_long),
        ("num_refined", ctypes.c_long),
        ("convolutions", ctypes.c_void_p),
        ("layers", ctypes.c_void_p),
        ("depth", ctypes.c_long),
    )


class PredictionTask(ctypes.Structure):
    """``struct prediction_task`` of prediction.h."""

    _fields_ = (
        ("sources", ctypes.c_void_p),
        ("plane", ctypes.c_long),
        ("row", ctypes.c_long),
        ("num_sources", ctypes.c_long),
        ("rows", ctypes.c_long),
        ("columns", ctypes.c_long),
        ("layers", ctypes.c_void_p),
        ("depth", ctypes.c_long),
        ("scales", ctypes.c_void_p),
        ("largest", ctypes.c_double),
        ("outputs", ctypes.c_void_p),
    )


@lru_cache
def softening_task(real: type[ctypes.c_float] | type[ctypes.c_double]) -> type[ctypes.Structure]:
    """``struct softening_task`` of softening.h, whose last fields are numbers of a precision."""

    class SofteningTask(ctypes.Structure):
        _fields_ = (
            ("values", ctypes.c_void_p),
            ("noise", ctypes.c_void_p),
            ("softened", ctypes.c_void_p),
            ("slope", ctypes.c_void_p),
            ("count", ctypes.c_long),
            ("temperature", real),
            ("amplitude", real),
        )

    return SofteningTask


@lru_cache
def rate_task(real: type[ctypes.c_float] | type[ctypes.c_double]) -> type[ctypes.Structure]:
    """``struct rate_task`` of rate.h, likewise."""

    class RateTask(ctypes.Structure):
        _fields_ = (
            ("sources", ctypes.c_void_p),
            ("slopes", ctypes.c_void_p),
            ("lengths", ctypes.c_void_p),
            ("plane", ctypes.c_long),
            ("row", ctypes.c_long),
            ("length_row", ctypes.c_long),
            ("num_sources", ctypes.c_long),
            ("top", ctypes.c_long),
            ("bottom", ctypes.c_long),
            ("columns", ctypes.c_long),
            ("layers", ctypes.c_void_p),
            ("depth", ctypes.c_long),
            ("weight", real),
            ("smallest_log_scale", real),
            ("largest_log_scale", real),
            ("smallest_probability", real),
        )

    return RateTask


class Kernels:
    """The compiled functions of a fit, in one precision.

    Attributes:
        name: of precision and instruction set, such as "single_v4".
        softening_task, rate_task: what two of them are told.
    """

    def __init__(
        self,
        library: ctypes.CDLL,
        suffix: str,
        real: type[ctypes.c_float] | type[ctypes.c_double],
    ) -> None:
        """Find them by their names' suffix."""
        self.name = suffix.lstrip("_")
        self.softening_task, self.rate_task = softening_task(real), rate_task(real)
        self.rate = _function(library, f"rate{suffix}", None)
        self.distortion = _function(library, f"distortion{suffix}", ctypes.c_double)
        self.upsampling_memory = _function(library, f"upsampling_memory{suffix}", ctypes.c_long)
        self.upsample = _function(library, f"upsample{suffix}", None)
        self.upsampling_gradient = _function(library, f"upsampling_gradient{suffix}", None)
        self.soften = _function(library, f"soften{suffix}", None)


@lru_cache
def single_kernels() -> tuple[Kernels, ...]:
    """Those in single precision that this processor can run, fastest first; none if not built."""
    return tuple(
        Kernels(library, suffix, ctypes.c_float)
        for library, suffix in _variants("rate", _SINGLE, "_single")
    )


@lru_cache
def double_kernels() -> tuple[Kernels, ...]:
    """The one set in double precision, for any processor; none if not built."""
    library = find_library()
    return () if library is None else (Kernels(library, "_double", ctypes.c_double),)


@lru_cache
def predictors() -> tuple[Any, ...]:
    """Functions of a ``PredictionTask`` that this processor can run, fastest first."""
    return tuple(
        _function(library, f"predict{suffix}", ctypes.c_int)
        for library, suffix in _variants("predict", _EXACT, "_double")
    )


def _variants(
    name: str, by_level: dict[int, tuple[str, ...]], plain: str
) -> Iterator[tuple[ctypes.CDLL, str]]:
    """The library, and suffixes with which a function of this name was built and can be run."""
    library = find_library()
    if library is not None:
        for suffix in by_level.get(_function(library, "level", ctypes.c_int)(), (plain,)):
            if hasattr(library, f"sirencodec_{name}{suffix}"):
                yield library, suffix


def _function(library: ctypes.CDLL, name: str, result: Any) -> Any:
    function = library[f"sirencodec_{name}"]
    function.restype = result
    return function


@lru_cache
def find_library() -> ctypes.CDLL | None:
    """The compiled library beside this file, if it was built."""
    for suffix in EXTENSION_SUFFIXES:
        path = Path(__file__).with_name(f"compiled{suffix}")
        if path.exists():
            return ctypes.CDLL(str(path))
    return None


def rounded_up(columns: int) -> int:
    """Columns -> whole strips of them."""
    return -(-columns // STRIP) * STRIP
