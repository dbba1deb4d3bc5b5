"""Image and grids -> the two terms of the loss, computed by what is fastest where they are.

That is compiled loops on a CPU, if they were built, and PyTorch anywhere else.
"""

from collections.abc import Sequence

from torch import Tensor

from sirencodec.fitting.loss.distortion_native import CompiledDistortion
from sirencodec.fitting.loss.distortion_torch import TileGradient
from sirencodec.fitting.loss.rate_native import CompiledRate
from sirencodec.fitting.loss.rate_torch import ContextRate
from sirencodec.native.tasks import LARGEST_DEPTH
from sirencodec.native.tensors import loops_for
from sirencodec.synthesis.threads import Workers


def distortion_of(
    targets: Tensor, exponents: Sequence[int], layers: Sequence[Tensor], workers: Workers
) -> CompiledDistortion | TileGradient:
    """Image wanted and exponents of grids -> squared error of what they make.

    Args:
        targets: (channels, height, width) values.
        exponents: of the grids, rising.
        layers: networks will be shaped like this.
        workers: threads to share the work among.
    """
    loops = loops_for(targets.dtype, targets.device.type)
    if loops is None or len(layers) > LARGEST_DEPTH:
        return TileGradient(targets, exponents, layers)
    return CompiledDistortion(targets, exponents, workers, loops)


def rate_of(
    exponents: Sequence[int], shapes: Sequence[tuple[int, int]], like: Tensor, workers: Workers
) -> CompiledRate | ContextRate:
    """Exponents and shapes of grids -> bits of their latents.

    Args:
        exponents: consecutive, rising.
        shapes: (rows, columns) of each grid.
        like: dtype and device to compute with.
        workers: threads to share the work among.
    """
    loops = loops_for(like.dtype, like.device.type)
    if loops is None:
        return ContextRate(exponents, shapes, like)
    return CompiledRate(exponents, shapes, like, workers, loops)
