"""Target, image and effort -> network and grids of a pyramid, and how much work its fit is."""

import math
from dataclasses import dataclass, field

import numpy as np

from sirencodec.bitstream.architecture import Architecture
from sirencodec.fitting.pyramid.forecast import Spectrum
from sirencodec.fitting.pyramid.plan_settings import PlanSettings
from sirencodec.fitting.pyramid.settings import PyramidSettings
from sirencodec.fitting.pyramid.target_settings import SearchSettings
from sirencodec.fitting.target import Kind, Target
from sirencodec.image.samples import Samples


@dataclass(frozen=True, slots=True)
class PyramidPlan:
    """How much work to put into a fit, and what for.

    Attributes:
        stages: (octaves the image is reduced by, updates), in order; the last one at full size.
        lambda_: mean squared error, values being 0 to 1, that a bit a pixel is worth; where to
            start if there is a target.
        seed: of initialisation and noise.
        target: what the payload must meet, lambda following; None if lambda is fixed.
        settings: hyper-parameters.
        peak: largest number of the image's samples.
        num_pixels: of the image.
    """

    stages: tuple[tuple[int, int], ...]
    lambda_: float
    seed: int
    target: Target | None = None
    settings: PyramidSettings = field(default_factory=PyramidSettings)
    peak: int = 255
    num_pixels: int = 2**19

    @property
    def exact_psnr_db(self) -> float:
        """PSNR from which on a picture decodes to the image's very samples."""
        return exact_psnr_db(self.peak, self.settings.search)

    @property
    def last_updates(self) -> int:
        """Updates of the last stage."""
        return self.stages[-1][1]

    def matrices_bit_weight(self, lambda_: float) -> float:
        """Lambda -> what a bit of shipped matrices counts for, relative to one of latents.

        bit_weight * sqrt(lambda * max(1, updates / long_fit_updates)).
        """
        settings = self.settings.matrices
        times_as_long = max(1.0, self.last_updates / settings.long_fit_updates)
        return settings.bit_weight * math.sqrt(lambda_ * times_as_long)

    @property
    def rdoq_passes(self) -> int:
        """How often RDOQ goes through all latents after the last stage."""
        settings = self.settings.rdoq
        return min(max(1, self.last_updates // settings.updates_per_pass), settings.most_passes)

    @property
    def correction_updates(self) -> int:
        """Updates of a correction."""
        settings, updates = self.settings.correction, self.last_updates
        fewest = min(settings.fewest_updates, settings.largest_share * updates)
        return max(1, round(max(fewest, settings.updates_share * updates)))

    @property
    def correction_start(self) -> float:
        """Where in the schedule a correction sets in, 0 to 1."""
        settings = self.settings.correction
        part = self.correction_updates / (settings.pace * self.last_updates)
        return max(self._earliest_correction_start, 1 - part)

    @property
    def _earliest_correction_start(self) -> float:
        """Where a correction of so many updates sets in at the earliest."""
        settings = self.settings.correction
        short = max(0.0, 1 - self.correction_updates / settings.fewest_updates)
        return settings.earliest_start - short * settings.earlier_if_short

    @property
    def correction_latent_share(self) -> float:
        """Part of the latents' rate in a correction: less, the later it sets in."""
        return (1 - self.correction_start) / (1 - self._earliest_correction_start)


def exact_psnr_db(peak: int, settings: SearchSettings) -> float:
    """Largest number of samples -> PSNR from which on a picture decodes to the very samples."""
    return 20 * math.log10(peak / settings.exact_levels)


def plan_pyramid_architecture(channels: int, settings: PlanSettings) -> Architecture:
    """Channels -> network and grids."""
    return Architecture(
        settings.hidden_features,
        settings.hidden_layers,
        channels,
        1,
        settings.grids,
        settings.prior,
    )


def plan_pyramid(
    target: Target, samples: Samples, effort: int, seed: int, settings: PyramidSettings
) -> PyramidPlan:
    """Target, image and effort -> the work to do and what for.

    Args:
        target: said of the payload. Lambda begins above the one that is foreseen to meet it.
        samples: (height, width, channels) uint8 or uint16.
        effort: 0 to 9.
        seed: of all randomness.
        settings: hyper-parameters.
    """
    stages = plan_stages(samples.shape[0] * samples.shape[1], effort, settings.plan)
    spectrum = Spectrum(samples, settings.forecast)
    peak = int(np.iinfo(samples.dtype).max)
    usual = _usual_share(target, settings) * spectrum.lambda_for(target)
    foreseen = max(usual, _least_lambda(spectrum, peak, settings))
    surplus = settings.plan.surplus_per_bpp * spectrum.bpp(foreseen)
    first = foreseen * (1 + min(settings.plan.largest_surplus, surplus))
    return PyramidPlan(stages, first, seed, target, settings, peak, spectrum.num_pixels)


def _usual_share(target: Target, settings: PyramidSettings) -> float:
    """Target -> lambda that usually meets it, relative to that of squared error."""
    is_blend = target.kind is Kind.SIZE and bool(settings.blend.shares)
    return settings.forecast.blend_share if is_blend else 1.0


def _least_lambda(spectrum: Spectrum, peak: int, settings: PyramidSettings) -> float:
    """Image and its largest number -> lambda that a fit does not begin below.

    Latents that were filled in vain hardly empty again, while a search fills them soon enough. So a
    fit begins no lower than where ``sure_psnr_db`` is foreseen. On flat pictures that is so at any
    lambda, and a bit must not be worth more error than an exact picture has.
    """
    exact_error = 10 ** (-exact_psnr_db(peak, settings.search) / 10)
    sure = spectrum.lambda_for(Target(Kind.PSNR, settings.forecast.sure_psnr_db))
    return min(sure, spectrum.num_pixels * exact_error)


def plan_stages(
    num_pixels: int, effort: int, settings: PlanSettings
) -> tuple[tuple[int, int], ...]:
    """Image size and effort -> octaves that the image is reduced by and updates, in order."""
    return stages_of(num_pixels, settings.effort_updates[effort], settings)


def stages_of(
    num_pixels: int, relative: float, settings: PlanSettings
) -> tuple[tuple[int, int], ...]:
    """The same for so many updates, relative to those of effort 4."""
    size_share = min(1.0, math.sqrt(settings.usual_pixels / num_pixels))
    as_small = math.sqrt(settings.small_pixels / num_pixels)
    size_share *= min(max(1.0, as_small), settings.most_for_small)
    share = relative * size_share
    reduced = min(1.0, share**settings.reduced_exponent)
    return tuple(
        (octaves, max(settings.fewest_updates, round(updates * (reduced if octaves else share))))
        for octaves, updates in settings.stages
    )
