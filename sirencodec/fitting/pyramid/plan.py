"""How much work a pyramid's fit is: stages, steps, trials and corrections."""

import math
from dataclasses import dataclass

# Rounded latents are tried a level away once for so many steps of the last stage, within bounds; a
# pass takes as long as some ten of them (LOG.md, entry 22).
STEPS_PER_TRIAL = 200
MOST_TRIALS = 6

# What a bit of shipped matrices counts for, relative to one of latents, where that is worth an
# error of 1 a pixel: it goes with the root of lambda, and more in a longer fit, by the root
# of its steps, for it has more time to stray (LOG.md, entries 24 to 26).
MATRICES_BIT_WEIGHT = 52.0
LONG_FIT_STEPS = 950

CORRECTION_SHARE = 0.06  # of the last stage's steps, in each correction
FEWEST_CORRECTION_STEPS = 30
# Where on the cosine, and in noise and temperature, a correction sets in: its steps go through the
# rest at half the stage's pace, or from here. Long fits must not be stirred up (LOG.md, entry 19).
CORRECTION_PACE = 0.5
EARLIEST_CORRECTION_START = 0.75


@dataclass(frozen=True, slots=True)
class PyramidPlan:
    """How much work to put into a fit, and what for.

    Attributes:
        stages: (octaves the image is reduced by, steps), in order; the last one at full size.
        lambda_: error that a bit a pixel is worth; where to start if there is a target.
        seed: of initialisation and noise.
        budget_bits: what the payload may take, lambda following; None if that is fixed.
        psnr_db: quality to reach, likewise.
        adapted_layers: how many layers of the context networks, from the last, become the image's
            own; the others stay as shipped and cost nothing.
    """

    stages: tuple[tuple[int, int], ...]
    lambda_: float
    seed: int
    budget_bits: float | None = None
    psnr_db: float | None = None
    adapted_layers: int = 1

    def matrices_bit_weight(self, lambda_: float) -> float:
        """What a bit of shipped matrices counts for, relative to one of latents."""
        times_as_long = max(1.0, self.stages[-1][1] / LONG_FIT_STEPS)
        return MATRICES_BIT_WEIGHT * math.sqrt(lambda_ * times_as_long)

    @property
    def trial_passes(self) -> int:
        """How often to try rounded latents a level away, after the last stage."""
        return min(max(1, self.stages[-1][1] // STEPS_PER_TRIAL), MOST_TRIALS)

    @property
    def correction_steps(self) -> int:
        """Steps of a correction."""
        return max(FEWEST_CORRECTION_STEPS, round(CORRECTION_SHARE * self.stages[-1][1]))

    @property
    def correction_start(self) -> float:
        """Where in the schedule a correction sets in, 0 to 1."""
        part = self.correction_steps / (CORRECTION_PACE * self.stages[-1][1])
        return max(EARLIEST_CORRECTION_START, 1 - part)

    @property
    def correction_latent_share(self) -> float:
        """Part of the latents' rate in a correction: less, the later it sets in (LOG.md, 21)."""
        return (1 - self.correction_start) / (1 - EARLIEST_CORRECTION_START)
