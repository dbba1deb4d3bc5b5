"""What a fit's picture is made of -> how good it is, and what squared error should come near.

A small image is held whole as floats. Of a large one the samples are, and what a fit finds is kept
in 16 bits: see ``pixel_rows``. Both say the same but for rounding.
"""

from collections.abc import Sequence
from typing import Final, Protocol

import torch
from torch import Tensor

from sirencodec.fitting.loss.appraisal_swaths import SwathAppraisal
from sirencodec.fitting.loss.appraisal_whole import WholeAppraisal
from sirencodec.fitting.loss.pixel.blend_settings import BlendSettings
from sirencodec.fitting.loss.pixel_rows import PixelRows, RowSink, TensorRows
from sirencodec.fitting.loss.terms import DistortionTerm, Shown
from sirencodec.native.tensors import loops_for
from sirencodec.synthesis.threads import Workers

WHOLE_PIXELS: Final = 1 << 19  # images of up to so many are held whole, at 300 bytes each


class Appraisal(Protocol):
    """Judges pictures of one image.

    Attributes:
        distortion: from the image, or from targets that stand for a blend.
        renews: whether targets are to be renewed: they stand for more than squared error.
        room: where the values of a picture go that targets are renewed for.
    """

    @property
    def distortion(self) -> DistortionTerm:
        """From the targets."""
        ...

    @property
    def renews(self) -> bool:
        """Whether targets are to be renewed."""
        ...

    @property
    def room(self) -> Tensor | RowSink:
        """Where values go."""
        ...

    def renew(self, curvature: float = 1.0) -> float:
        """Values in ``room`` -> targets renewed, and their mean squared error."""
        ...

    def follow(self, shown: Shown, curvature: float) -> float:
        """The same for a picture that is made of this."""
        ...

    def error(self, shown: Shown) -> float:
        """Picture -> D, by a sample of its rows where there are many."""
        ...

    def squared_error(self, shown: Shown) -> float:
        """Picture -> mean squared error, colours counted by their alpha."""
        ...

    def score(self, shown: Shown) -> float:
        """Picture -> what the fit is tuned for: the blend's first measure, or PSNR."""
        ...

    def ssimulacra2(self, shown: Shown) -> float:
        """Picture -> its SSIMULACRA2."""
        ...

    def largest_error(self, shown: Shown) -> float:
        """Picture -> largest difference of a value from the image, as a decoder clamps it."""
        ...


def is_large(shape: tuple[int, int, int]) -> bool:
    """Channels, height and width -> whether an image on a CPU goes by swaths."""
    return shape[1] * shape[2] > WHOLE_PIXELS and loops_for(torch.float32, "cpu") is not None


def appraisal_of(
    image: Tensor | PixelRows,
    exponents: Sequence[int],
    layers: Sequence[Tensor],
    blend: BlendSettings,
    workers: Workers,
) -> Appraisal:
    """Image and blend -> who judges pictures of it.

    Args:
        image: (channels, height, width) values, 0 to 1, whole or by rows.
        exponents: of the grids, rising.
        layers: networks will be shaped like this.
        blend: of measures.
        workers: threads to share the work among.
    """
    if not isinstance(image, Tensor):
        return SwathAppraisal(image, exponents, blend, workers)
    if image.device.type == "cpu" and is_large((len(image), *image.shape[1:])):
        return SwathAppraisal(TensorRows(image), exponents, blend, workers)
    return WholeAppraisal(image, exponents, layers, blend, workers)
