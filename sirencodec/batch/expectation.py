"""Image and options of an encode -> about how many bytes the file will have."""

import math
from typing import Final

from sirencodec.config import EncodeConfig
from sirencodec.fitting.profile import choose_profile
from sirencodec.fitting.pyramid.forecast import foreseen_bytes
from sirencodec.fitting.pyramid.plan_settings import ForecastSettings, PlanSettings
from sirencodec.fitting.target import BELIEVED_PSNR_DB, Kind, Target
from sirencodec.image.image import Image

SMALLEST_BYTES: Final = 47  # of a file with a network of a dozen weights
# From so many pixels on a score takes the bytes that it would take as a pyramid.
SCORED_PIXELS: Final = 4096


def expected_bytes(image: Image, config: EncodeConfig) -> int:
    """Image and options -> as many bytes as were asked for, or as the fit would begin with.

    Takes a tenth of a second for a megapixel. Metadata is not counted.
    """
    target = Target.of(config, image.width, image.height)
    if target.budget_bytes is not None:
        return max(SMALLEST_BYTES, int(target.budget_bytes))
    foreseen = foreseen_bytes(target, image.samples, ForecastSettings())
    if choose_profile(config.profile, foreseen, PlanSettings()) == "pyramid":
        return foreseen
    return max(SMALLEST_BYTES, _pure_bytes(image, target, foreseen))


def _pure_bytes(image: Image, target: Target, foreseen: int) -> int:
    """Image, target and bytes of a pyramid -> about as many as a network alone takes.

    A score of a tiny picture is had as soon as its PSNR makes it believed; the larger the picture,
    the more it takes what scores of photographs do. Of 14 thumbnails and crops of photographs, 96
    to 4,096 pixels, one has four times fewer, the others are within a factor of 2.9; what a pyramid
    takes was wrong by up to 11.
    """
    if target.kind is not Kind.SCORE:
        return foreseen
    lowest, highest = BELIEVED_PSNR_DB
    believed = Target(Kind.PSNR, lowest + (highest - lowest) * target.value / 100)
    least = min(foreseen, foreseen_bytes(believed, image.samples, ForecastSettings()))
    share = min(1.0, math.sqrt(image.width * image.height / SCORED_PIXELS))
    return round(math.pow(least, 1 - share) * math.pow(foreseen, share))
