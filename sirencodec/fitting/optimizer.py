"""What moves parameters against their gradients, whichever method it is."""

from collections.abc import Callable, Sequence
from typing import Protocol

from torch import Tensor


class Optimizer(Protocol):
    """Moves the parameters that it was made for, in place."""

    def update(self, gradients: Sequence[Tensor], learning_rates: Sequence[float]) -> None:
        """Move each parameter by about its learning rate.

        Args:
            gradients: one a parameter, of its shape.
            learning_rates: one a parameter.
        """


MakeOptimizer = Callable[[Sequence[Tensor]], Optimizer]  # of parameters
