"""Numbers -> numbers drawn towards the nearest whole ones, with the derivative.

Rounding has no useful gradient. Its soft form (Agustsson and Theis 2020, section 4.1) is the
identity at high temperature, a staircase at zero, and exact at whole numbers and halves throughout.
"""

import ctypes
import math
from itertools import pairwise

import torch
from torch import Tensor

from sirencodec.native.library import Loops
from sirencodec.native.tensors import address, loops_for
from sirencodec.synthesis.threads import Workers


def soft_round(values: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Values -> softly rounded values, and their derivative with respect to the values.

    floor(v) + 1/2 + tanh((v - floor(v) - 1/2) / t) / (2 tanh(1 / (2 t))) at the temperature t.

    Args:
        values: any shape.
        temperature: above 0; at 1 hardly rounded, at 0.1 almost fully.
    """
    floor = torch.floor(values)
    curve = (values - floor).sub_(0.5).div_(temperature).tanh_()
    height = 0.5 / math.tanh(0.5 / temperature)
    derivative = curve.square().neg_().add_(1).mul_(height / temperature)
    return floor.add_(0.5).add_(curve, alpha=height), derivative


def soften(
    values: Tensor, noise: Tensor, temperature: float, amplitude: float, workers: Workers
) -> tuple[Tensor, Tensor]:
    """Values -> soft_round(soft_round(values) + amplitude * noise), and its derivative.

    Args:
        values: (count,).
        noise: (count,).
        temperature: of both roundings, above 0; at 1 hardly rounded, at 0.1 almost fully.
        amplitude: factor on the noise.
        workers: threads to share the work among.
    """
    loops = loops_for(values.dtype, values.device.type)
    if loops is not None:
        return _soften_compiled(values, noise, temperature, amplitude, workers, loops)
    once, derivative = soft_round(values, temperature)
    twice, again = soft_round(once.add_(noise, alpha=amplitude), temperature)
    return twice, derivative.mul_(again)


def _soften_compiled(
    values: Tensor,
    noise: Tensor,
    temperature: float,
    amplitude: float,
    workers: Workers,
    loops: Loops,
) -> tuple[Tensor, Tensor]:
    softened, derivative = torch.empty_like(values), torch.empty_like(values)
    bounds = [len(values) * part // workers.count for part in range(workers.count + 1)]

    def run(part: tuple[int, int]) -> None:
        start, stop = part
        pointers = [address(tensor, start) for tensor in (values, noise, softened, derivative)]
        task = loops.softening_task(*pointers, stop - start, temperature, amplitude)
        loops.soften(ctypes.byref(task))

    workers.map(run, list(pairwise(bounds)))
    return softened, derivative
