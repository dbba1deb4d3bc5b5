"""Name of a measure -> the measure of an image, compiled where that is possible."""

from collections.abc import Callable, Sequence
from typing import Final

import torch
from torch import Tensor

from sirencodec.fitting.loss.pixel.measure import Measure, SwathMeasure
from sirencodec.fitting.loss.pixel.ms_ssim_native import NativeMsSsim
from sirencodec.fitting.loss.pixel.ms_ssim_swaths import SwathMsSsim
from sirencodec.fitting.loss.pixel.ms_ssim_torch import TorchMsSsim
from sirencodec.fitting.loss.pixel.ssimulacra2_native import NativeSsimulacra2
from sirencodec.fitting.loss.pixel.ssimulacra2_swaths import SwathSsimulacra2
from sirencodec.fitting.loss.pixel.ssimulacra2_torch import TorchSsimulacra2
from sirencodec.fitting.loss.pixel.swaths import CutImage, Swath
from sirencodec.fitting.loss.pixel.visible_error import SwathVisibleError, VisibleError
from sirencodec.native.measures import MeasureLoops
from sirencodec.native.tensors import loops_for
from sirencodec.synthesis.threads import Workers

_COMPILED: Final[dict[str, Callable[[Tensor, Workers, MeasureLoops], Measure]]] = {
    "ssimulacra2": NativeSsimulacra2,
    "ms-ssim": NativeMsSsim,
}
_IN_PYTORCH: Final[dict[str, Callable[[Tensor, Workers], Measure]]] = {
    "ssimulacra2": lambda targets, _: TorchSsimulacra2(targets),
    "ms-ssim": lambda targets, _: TorchMsSsim(targets),
    "visible-error": VisibleError,
}
_BY_SWATHS: Final[dict[str, Callable[[CutImage], SwathMeasure]]] = {
    "ssimulacra2": SwathSsimulacra2,
    "ms-ssim": SwathMsSsim,
    "visible-error": SwathVisibleError,
}
NAMES: Final = tuple(_IN_PYTORCH)


def measure_of(name: str, targets: Tensor, workers: Workers) -> Measure:
    """Name and original -> measure.

    Args:
        name: one of ``NAMES``.
        targets: (channels, height, width), see ``Measure``.
        workers: threads to share the work among, on a CPU.

    Raises:
        KeyError: if there is no such measure.
    """
    loops = loops_for(targets.dtype, targets.device.type)
    if loops is not None and name in _COMPILED:
        return _COMPILED[name](targets, workers, MeasureLoops(loops))
    return _IN_PYTORCH[name](targets, workers)


def swath_measure_of(
    name: str, shape: tuple[int, int, int], swaths: Sequence[Swath], workers: Workers
) -> SwathMeasure:
    """Name and image -> measure that is shown a swath at a time, on a CPU with compiled loops.

    Args:
        name: one of ``NAMES``.
        shape: channels, height and width of the image.
        swaths: of it.
        workers: threads to share the work among.

    Raises:
        KeyError: if there is no such measure.
        ValueError: if nothing was compiled.
    """
    like = torch.empty(0)
    loops = loops_for(like.dtype, "cpu")
    if loops is None:
        raise ValueError("measures go by swaths only where their loops are compiled")
    return _BY_SWATHS[name](CutImage(shape, swaths, like, workers, MeasureLoops(loops)))
