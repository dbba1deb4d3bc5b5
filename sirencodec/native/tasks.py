"""What compiled loops are told: the structures and constants of the C sources, for ctypes.

Fields stand in the order of the C structures. Pointers are addresses; who fills a task keeps what
it points at alive until the loop returns.
"""

import ctypes
from functools import lru_cache
from typing import Final

STRIP: Final = 64  # columns that loops round up to; rows that they are given have room for them
LARGEST_DEPTH: Final = 8  # layers of a network


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
        ("top", ctypes.c_long),
        ("picture_height", ctypes.c_long),
        ("memory", ctypes.c_void_p),
    )


class SynthesisTask(ctypes.Structure):
    """``struct synthesis_task`` of synthesis.h."""

    _fields_ = (
        ("features", ctypes.c_void_p),
        ("values", ctypes.c_void_p),
        ("feature_plane", ctypes.c_long),
        ("feature_row", ctypes.c_long),
        ("value_plane", ctypes.c_long),
        ("value_row", ctypes.c_long),
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


class DistortionTask(ctypes.Structure):
    """``struct distortion_task`` of distortion.h."""

    _fields_ = (
        ("picture", SynthesisTask),
        ("slopes", ctypes.c_void_p),
        ("slopes_below", ctypes.c_void_p),
        ("targets", ctypes.c_void_p),
        ("weights", ctypes.c_void_p),
        ("errors", ctypes.c_void_p),
        ("value_slopes", ctypes.c_void_p),
        ("slope_plane", ctypes.c_long),
        ("below_plane", ctypes.c_long),
        ("target_plane", ctypes.c_long),
        ("target_row", ctypes.c_long),
        ("weight_plane", ctypes.c_long),
        ("value_slope_plane", ctypes.c_long),
        ("value_slope_row", ctypes.c_long),
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
    """``struct rate_task`` of rate.h, whose last fields are numbers of a precision."""

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


def rounded_up(columns: int) -> int:
    """Columns -> whole strips of them."""
    return -(-columns // STRIP) * STRIP
