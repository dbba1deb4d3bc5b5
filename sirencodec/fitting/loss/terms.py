"""The two terms of the loss D + weight * R, and which implementation computes them.

Compiled loops do on a CPU, where they were built; PyTorch does anywhere else.
"""

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor

from sirencodec.fitting.loss.costs import ContextNetwork, Distortion, Rate
from sirencodec.fitting.loss.distortion_native import NativeDistortion
from sirencodec.fitting.loss.distortion_torch import TorchDistortion
from sirencodec.fitting.loss.rate_native import NativeRate
from sirencodec.fitting.loss.rate_torch import TorchRate
from sirencodec.native.tasks import LARGEST_DEPTH
from sirencodec.native.tensors import loops_for
from sirencodec.synthesis.threads import Workers


class DistortionTerm(Protocol):
    """D, the distance of a picture from one image."""

    def __call__(
        self,
        layers: Sequence[Tensor],
        kernels: Tensor,
        grids: Sequence[Tensor],
        refinement: Sequence[Tensor] = (),
    ) -> Distortion:
        """What a picture is made of -> its error and the gradient of that.

        Args:
            layers: augmented matrices; inputs are x, y and a feature a grid.
            kernels: (octaves, 4), of no octaves if the only grid is the finest.
            grids: (rows, columns) latents, finest first.
            refinement: its two matrices; none for features as they are.
        """
        ...

    def errors(
        self,
        layers: Sequence[Tensor],
        kernels: Tensor,
        grids: Sequence[Tensor],
        refinement: Sequence[Tensor] = (),
    ) -> Tensor:
        """The same arguments -> (height, width) errors of pixels, means over channels.

        Their mean is D. A third of the work of a call with its gradient.
        """
        ...


class RateTerm(Protocol):
    """R, the bits of pyramids of one shape."""

    def __call__(
        self,
        grids: Sequence[Tensor],
        context_networks: Sequence[ContextNetwork],
        weight: float,
        trained_layers: int = 1,
    ) -> Rate:
        """Latents and context networks -> bits and the gradient of weight * R.

        Args:
            grids: (rows, columns) latents, finest first.
            context_networks: one a phase.
            weight: of a bit in the loss; 0 for bits that count for nothing.
            trained_layers: how many layers of each network, from the last, get a gradient.
        """
        ...

    def code_lengths(
        self, grids: Sequence[Tensor], context_networks: Sequence[ContextNetwork]
    ) -> list[Tensor]:
        """The same arguments -> (rows, columns) bits a grid, of each latent.

        Less than half the work of a call with its gradient.
        """
        ...


def distortion_of(
    targets: Tensor, exponents: Sequence[int], layers: Sequence[Tensor], workers: Workers
) -> DistortionTerm:
    """Image wanted and exponents of grids -> the distance from that image.

    Args:
        targets: (channels, height, width) values, 0 to 1.
        exponents: of the grids, rising.
        layers: networks will be shaped like this.
        workers: threads to share the work among.
    """
    loops = loops_for(targets.dtype, targets.device.type)
    if loops is None or len(layers) > LARGEST_DEPTH:
        return TorchDistortion(targets, exponents, layers)
    return NativeDistortion(targets, exponents, workers, loops)


def rate_of(
    exponents: Sequence[int], shapes: Sequence[tuple[int, int]], like: Tensor, workers: Workers
) -> RateTerm:
    """Exponents and shapes of grids -> the bits of their latents.

    Args:
        exponents: consecutive, rising.
        shapes: (rows, columns) of each grid.
        like: dtype and device to compute with.
        workers: threads to share the work among.
    """
    loops = loops_for(like.dtype, like.device.type)
    if loops is None:
        return TorchRate(exponents, shapes, like)
    return NativeRate(exponents, shapes, like, workers, loops)
