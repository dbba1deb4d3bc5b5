"""An appraisal that holds its image as floats."""

from collections.abc import Sequence

import torch
from torch import Tensor

from sirencodec.fitting.loss.pixel.alpha import has_alpha, premultiplied
from sirencodec.fitting.loss.pixel.blend import Blend
from sirencodec.fitting.loss.pixel.blend_settings import BlendSettings
from sirencodec.fitting.loss.pixel.score import Judge
from sirencodec.fitting.loss.terms import Shown, distortion_of, mean_error
from sirencodec.fitting.loss.values import psnr_db
from sirencodec.synthesis.threads import Workers


class WholeAppraisal:
    """An ``Appraisal`` that holds its image as floats."""

    def __init__(
        self,
        image: Tensor,
        exponents: Sequence[int],
        layers: Sequence[Tensor],
        blend: BlendSettings,
        workers: Workers,
    ) -> None:
        """See ``appraisal_of``."""
        self.distortion = distortion_of(image, exponents, layers, workers)
        self._image, self._workers = image, workers
        self._blend: Blend | None = None
        self._judge: Judge | None = None  # made when it is asked
        self.room = image.new_empty(0)
        if blend.shares or has_alpha(image):
            self._blend = Blend(image, blend, workers)
            self.room = image.new_empty(image.shape)
            self.distortion.set_targets(image, self._blend.weights)

    @property
    def renews(self) -> bool:
        """See ``Appraisal``."""
        return self._blend is not None

    def renew(self, curvature: float = 1.0) -> float:
        """See ``Appraisal``."""
        return self._renew(self.room, curvature)

    def follow(self, shown: Shown, curvature: float) -> float:
        """See ``Appraisal``."""
        return self._renew(self.distortion.values(*shown), curvature)

    def error(self, shown: Shown) -> float:
        """See ``Appraisal``."""
        return mean_error(self.distortion, shown, is_sampled=True)

    def squared_error(self, shown: Shown) -> float:
        """See ``Appraisal``."""
        if self._blend is None:
            return mean_error(self.distortion, shown)
        values = self.distortion.values(*shown)
        return self._difference(values).square().mean(dtype=torch.float64).item()

    def score(self, shown: Shown) -> float:
        """See ``Appraisal``."""
        if self._blend is None or not self._blend.has_measures:
            return psnr_db(self.squared_error(shown))
        return self._blend.score(self.distortion.values(*shown))

    def ssimulacra2(self, shown: Shown) -> float:
        """See ``Appraisal``."""
        if self._judge is None:
            self._judge = Judge(self._image, self._workers)
        return self._judge.score(self.distortion.values(*shown))

    def largest_error(self, shown: Shown) -> float:
        """See ``Appraisal``."""
        return self._difference(self.distortion.values(*shown).clamp(0, 1)).abs().max().item()

    def _renew(self, values: Tensor, curvature: float) -> float:
        if self._blend is None:
            raise TypeError("squared error needs no targets but the image")
        squared_error = self._difference(values).square().mean().item()
        self.distortion.set_targets(*self._blend.surrogate(values, curvature))
        return squared_error

    def _difference(self, values: Tensor) -> Tensor:
        return premultiplied(values) - premultiplied(self._image)
