"""Name of a measure -> the measure of an image, compiled where that is possible."""

from collections.abc import Callable
from typing import Final

from torch import Tensor

from sirencodec.fitting.loss.pixel.measure import Measure
from sirencodec.fitting.loss.pixel.ms_ssim_native import NativeMsSsim
from sirencodec.fitting.loss.pixel.ms_ssim_torch import TorchMsSsim
from sirencodec.fitting.loss.pixel.ssimulacra2_native import NativeSsimulacra2
from sirencodec.fitting.loss.pixel.ssimulacra2_torch import TorchSsimulacra2
from sirencodec.fitting.loss.pixel.visible_error import VisibleError
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
