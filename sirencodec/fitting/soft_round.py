"""Numbers -> numbers drawn towards the nearest whole ones, and the derivative of that.

Rounding has no useful gradient. Its soft form (Agustsson and Theis 2020, section 4.1) has one. With
temperature T and f the fraction, x = floor(x) + f,

    s(x)  = floor(x) + 1/2 + tanh((f - 1/2) / T) / (2 tanh(1 / (2 T)))
    s'(x) = (1 - tanh^2((f - 1/2) / T)) / (2 T tanh(1 / (2 T)))

As T falls to 0, s becomes rounding; as T grows, the identity (at T = 1 it is within 0.02 of it).
Whole numbers and halves stay where they are at any T.
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
    """Values x -> s(x) and s'(x).

    Args:
        values: any shape.
        temperature: T, above 0.
    """
    floor = torch.floor(values)
    curve = (values - floor).sub_(0.5).div_(temperature).tanh_()
    height = 0.5 / math.tanh(0.5 / temperature)
    derivative = curve.square().neg_().add_(1).mul_(height / temperature)
    return floor.add_(0.5).add_(curve, alpha=height), derivative


def soften(
    values: Tensor, noise: Tensor, temperature: float, amplitude: float, workers: Workers
) -> tuple[Tensor, Tensor]:
    """Values x and noise n -> y = s(s(x) + amplitude * n), and dy/dx.

    Args:
        values: x, (count,).
        noise: n, (count,), of standard deviation 1; its memory may be what y is in.
        temperature: T of both roundings, above 0.
        amplitude: standard deviation of what is added; 0 is none.
        workers: threads to share the work among.
    """
    loops = loops_for(values.dtype, values.device.type)
    if loops is not None:
        return _soften_native(values, noise, temperature, amplitude, workers, loops)
    once, derivative = soft_round(values, temperature)
    twice, again = soft_round(once.add_(noise, alpha=amplitude), temperature)
    return twice, derivative.mul_(again)


def _soften_native(
    values: Tensor,
    noise: Tensor,
    temperature: float,
    amplitude: float,
    workers: Workers,
    loops: Loops,
) -> tuple[Tensor, Tensor]:
    softened, derivative = noise, torch.empty_like(values)
    bounds = [len(values) * part // workers.count for part in range(workers.count + 1)]

    def run(part: tuple[int, int]) -> None:
        start, stop = part
        pointers = [address(tensor, start) for tensor in (values, noise, softened, derivative)]
        task = loops.softening_task(*pointers, stop - start, temperature, amplitude)
        loops.soften(ctypes.byref(task))

    workers.map(run, list(pairwise(bounds)))
    return softened, derivative
