"""Values and the original -> mean squared error: what PSNR measures."""

from typing import ClassVar

from torch import Tensor

from sirencodec.fitting.loss.pixel.measure import Score


class SquaredError:
    """Mean of squared differences; values are not clamped, as an error beyond the range is one."""

    better: ClassVar[int] = -1

    def __init__(self, targets: Tensor) -> None:
        """Keep the original, (channels, height, width)."""
        self._targets = targets

    def __call__(self, values: Tensor) -> Score:
        """Values -> number and gradient."""
        difference = values - self._targets
        value = difference.square().mean().item()
        return Score(value, difference.mul_(2 / difference.numel()))

    def value(self, values: Tensor) -> float:
        """Values -> number alone."""
        return (values - self._targets).square().mean().item()
