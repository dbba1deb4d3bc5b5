"""Image size, target and effort -> profile, grids and work of a pyramid."""

import math
from typing import Final

from sirencodec.bitstream.architecture import Architecture
from sirencodec.bitstream.format import LARGEST_EXPONENT
from sirencodec.fitting.forecast import Spectrum, lambda_where, likely_matrices_bits
from sirencodec.fitting.pyramid.plan import PyramidPlan
from sirencodec.fitting.target import Target
from sirencodec.image.samples import Samples

# Below this many pixels, or with fewer bytes, the fixed parts of a pyramid (some 500 bytes) leave
# too little for its latents (benchmarks/LOG.md, entry 9).
SMALLEST_PYRAMID_PIXELS: Final = 16_384
SMALLEST_PYRAMID_BYTES: Final = 1_000

HIDDEN_FEATURES: Final = 16
HIDDEN_LAYERS: Final = 1
PRIOR: Final = 1

# Where there is a target, a fit begins above the lambda that is foreseen, by this part of it for
# a bit a pixel: fine grids that are filled too soon never quite empty again, at the cost of up to
# 0.5 dB at high rates. At low ones they are hardly filled, and too much is as bad
# (benchmarks/LOG.md, entries 26 and 27). Above a bit a pixel nothing was measured.
FIRST_SURPLUS_PER_BPP: Final = 0.6
LARGEST_SURPLUS: Final = 0.6

# The lambda at a quality of 60 and the change for one point: a decade in 32, about the bits a
# pixel that the pure profile gives at the same quality.
LAMBDA_AT_60: Final = 0.004
DECADES_PER_POINT: Final = 1 / 32

# Effort -> steps relative to those of effort 4.
EFFORT_STEPS: Final = (0.14, 0.24, 0.4, 0.65, 1.0, 1.7, 2.8, 4.5, 7.4, 12.0)
# Steps at effort 4 by octaves the image is reduced by. First stages place the coarse grids, where a
# step costs a fraction of a full one. Below effort 4 they shrink by this power of the share.
STAGE_STEPS: Final = ((2, 75), (1, 175), (0, 950))
REDUCED_EXPONENT: Final = 0.3
FEWEST_STEPS: Final = 20
# A larger image gets fewer steps, by the square root of its size relative to this.
USUAL_PIXELS: Final = 2**19


def choose_profile(profile: str, target: Target, num_pixels: int) -> str:
    """Profile that was asked for, target and image size -> "pure" or "pyramid"."""
    if profile != "auto":
        return profile
    budget_bytes = target.budget_bytes
    suits = num_pixels >= SMALLEST_PYRAMID_PIXELS and (
        budget_bytes is None or budget_bytes >= SMALLEST_PYRAMID_BYTES
    )
    return "pyramid" if suits else "pure"


def plan_pyramid_architecture(channels: int) -> Architecture:
    """Channels -> network and grids: all there are, whose empty ones cost next to nothing."""
    grids = tuple(range(LARGEST_EXPONENT + 1))
    return Architecture(HIDDEN_FEATURES, HIDDEN_LAYERS, channels, 1, grids, PRIOR)


def plan_pyramid(target: Target, samples: Samples, effort: int, seed: int) -> PyramidPlan:
    """Target, image and effort -> the work to do and what for.

    Args:
        target: said of the payload.
        samples: (height, width, channels) uint8 or uint16.
        effort: 0 to 9.
        seed: of all randomness.
    """
    num_pixels: int = samples.shape[0] * samples.shape[1]
    share = EFFORT_STEPS[effort] * min(1.0, math.sqrt(USUAL_PIXELS / num_pixels))
    reduced = min(1.0, share**REDUCED_EXPONENT)
    stages = tuple(
        (octaves, max(FEWEST_STEPS, round(steps * (reduced if octaves else share))))
        for octaves, steps in STAGE_STEPS
    )
    if target.psnr_db is not None:
        spectrum = Spectrum(samples)
        lambda_ = _first_lambda(spectrum, lambda_where(spectrum.psnr_db, target.psnr_db))
        return PyramidPlan(stages, lambda_, seed, psnr_db=target.psnr_db)
    budget_bits = target.budget_bits
    if budget_bits is None:
        return PyramidPlan(stages, quality_lambda(target.value), seed)
    spectrum = Spectrum(samples)

    def payload_bits(lambda_: float) -> float:
        matrices_bits = likely_matrices_bits(lambda_, num_pixels, budget_bits)
        return spectrum.bpp(lambda_) * num_pixels + matrices_bits

    lambda_ = _first_lambda(spectrum, lambda_where(payload_bits, budget_bits))
    return PyramidPlan(stages, lambda_, seed, budget_bits=budget_bits)


def _first_lambda(spectrum: Spectrum, foreseen: float) -> float:
    """The lambda that is thought to meet a target -> the one to begin with."""
    return foreseen * (1 + min(LARGEST_SURPLUS, FIRST_SURPLUS_PER_BPP * spectrum.bpp(foreseen)))


def quality_lambda(quality: float) -> float:
    """Quality, 0 to 100 -> error that a bit a pixel is worth."""
    lambda_: float = LAMBDA_AT_60 * 10 ** ((60 - quality) * DECADES_PER_POINT)
    return lambda_
