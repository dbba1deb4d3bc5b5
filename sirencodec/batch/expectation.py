"""Image and options of an encode -> about how many bytes the file will have."""

from sirencodec.config import EncodeConfig
from sirencodec.fitting.pyramid.forecast import foreseen_bytes
from sirencodec.fitting.pyramid.plan_settings import ForecastSettings
from sirencodec.fitting.target import Target
from sirencodec.image.image import Image


def expected_bytes(image: Image, config: EncodeConfig) -> int:
    """Image and options -> as many bytes as were asked for, or as the fit would begin with.

    Takes a tenth of a second for a megapixel. Metadata is not counted.
    """
    target = Target.of(config, image.width, image.height)
    if target.budget_bytes is not None:
        return int(target.budget_bytes)
    return foreseen_bytes(target, image.samples, ForecastSettings())
