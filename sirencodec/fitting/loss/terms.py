"""The two terms of the loss D + bit_error * B, and which implementation computes them.

Compiled loops do on a CPU, where they were built; PyTorch does anywhere else.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor

from sirencodec.fitting.loss.bands_native import SMALL_PIXELS
from sirencodec.fitting.loss.costs import ContextNetwork, Distortion, Gradient, Rate
from sirencodec.fitting.loss.distortion_native import NativeDistortion
from sirencodec.fitting.loss.distortion_torch import TorchDistortion
from sirencodec.fitting.loss.pixel_rows import RowSink
from sirencodec.fitting.loss.rate_native import NativeRate
from sirencodec.fitting.loss.rate_pieces import PieceRate
from sirencodec.fitting.loss.rate_torch import TorchRate
from sirencodec.native.tasks import LARGEST_DEPTH
from sirencodec.native.tensors import loops_for
from sirencodec.synthesis.threads import Workers

Shown = tuple[Sequence[Tensor], Tensor, Sequence[Tensor], Sequence[Tensor]]
"""What a picture is made of: layers, kernels, grids and refinement, as a distortion takes them."""


class DistortionTerm(Protocol):
    """D, the weighted squared distance of a picture from one image.

    With values v, targets t and weights w of N = channels * height * width samples,

        D = 1/N sum w (v - t)^2

    Everything that a picture is made of travels as the same four arguments:

    * layers: augmented matrices; inputs are x, y and a feature a grid;
    * kernels: (octaves, 4), of no octaves if the only grid is the finest;
    * grids: (rows, columns) latents, finest first;
    * refinement: its two matrices; none for features as they are.

    A loss of another kind stands on the two halves, ``values`` and ``gradient``, or on a surrogate:
    where it has gradient G at values v0, D with weights w and targets v0 - N G / (2 w) has the same
    gradient there, and follows the picture from update to update.
    """

    def set_targets(self, targets: Tensor, weights: Tensor | None = None) -> None:
        """Replace what later calls compare with; nothing is allocated anew.

        Args:
            targets: (channels, height, width) values, of any range.
            weights: (channels or 1, height, width), not negative; None for 1 everywhere.
        """
        ...

    def __call__(
        self,
        layers: Sequence[Tensor],
        kernels: Tensor,
        grids: Sequence[Tensor],
        refinement: Sequence[Tensor] = (),
        values: Tensor | RowSink | None = None,
    ) -> Distortion:
        """What a picture is made of -> D and its gradient, both halves in one pass.

        Where ``values``, (channels, height, width), is given, it is filled with the picture's own;
        or whoever takes rows gets them.
        """
        ...

    def values(
        self,
        layers: Sequence[Tensor],
        kernels: Tensor,
        grids: Sequence[Tensor],
        refinement: Sequence[Tensor] = (),
    ) -> Tensor:
        """The forward half: what a picture is made of -> (channels, height, width) values.

        A third of the work of a call with its gradient.
        """
        ...

    def gradient(
        self,
        value_gradient: Tensor,
        layers: Sequence[Tensor],
        kernels: Tensor,
        grids: Sequence[Tensor],
        refinement: Sequence[Tensor] = (),
    ) -> Gradient:
        """The backward half: a loss's gradient with respect to values -> to all they come from.

        ``value_gradient`` is (channels, height, width); targets and weights have no say. The values
        are computed again on the way, row by row, so this takes as long as a call. No fit calls it
        today, for measures go by renewed targets (``pixel.blend``): it is the seam for a loss that
        no squared error can stand in for, and tests hold it to autograd.
        """
        ...

    def errors(
        self,
        layers: Sequence[Tensor],
        kernels: Tensor,
        grids: Sequence[Tensor],
        refinement: Sequence[Tensor] = (),
    ) -> Tensor:
        """What a picture is made of -> (height, width) errors of pixels, whose mean is D.

        Of a pixel, the mean of w (v - t)^2 over its channels. A third of the work of a call.
        """
        ...

    def errors_by_rows(
        self,
        layers: Sequence[Tensor],
        kernels: Tensor,
        grids: Sequence[Tensor],
        refinement: Sequence[Tensor] = (),
        *,
        is_sampled: bool = False,
    ) -> Iterator[tuple[int, Tensor]]:
        """The same, the first row and (rows, width) errors of some rows after others.

        If so, a sample of the rows may do, which stands for all.
        """
        ...


class RateTerm(Protocol):
    """B, the bits of pyramids of one shape."""

    def __call__(
        self,
        grids: Sequence[Tensor],
        context_networks: Sequence[ContextNetwork],
        bit_error: float,
        trained_layers: int = 1,
    ) -> Rate:
        """Latents and context networks -> bits and the gradient of bit_error * B.

        Args:
            grids: (rows, columns) latents, finest first.
            context_networks: one a phase.
            bit_error: error that a bit is worth, not negative; at 0 the gradient is zero.
            trained_layers: how many layers of each network, from the last, get a gradient.
        """
        ...

    def bits(
        self,
        grids: Sequence[Tensor],
        context_networks: Sequence[ContextNetwork],
        *,
        is_sampled: bool = False,
    ) -> float:
        """Latents and context networks -> B; of large grids by a sample of their rows, if so."""
        ...

    def code_lengths(
        self, grids: Sequence[Tensor], context_networks: Sequence[ContextNetwork]
    ) -> list[Tensor]:
        """Latents and context networks -> (rows, columns) bits of each latent, a grid each.

        Less than half the work of a call with its gradient.
        """
        ...

    def code_lengths_by_rows(
        self, grids: Sequence[Tensor], context_networks: Sequence[ContextNetwork], count: int
    ) -> Iterator[tuple[int, int, Tensor]]:
        """The same of the first ``count`` grids: grid, first row, (rows, columns) bits."""
        ...


def mean_error(distortion: DistortionTerm, shown: Shown, *, is_sampled: bool = False) -> float:
    """Picture -> D, or about so much by a sample of its rows."""
    total, count = 0.0, 0
    for _, errors in distortion.errors_by_rows(*shown, is_sampled=is_sampled):
        total += float(errors.sum(dtype=torch.float64))
        count += errors.numel()
    return total / count


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
    if max(rows * columns for rows, columns in shapes) > SMALL_PIXELS:
        return PieceRate(exponents, shapes, like, workers, loops)
    return NativeRate(exponents, shapes, like, workers, loops)
