"""Progress of a fit -> how far an update goes, how hard latents are rounded, what bits weigh."""

import math
from dataclasses import dataclass

from sirencodec.fitting.pyramid.settings import ScheduleSettings
from sirencodec.fitting.schedule import cosine, linear, warmth


@dataclass(frozen=True, slots=True)
class Pace:
    """What one update goes by.

    Attributes:
        temperature: of soft rounding; at 1 values hardly change, at 0 they are whole.
        amplitude: standard deviation of the noise in it, in levels.
        bit_weight: what a bit counts for, relative to lambda.
        network_rate: learning rate of the network.
        latent_rate: levels for a gradient as large as its grid's root mean square.
    """

    temperature: float
    amplitude: float
    bit_weight: float
    network_rate: float
    latent_rate: float


@dataclass(frozen=True, slots=True)
class Schedule:
    """The pace of every update of a fit."""

    settings: ScheduleSettings

    def latent_share(self, lambda_: float) -> float:
        """Lambda -> factor on the latents' rate: sqrt(far_lambda / lambda), but not below 1.

        The effect of a level goes with the root of lambda, and latents grow as it falls.
        """
        return math.sqrt(max(1.0, self.settings.far_lambda / lambda_))

    def pace(
        self, progress: float, update: int, stage: tuple[int, int], latent_share: float = 1.0
    ) -> Pace:
        """Where a fit is -> what its next update goes by.

        Rates are (final_share + (1 - final_share) * cosine(progress)) of their largest, and rise
        linearly over the first updates of a stage. Temperature and amplitude go linearly from their
        first value to their last.

        Args:
            progress: of the whole fit, 0 to 1.
            update: of the stage, from 0.
            stage: octaves that its image is reduced by, and updates it has.
            latent_share: of the latents' usual rate.
        """
        settings, (octaves, updates) = self.settings, stage
        share = settings.final_share + (1 - settings.final_share) * cosine(progress)
        longest = settings.longest_warm_up * updates
        network_share = share * warmth(
            update, max(1.0, min(settings.network_warm_up_updates, longest))
        )
        if octaves:
            network_share *= settings.reduced_network_share
        latent_rate = latent_share * settings.latent_rate * 2.0**octaves * share
        return Pace(
            temperature=linear(settings.temperatures, progress),
            amplitude=linear(settings.amplitudes, progress),
            bit_weight=self.bit_weight(progress),
            network_rate=network_share * settings.network_rate,
            latent_rate=latent_rate * warmth(update, settings.warm_up_updates),
        )

    def bit_weight(self, progress: float) -> float:
        """Progress of a fit, 0 to 1 -> weight of a bit: 1 + extra_bit_weight * left^power."""
        left = 1 - progress
        return 1 + self.settings.extra_bit_weight * left**self.settings.bit_weight_power
