"""The compiled loops that decode: what they are told, and which there are."""

import ctypes
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sirencodec.native.library import EXACT, find_function, find_library, variants

NUM_TABLES: Final = 640
NUM_RESIDUALS: Final = 511

NONE, IMPOSSIBLE, ENDS_EARLY, NO_MEMORY, NOT_CANONICAL = range(5)  # ``enum fault``


class RangeDecoder(ctypes.Structure):
    """``struct range_decoder`` of range_decoder.c."""

    _fields_ = (
        ("bytes", ctypes.c_void_p),
        ("size", ctypes.c_int64),
        ("next", ctypes.c_int64),
        ("by_words", ctypes.c_int64),
        ("may_end", ctypes.c_int64),
        ("lower", ctypes.c_uint64),
        ("range", ctypes.c_uint64),
        ("point", ctypes.c_uint64),
    )


class LatentSource(ctypes.Structure):
    """``struct latent_source`` of prediction.h."""

    _fields_ = (
        ("first", ctypes.c_void_p),
        ("row", ctypes.c_long),
        ("step", ctypes.c_long),
        ("shift", ctypes.c_long),
        ("top", ctypes.c_long),
        ("bottom", ctypes.c_long),
        ("left", ctypes.c_long),
        ("right", ctypes.c_long),
    )


class PhaseTask(ctypes.Structure):
    """``struct phase_task`` of prediction.h."""

    _fields_ = (
        ("sources", ctypes.c_void_p),
        ("num_sources", ctypes.c_long),
        ("top", ctypes.c_long),
        ("bottom", ctypes.c_long),
        ("left", ctypes.c_long),
        ("right", ctypes.c_long),
        ("layers", ctypes.c_void_p),
        ("depth", ctypes.c_long),
        ("scales", ctypes.c_void_p),
        ("largest", ctypes.c_double),
        ("wholes", ctypes.c_void_p),
        ("tables", ctypes.c_void_p),
    )


class ResidualTask(ctypes.Structure):
    """``struct residual_task`` of range_decoder.c."""

    _fields_ = (
        ("decoder", ctypes.c_void_p),
        ("cumulative", ctypes.c_void_p),
        ("wholes", ctypes.c_void_p),
        ("tables", ctypes.c_void_p),
        ("rows", ctypes.c_long),
        ("columns", ctypes.c_long),
        ("first", ctypes.c_void_p),
        ("row", ctypes.c_long),
        ("step", ctypes.c_long),
    )


class StreamLoops:
    """The compiled functions of streams, for any processor."""

    def __init__(self, library: ctypes.CDLL) -> None:
        """Look them up."""
        self.begin = find_function(library, "begin_stream", None)
        self.decode_symbols = find_function(library, "decode_symbols", ctypes.c_int)
        self.decode_residuals = find_function(library, "decode_residuals", ctypes.c_int)
        self.finish = find_function(library, "finish_stream", ctypes.c_int)
        tables = np.empty((NUM_TABLES, NUM_RESIDUALS + 1), np.uint32)
        find_function(library, "residual_tables", None)(ctypes.c_void_p(tables.ctypes.data))
        tables.setflags(write=False)
        self.residual_tables: npt.NDArray[np.uint32] = tables


@lru_cache
def stream_loops() -> StreamLoops | None:
    """The compiled functions of streams, with all tables of residuals; None if not built."""
    library = find_library()
    return None if library is None else StreamLoops(library)


@lru_cache
def phase_predictors() -> tuple[Any, ...]:
    """Functions of a ``PhaseTask`` that this processor can run, fastest first."""
    return tuple(
        find_function(library, f"predict_phase{suffix}", ctypes.c_int)
        for library, suffix in variants("predict_phase", EXACT, "_double")
    )
