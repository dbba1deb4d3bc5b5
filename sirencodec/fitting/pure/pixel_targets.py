"""Image, and the network as it is -> what its batches of pixels are to come near.

That is the image, as long as squared error is all there is. For a blend of measures (``Blend``) the
whole picture is looked at every so many updates, and batches come near the targets that stand for
the blend there. Between two looks a network of some thousand weights moves little. Colour counts by
its alpha, with measures or without (``loss.pixel.alpha``).
"""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from sirencodec.fitting.loss.pixel.alpha import has_alpha, premultiplied
from sirencodec.fitting.loss.pixel.blend import Blend
from sirencodec.fitting.loss.pixel.blend_settings import BlendSettings
from sirencodec.synthesis.network import evaluate
from sirencodec.synthesis.threads import Workers

CHUNK_POINTS: Final = 4_096  # whose activations stay in a core's second-level cache


class PixelTargets:
    """What each pixel should be, and how much that counts.

    Attributes:
        values: (channels, pixels) values wanted.
        weight_roots: (channels, pixels) square roots of what squared errors count for; None for 1.
        squared_error: mean of the last picture looked at; None before, and where none is looked at.
    """

    def __init__(
        self, image: Tensor, points: Tensor, settings: BlendSettings, workers: Workers
    ) -> None:
        """Begin with the image itself.

        Args:
            image: (channels, height, width) values, 0 to 1.
            points: (3, pixels) from ``augment``, where the network is asked for it.
            settings: of the blend.
            workers: threads to share the work among.
        """
        self._image, self._points, self._workers = image, points, workers
        self.values, self.weight_roots = image.flatten(1), None
        self.squared_error: float | None = None
        self._blend: Blend | None = None
        if settings.shares or has_alpha(image):
            self._blend = Blend(image, settings, workers)
            if self._blend.weights is not None:
                self.weight_roots = self._blend.weights.flatten(1).sqrt()

    def renew(self, layers: Sequence[Tensor]) -> None:
        """Look at the whole picture of a network, and aim at what the blend would have of it."""
        if self._blend is None:
            return
        values = self._picture(layers)
        error = premultiplied(values) - premultiplied(self._image)
        self.squared_error = error.square().mean().item()
        self.values = self._blend.targets(values).flatten(1)

    def _picture(self, layers: Sequence[Tensor]) -> Tensor:
        """Network -> (channels, height, width) values."""
        starts = range(0, self._points.shape[1], CHUNK_POINTS)
        chunks = self._workers.map(
            lambda start: evaluate(layers, self._points[:, start : start + CHUNK_POINTS]), starts
        )
        return torch.cat(chunks, 1).view_as(self._image)
