"""Batch of points -> mean squared error and its gradient, each core taking its share."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from sirencodec.siren import Backpropagation, Layers
from sirencodec.workers import Workers

MIN_PIECE_POINTS = 512  # below this, handing over costs more than the arithmetic


class BatchGradient:
    """Batch -> mean squared error and its gradient, the points shared among worker threads."""

    def __init__(self, layers: Sequence[Tensor], batch_points: int, workers: Workers) -> None:
        """Make buffers for networks like ``layers`` and batches of ``batch_points``."""
        pieces = max(1, min(workers.count, batch_points // MIN_PIECE_POINTS))
        self._bounds = np.linspace(0, batch_points, pieces + 1).astype(int).tolist()
        self._pieces = [
            Backpropagation(layers, stop - start) for start, stop in pairwise(self._bounds)
        ]
        self._workers = workers

    def __call__(
        self, layers: Sequence[Tensor], points: Tensor, targets: Tensor
    ) -> tuple[float, Layers]:
        """Mean over points and channels; arguments as for ``Backpropagation``."""

        def run(piece: int) -> tuple[Tensor, Layers]:
            span = slice(self._bounds[piece], self._bounds[piece + 1])
            return self._pieces[piece](layers, points[:, span], targets[:, span])

        parts = self._workers.map(run, range(len(self._pieces)))
        count = targets.numel()
        loss = sum(float(part_loss) for part_loss, _ in parts) / count
        gradients = [
            torch.stack(layer_parts).sum(0).div_(count)
            for layer_parts in zip(*(gradient for _, gradient in parts), strict=True)
        ]
        return loss, gradients
