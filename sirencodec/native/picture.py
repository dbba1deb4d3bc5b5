"""The compiled loops that paint pictures: what they are told, and which there are."""

import ctypes
from functools import lru_cache
from typing import Any, Final

from sirencodec.native.library import SINGLE, find_function, variants

TILE_DOWN: Final = 48  # points of a tile (picture.h)


class LatentGrid(ctypes.Structure):
    """``struct latent_grid`` of picture.h."""

    _fields_ = (
        ("first", ctypes.c_void_p),
        ("rows", ctypes.c_long),
        ("columns", ctypes.c_long),
        ("exponent", ctypes.c_long),
    )


class AxisTask(ctypes.Structure):
    """``struct axis_points`` of picture.h."""

    _fields_ = (
        ("count", ctypes.c_long),
        ("per_cell", ctypes.c_long),
        ("nearest", ctypes.c_void_p),
        ("weights", ctypes.c_void_p),
        ("coordinates", ctypes.c_void_p),
    )


class PictureTask(ctypes.Structure):
    """``struct picture_task`` of picture.h."""

    _fields_ = (
        ("grids", ctypes.c_void_p),
        ("num_grids", ctypes.c_long),
        ("num_refined", ctypes.c_long),
        ("kernels", ctypes.c_void_p),
        ("convolutions", ctypes.c_void_p),
        ("layers", ctypes.c_void_p),
        ("depth", ctypes.c_long),
        ("height", ctypes.c_long),
        ("width", ctypes.c_long),
        ("down", AxisTask),
        ("across", AxisTask),
        ("samples", ctypes.c_void_p),
        ("sample_bytes", ctypes.c_long),
    )


@lru_cache
def single_painters() -> tuple[Any, ...]:
    """Functions of a ``PictureTask`` in single precision that run here, fastest first."""
    return tuple(
        find_function(library, f"paint{suffix}", ctypes.c_int)
        for library, suffix in variants("paint", SINGLE, "_single")
    )


@lru_cache
def double_painters() -> tuple[Any, ...]:
    """Functions of a ``PictureTask`` in double precision that run here."""
    return tuple(
        find_function(library, f"paint{suffix}", ctypes.c_int)
        for library, suffix in variants("paint", {}, "_double")
    )
