"""Tensors -> what compiled loops are told of them."""

import ctypes
from collections.abc import Sequence

import torch
from torch import Tensor

from sirencodec.native.library import Loops, double_loops, single_loops
from sirencodec.native.tasks import Layer


def loops_for(dtype: torch.dtype, device_type: str) -> Loops | None:
    """Precision and type of device -> the loops that this processor runs fastest; None if none."""
    if device_type != "cpu":
        return None
    found = {torch.float32: single_loops, torch.float64: double_loops}.get(dtype, tuple)()
    return next(iter(found), None)


def address(tensor: Tensor | None, *index: int) -> int | None:
    """Tensor and an element's place in it -> the element's address; None for no tensor."""
    if tensor is None:
        return None
    offset = sum(at * stride for at, stride in zip(index, tensor.stride(), strict=False))
    return tensor.data_ptr() + offset * tensor.element_size()


def describe_layers(
    weights: Sequence[Tensor], gradients: Sequence[Tensor | None]
) -> ctypes.Array[Layer]:
    """Matrices and where their gradients go -> array of ``struct layer``.

    Args:
        weights: (outputs, inputs + 1) each, contiguous, a column of biases last.
        gradients: of the same shapes, contiguous, added to; None for those not wanted.

    The array holds addresses: both must outlive it.
    """
    layers = [
        Layer(address(matrix), address(gradient), matrix.shape[0], matrix.shape[1] - 1)
        for matrix, gradient in zip(weights, gradients, strict=True)
    ]
    return (Layer * len(layers))(*layers)
