"""Samples of an image and of its decode -> the score that is reported of every encode."""

from torch import Tensor

from sirencodec.fitting.loss.pixel.alpha import composite, has_alpha
from sirencodec.fitting.loss.pixel.measures import measure_of
from sirencodec.fitting.loss.values import values_of
from sirencodec.fitting.target import SMALLEST_SCORED_SIDE
from sirencodec.image.samples import Samples
from sirencodec.synthesis.threads import Workers


def ssimulacra2(original: Samples, decoded: Samples) -> float | None:
    """Two images of one shape -> SSIMULACRA2: 30 is low, 50 medium, 70 high quality, 100 equal.

    At 90 nobody tells them apart. Transparent images are seen over gray.

    Args:
        original: (height, width, channels) uint8 or uint16.
        decoded: of the same shape and type.

    Returns:
        The score, which may be negative; None if a side is under 8 pixels.
    """
    if min(original.shape[:2]) < SMALLEST_SCORED_SIDE:
        return None
    measure = measure_of("ssimulacra2", seen(values_of(original)), Workers())
    return measure.value(seen(values_of(decoded)))


def seen(values: Tensor) -> Tensor:
    """(channels, height, width) values -> (colours, height, width): over gray by their alpha."""
    if not has_alpha(values):
        return values
    return composite(values[:-1], values.clamp(0, 1))
