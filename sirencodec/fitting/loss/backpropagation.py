"""Points and a sine network -> values; a gradient with respect to values -> one to its layers.

With augmented matrices A_l (``synthesis.network``), points h_0 and rows of ones under every h:

    z_l = A_l [h_(l-1); 1]      h_l = sin(z_l)      values = z_last

Let d_l be the derivative of a number with respect to z_l. The chain rule runs backwards:

    with respect to A_l:   d_l [h_(l-1); 1]^T
    d_(l-1) = (W_l^T d_l) * cos(z_(l-1))        W_l: A_l without its column of biases

The gradient is written out rather than left to autograd. A few thousand points at a time through
the same buffers it is several times as fast on a CPU (benchmarks/LOG.md, entry 1).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from sirencodec.synthesis.network import Layers


class Backpropagation:
    """A network over batches of so many points, forwards and backwards.

    Holds the buffers of one batch, so that update after update runs in the same memory: allocating
    them anew would take a third of the time.
    """

    def __init__(self, layers: Sequence[Tensor], num_points: int) -> None:
        """Make buffers for networks shaped like ``layers`` and batches of ``num_points``."""
        like = layers[0]
        outputs = [layer.shape[0] for layer in layers]
        # Activations end in a row of ones, which the next layer's bias multiplies.
        self._activations = [like.new_ones(rows + 1, num_points) for rows in outputs[:-1]]
        self._cosines = [like.new_empty(rows, num_points) for rows in outputs[:-1]]
        self._values = like.new_empty(outputs[-1], num_points)
        # Two buffers taken in turn: a layer's gradient is done with when the next one's is made.
        self._phase_gradients = [like.new_empty(outputs[0], num_points) for _ in range(2)]
        self._first_phase_gradient = self._phase_gradients[0]

    def __call__(
        self,
        layers: Sequence[Tensor],
        points: Tensor,
        targets: Tensor,
        weight_roots: Tensor | None = None,
    ) -> tuple[Tensor, Layers]:
        """Batch -> sum of weighted squared errors and its gradient with respect to each layer.

        Args:
            layers: augmented matrices.
            points: (inputs + 1, n), the last row ones, as from ``augment``.
            targets: (channels, n) values wanted there.
            weight_roots: square roots of weights, (n,) or (channels, n); None for 1.
        """
        values = self.values(layers, points)
        error = to_squared_error_gradient(values, targets, weight_roots)
        return error, self.gradient(layers, points, values)

    def values(self, layers: Sequence[Tensor], points: Tensor) -> Tensor:
        """Points -> (channels, n) values, in a buffer that the next batch overwrites."""
        inputs = points
        for layer, activation, phase in zip(layers, self._activations, self._cosines, strict=False):
            torch.mm(layer, inputs, out=phase)
            torch.sin(phase, out=activation[:-1])
            phase.cos_()  # the phase itself is not needed any more
            inputs = activation
        return torch.mm(layers[-1], inputs, out=self._values)

    def gradient(self, layers: Sequence[Tensor], points: Tensor, value_gradient: Tensor) -> Layers:
        """Gradient with respect to values -> with respect to each layer.

        The values are those of the last call of ``values``, with the same layers and points.

        Args:
            layers: augmented matrices.
            points: (inputs + 1, n).
            value_gradient: (channels, n).
        """
        gradient = value_gradient
        gradients: Layers = []
        for index in range(len(layers) - 1, 0, -1):
            gradients.append(gradient @ self._activations[index - 1].t())
            weights = layers[index][:, :-1]
            gradient = torch.mm(weights.t(), gradient, out=self._phase_gradients[index % 2])
            gradient.mul_(self._cosines[index - 1])
        gradients.append(gradient @ points.t())
        self._first_phase_gradient = gradient
        return gradients[::-1]

    def inputs_gradient(self, layers: Sequence[Tensor], rows: slice, out: Tensor) -> Tensor:
        """Rows of the points -> the gradient with respect to them, after a call of ``gradient``."""
        return torch.mm(layers[0][:, rows].t(), self._first_phase_gradient, out=out)


def to_squared_error_gradient(
    values: Tensor, targets: Tensor, weight_roots: Tensor | None = None
) -> Tensor:
    """Values -> sum of w (value - target)^2; values become its gradient, 2 w (value - target).

    Args:
        values: (channels, n), overwritten.
        targets: (channels, n).
        weight_roots: square roots of w, (n,) or (channels, n); None for w = 1.
    """
    difference = values.sub_(targets)
    if weight_roots is not None:
        difference.mul_(weight_roots)
    error: Tensor = torch.linalg.vector_norm(difference).square()
    difference.mul_(2)
    if weight_roots is not None:
        difference.mul_(weight_roots)
    return error
