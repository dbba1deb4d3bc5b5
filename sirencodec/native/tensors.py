"""PyTorch's tensors -> what compiled kernels are told of them."""

import ctypes
from collections.abc import Sequence

import torch
from torch import Tensor

from sirencodec.native.library import Kernels, Layer, double_kernels, single_kernels


def kernels_for(dtype: torch.dtype, device_type: str) -> Kernels | None:
    """Precision and type of device -> the kernels that this processor runs fastest, if any."""
    if device_type != "cpu":
        return None
    found = {torch.float32: single_kernels, torch.float64: double_kernels}.get(dtype, tuple)()
    return next(iter(found), None)


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
