"""Batch of points -> mean squared error and its gradient, each core taking its share."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import torch
from torch import Tensor

from sirencodec.fitting.loss.backpropagation import Backpropagation
from sirencodec.fitting.pure.pixel_targets import PixelTargets
from sirencodec.synthesis.network import Layers
from sirencodec.synthesis.threads import Workers

MIN_PIECE_POINTS: Final = 512  # below this, handing over costs more than the arithmetic


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
        self, layers: Sequence[Tensor], points: Tensor, targets: PixelTargets, batch: Tensor
    ) -> tuple[float, Layers]:
        """Network and batch -> mean squared error, and its gradient with respect to each layer.

        Both are means over the batch's points and channels.

        Args:
            layers: augmented matrices.
            points: (3, n) from ``augment``, all there are.
            targets: values wanted there, and what errors count for.
            batch: (batch_points,) int64 indices of the points to look at.
        """

        def run(piece: int) -> tuple[Tensor, Layers]:
            chosen = batch[self._bounds[piece] : self._bounds[piece + 1]]
            roots = targets.weight_roots
            return self._pieces[piece](
                layers,
                points[:, chosen],
                targets.values[:, chosen],
                None if roots is None else roots[:, chosen],
            )

        parts = self._workers.map(run, range(len(self._pieces)))
        count = len(batch) * len(targets.values)
        loss = sum(float(part_loss) for part_loss, _ in parts) / count
        gradients = [
            torch.stack(layer_parts).sum(0).div_(count)
            for layer_parts in zip(*(gradient for _, gradient in parts), strict=True)
        ]
        return loss, gradients
