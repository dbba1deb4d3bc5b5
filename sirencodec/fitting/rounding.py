"""Matrices -> what a decoder will rebuild of them."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sirencodec.bitstream.format import LARGEST_LEVEL
from sirencodec.bitstream.quantize import STEP_SIZES


def difference(matrix: Tensor, base: Tensor | None) -> npt.NDArray[np.float64]:
    """Matrix, and what it is coded as a difference from, if so -> the numbers to quantise."""
    numbers: npt.NDArray[np.float64] = (
        (matrix if base is None else matrix - base).double().cpu().numpy()
    )
    return numbers


def round_matrix(matrix: Tensor, index: int, base: Tensor | None = None) -> Tensor:
    """Matrix, index of a step and base -> base + step * round((matrix - base) / step).

    Args:
        matrix: exact.
        index: of the step.
        base: what the matrix is coded as a difference from; None stands for zeros.
    """
    step = float(STEP_SIZES[index])
    exact = matrix if base is None else matrix - base
    rounded = torch.round(exact / step).clamp_(-LARGEST_LEVEL, LARGEST_LEVEL).mul_(step)
    return rounded if base is None else rounded.add_(base)
