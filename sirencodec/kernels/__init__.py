"""Compiled loops of a pyramid's fit, for single precision on a CPU.

A step of a fit is a few hundred operations for every pixel. As single tensor operations they stream
through memory again and again; here a row of pixels goes through all of them while it is in the
cache, which takes a quarter of the time (benchmarks/LOG.md, entry 18). The C sources beside this
file are compiled when the package is installed. Where there was no compiler, the same is computed
by PyTorch (``tile_gradient``, ``context_rate``), as it is on CUDA.

Everything the kernels compute is on the approximate side of the seam: no decoded symbol depends on
it.
"""

import ctypes
from collections.abc import Sequence
from functools import lru_cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

STRIP: Final = 64  # columns that kernels round up to; what they are given has room for them
LARGEST_DEPTH: Final = 8  # layers of a network

# Instruction set, as PyTorch names it -> suffixes of what it can run, fastest first.
_SINGLE: Final = ("_single",)
_VARIANTS: Final = {
    "AVX512": ("_single_v4", "_single_v3", *_SINGLE),
    "AVX2": ("_single_v3", *_SINGLE),
}
_REALS: Final = {torch.float32: ctypes.c_float, torch.float64: ctypes.c_double}


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


@lru_cache
def softening_task(dtype: torch.dtype) -> type[ctypes.Structure]:
    """``struct softening_task`` of softening.h, likewise."""
    real = _REALS[dtype]

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
def rate_task(dtype: torch.dtype) -> type[ctypes.Structure]:
    """``struct rate_task`` of rate.h, whose last fields are numbers of a precision."""
    real = _REALS[dtype]

    class RateTask(ctypes.Structure):
        _fields_ = (
            ("sources", ctypes.c_void_p),
            ("slopes", ctypes.c_void_p),
            ("plane", ctypes.c_long),
            ("row", ctypes.c_long),
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
    """The compiled functions for one precision."""

    def __init__(self, library: ctypes.CDLL, suffix: str) -> None:
        """Find them by their names' suffix."""
        self.rate = self._function(library, f"sirencodec_rate{suffix}", None)
        self.distortion = self._function(library, f"sirencodec_distortion{suffix}", ctypes.c_double)
        self.upsampling_memory = self._function(
            library, f"sirencodec_upsampling_memory{suffix}", ctypes.c_long
        )
        self.upsample = self._function(library, f"sirencodec_upsample{suffix}", None)
        self.upsampling_gradient = self._function(
            library, f"sirencodec_upsampling_gradient{suffix}", None
        )

        self.soften = self._function(library, f"sirencodec_soften{suffix}", None)

    @staticmethod
    def _function(library: ctypes.CDLL, name: str, result: Any) -> Any:
        function = library[name]
        function.restype = result
        return function


@lru_cache
def kernels_for(dtype: torch.dtype, device_type: str) -> Kernels | None:
    """Precision and type of device -> the kernels that this processor runs fastest, if any."""
    return next(iter(all_kernels(dtype)), None) if device_type == "cpu" else None


@lru_cache
def all_kernels(dtype: torch.dtype) -> tuple[Kernels, ...]:
    """Precision -> the kernels that this processor can run, fastest first; none if not built."""
    library = find_library()
    if library is None or dtype not in _REALS:
        return ()
    suffixes: tuple[str, ...] = ("_double",)
    if dtype == torch.float32:
        suffixes = _VARIANTS.get(torch.backends.cpu.get_cpu_capability(), ("_single",))
    return tuple(
        Kernels(library, suffix)
        for suffix in suffixes
        if hasattr(library, f"sirencodec_rate{suffix}")
    )


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


def address(tensor: Tensor | None, *index: int) -> int | None:
    """Tensor and an element's place in it -> where that lies in memory; None for no tensor."""
    if tensor is None:
        return None
    offset = sum(at * stride for at, stride in zip(index, tensor.stride(), strict=False))
    return tensor.data_ptr() + offset * tensor.element_size()


def describe_layers(
    weights: Sequence[Tensor], gradients: Sequence[Tensor | None]
) -> ctypes.Array[Layer]:
    """Matrices with a column of biases, and where their gradients go -> what kernels are told.

    Both must be contiguous, and outlive what is told of them.
    """
    layers = [
        Layer(address(matrix), address(gradient), matrix.shape[0], matrix.shape[1] - 1)
        for matrix, gradient in zip(weights, gradients, strict=True)
    ]
    return (Layer * len(layers))(*layers)
