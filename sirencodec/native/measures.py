"""What compiled measures of images are told, and where their functions are."""

import ctypes
from typing import Any, Final

from sirencodec.native.library import Loops, find_library

EDGE: Final = 32  # columns of zeros on either side of a plane (blur.h)
NUM_SUMS: Final = 6  # of a piece of a plane (comparison.h)
_PIECE: Final = 128, 256  # rows and columns of it
_LANES: Final = 16  # of the widest vectors, in whole ones of which rows are written

EDGES, STRUCTURE, CONTRAST, SIMILARITY = range(4)  # ``enum kind`` of comparison.h
SUMS, GRADIENT, SURVEY = range(3)  # ``enum part``


class Comparison(ctypes.Structure):
    """``struct comparison`` of comparison.h."""

    _fields_ = (
        ("original", ctypes.c_void_p),
        ("mean", ctypes.c_void_p),
        ("spread", ctypes.c_void_p),
        ("values", ctypes.c_void_p),
        ("slopes", ctypes.c_void_p),
        ("counted", ctypes.c_void_p),
        ("down", ctypes.c_void_p),
        ("across", ctypes.c_void_p),
        ("factors", ctypes.c_void_p),
        ("sums", ctypes.c_void_p),
        ("row", ctypes.c_long),
        ("height", ctypes.c_long),
        ("width", ctypes.c_long),
        ("top", ctypes.c_long),
        ("bottom", ctypes.c_long),
        ("first", ctypes.c_long),
        ("last", ctypes.c_long),
        ("mirrored", ctypes.c_long),
        ("kind", ctypes.c_long),
    )


class XybScale(ctypes.Structure):
    """``struct xyb_scale`` of xyb.h."""

    _fields_ = (
        ("planes", ctypes.c_void_p * 3),
        ("slopes", ctypes.c_void_p * 3),
        ("row", ctypes.c_long),
        ("height", ctypes.c_long),
        ("width", ctypes.c_long),
    )


class XybTask(ctypes.Structure):
    """``struct xyb_task`` of xyb.h."""

    _fields_ = (
        ("values", ctypes.c_void_p),
        ("gradient", ctypes.c_void_p),
        ("plane", ctypes.c_long),
        ("row", ctypes.c_long),
        ("channels", ctypes.c_long),
        ("scales", ctypes.POINTER(XybScale)),
        ("num_scales", ctypes.c_long),
    )


class Halving(ctypes.Structure):
    """``struct halving`` of halving.h."""

    _fields_ = (
        ("fine", ctypes.c_void_p),
        ("coarse", ctypes.c_void_p),
        ("fine_row", ctypes.c_long),
        ("coarse_row", ctypes.c_long),
        ("height", ctypes.c_long),
        ("width", ctypes.c_long),
        ("top", ctypes.c_long),
        ("bottom", ctypes.c_long),
    )


class Clamping(ctypes.Structure):
    """``struct clamping`` of halving.h."""

    _fields_ = (
        ("values", ctypes.c_void_p),
        ("gradient", ctypes.c_void_p),
        ("plane", ctypes.c_void_p),
        ("values_row", ctypes.c_long),
        ("plane_row", ctypes.c_long),
        ("rows", ctypes.c_long),
        ("columns", ctypes.c_long),
    )


class MeasureLoops:
    """The compiled functions of measures, of the precision and instruction set of others."""

    def __init__(self, loops: Loops) -> None:
        """Find them by the others' name."""
        self.compare_images = _function("compare_images", loops, ctypes.c_int)
        self.convert_xyb = _function("convert_xyb", loops, ctypes.c_int)
        self.halve = _function("halve", loops, None)
        self.spread = _function("spread", loops, None)
        self.clamp = _function("clamp", loops, None)


def _function(name: str, loops: Loops, result: Any) -> Any:
    function = getattr(find_library(), f"sirencodec_{name}_{loops.name}")
    function.restype = result
    return function


def pieces_of(height: int, width: int) -> int:
    """Size of a plane -> how many pieces it is compared in."""
    rows, columns = _PIECE
    return -(-height // rows) * -(-width // columns)


def row_length(width: int) -> int:
    """Columns of a plane -> numbers from one of its rows to the next."""
    return EDGE + -(-width // _LANES) * _LANES + EDGE
