"""Values and the original -> squared error as eyes weigh it: light over colour, coarse over fine.

    value = mean over pixels and channels of e . W e,    W = (1 - s + s B) (I + w a a^T)

where e is the error, a a pixel's weights of red, green and blue in its light (BT.601), w what an
error of light counts more than one of colour, and B a blur: 1/16 (1 4 6 4 1) along either axis, a
Gaussian of one pixel's deviation. A wave of f cycles a pixel so counts about
1 - s + s exp(-2 (pi f)^2), as what eyes tell apart falls with its frequency. AVIF's tuning for eyes
weighs by frequency and channel, too; nothing here is its tables or PSNR-HVS's.
"""

import math
from typing import ClassVar, Final

import torch
from torch import Tensor

from sirencodec.fitting.loss.pixel.measure import Score
from sirencodec.fitting.loss.pixel.swaths import CutImage, Swath
from sirencodec.synthesis.threads import Workers

LIGHT: Final = (0.299, 0.587, 0.114)
LIGHT_WEIGHT: Final = 9.0  # w
BLURRED_SHARE: Final = 0.8  # s
TIMES: Final = 2  # that (1 2 1) / 4 is applied along an axis


class VisibleError:
    """The error of images against one original; see ``Measure``. Values are not clamped."""

    better: ClassVar[int] = -1

    def __init__(self, targets: Tensor, workers: Workers) -> None:
        """Keep the original, and threads that take a channel each."""
        self._targets, self._workers = targets, workers
        light = targets.new_tensor(LIGHT if len(targets) == 3 else (3**-0.5,))  # of gray as three
        self._mix = torch.eye(len(light)).to(targets) + LIGHT_WEIGHT * torch.outer(light, light)

    def __call__(self, values: Tensor) -> Score:
        """Values -> number and gradient."""
        error = values - self._targets
        weighted = self.weighted(error)
        value = torch.dot(error.flatten(), weighted.flatten()).item() / error.numel()
        return Score(value, weighted.mul_(2 / error.numel()))

    def value(self, values: Tensor) -> float:
        """Values -> number alone."""
        return self(values).value

    def weighted(self, error: Tensor) -> Tensor:
        """(channels, height, width) e -> W e."""
        weighted = torch.einsum("ij,jhw->ihw", self._mix, error).contiguous()

        def blur(channel: int) -> None:
            plane = weighted[channel]
            plane.copy_(torch.lerp(plane, blurred(plane), BLURRED_SHARE))

        self._workers.map(blur, range(len(weighted)))
        return weighted


class SwathVisibleError:
    """The same of an image that is shown a swath at a time; see ``SwathMeasure``."""

    better: ClassVar[int] = -1

    def __init__(self, image: CutImage) -> None:
        """Make room."""
        self._measure = VisibleError(image.like.new_zeros(image.shape[0], 1, 1), image.workers)
        self._count, self._total = math.prod(image.shape), 0.0

    def look(self, swath: Swath, values: Tensor, original: Tensor) -> None:
        """See ``SwathMeasure``."""
        error = (values - original)[:, swath.top - swath.first : swath.bottom - swath.first]
        product = error * self._weighted(swath, values, original)
        self._total += float(product.sum(dtype=torch.float64))

    def settle(self) -> float:
        """See ``SwathMeasure``."""
        total, self._total = self._total, 0.0
        return total / self._count

    def gradient(self, swath: Swath, values: Tensor, original: Tensor) -> Tensor:
        """See ``SwathMeasure``."""
        return self._weighted(swath, values, original).mul_(2 / self._count)

    def _weighted(self, swath: Swath, values: Tensor, original: Tensor) -> Tensor:
        """W e in the swath's own rows, whose blur reaches no further than what it sees."""
        whole = self._measure.weighted(values - original)
        return whole[:, swath.top - swath.first : swath.bottom - swath.first]


def blurred(plane: Tensor) -> Tensor:
    """(height, width) -> the same, blurred; edges are mirrored, so that B is symmetric."""
    for axis in (0, 1):
        for _ in range(TIMES):
            plane = _smoothed(plane, axis)
    return plane


def _smoothed(plane: Tensor, axis: int) -> Tensor:
    """Plane -> (1 2 1) / 4 along an axis, what is next to the edge being the edge again."""
    rest, total = plane.shape[axis] - 1, plane * 0.5
    for to, source, length in ((1, 0, rest), (0, 0, 1), (0, 1, rest), (rest, rest, 1)):
        total.narrow(axis, to, length).add_(plane.narrow(axis, source, length), alpha=0.25)
    return total
