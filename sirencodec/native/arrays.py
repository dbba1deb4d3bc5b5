"""NumPy arrays -> what compiled loops are told of them."""

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sirencodec.native.tasks import Layer

Array = npt.NDArray[Any]


def address(array: Array | None) -> int | None:
    """Array -> address of its first element; None for no array."""
    return None if array is None else array.ctypes.data


def describe_layers(weights: Sequence[Array]) -> ctypes.Array[Layer]:
    """Contiguous (outputs, inputs + 1) matrices, biases last -> array of ``struct layer``.

    The array holds addresses: the matrices must outlive it.
    """
    layers = [Layer(address(each), None, each.shape[0], each.shape[1] - 1) for each in weights]
    return (Layer * len(layers))(*layers)


def contiguous(array: Array, dtype: npt.DTypeLike) -> Array:
    """Array -> the same numbers of another type, row by row without gaps."""
    return np.ascontiguousarray(array, dtype=dtype)
