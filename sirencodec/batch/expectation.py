"""Image and options of an encode -> about how many bytes the file will have."""

from sirencodec.config import EncodeConfig
from sirencodec.fitting.pyramid.forecast import Spectrum, lambda_where, likely_matrices_bits
from sirencodec.fitting.pyramid.plan import quality_lambda
from sirencodec.fitting.settings import Settings
from sirencodec.fitting.target import OVERHEAD_BYTES, PYRAMID_BYTES, Target
from sirencodec.image.image import Image


def expected_bytes(image: Image, config: EncodeConfig) -> int:
    """Image and options -> as many bytes as were asked for, or as the fit would begin with.

    Takes a tenth of a second for a megapixel. Metadata is not counted.
    """
    num_pixels = image.width * image.height
    target = Target.of(config, num_pixels)
    if target.budget_bytes is not None:
        return int(target.budget_bytes)
    settings = Settings().pyramid
    spectrum = Spectrum(image.samples, settings.forecast)
    if target.psnr_db is not None:
        lambda_ = lambda_where(spectrum.psnr_db, target.psnr_db)
    else:
        lambda_ = quality_lambda(target.value, settings.plan)
    matrices = likely_matrices_bits(lambda_, num_pixels, float("inf"), settings.forecast)
    payload_bits = spectrum.bpp(lambda_) * num_pixels + matrices
    return OVERHEAD_BYTES + PYRAMID_BYTES + round(payload_bits / 8)
