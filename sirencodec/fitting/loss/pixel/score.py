"""Samples of an image and of its decode -> the score that is reported of every encode."""

import torch
from torch import Tensor

from sirencodec.fitting.loss.bands_native import SMALL_PIXELS
from sirencodec.fitting.loss.pixel.alpha import composite, has_alpha
from sirencodec.fitting.loss.pixel.measures import measure_of, swath_measure_of
from sirencodec.fitting.loss.pixel.swaths import cut_image
from sirencodec.fitting.loss.pixel_rows import PixelRows, SampleRows
from sirencodec.fitting.loss.values import values_of
from sirencodec.fitting.target import SMALLEST_SCORED_SIDE
from sirencodec.image.samples import Samples, num_colours
from sirencodec.native.tensors import loops_for
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
    if original[:, :, 0].size > SMALL_PIXELS and loops_for(torch.float32, "cpu") is not None:
        return score_by_swaths(SampleRows(original), SampleRows(decoded), Workers())
    measure = measure_of("ssimulacra2", seen(values_of(original)), Workers())
    return measure.value(seen(values_of(decoded)))


def score_by_swaths(
    original: PixelRows, decoded: PixelRows, workers: Workers, rows: int | None = None
) -> float:
    """Two large images of one shape -> SSIMULACRA2, some rows at a time.

    Args:
        original: values, 0 to 1.
        decoded: values.
        workers: threads to share the work among.
        rows: of a swath, a multiple of 64; None if size decides.
    """
    channels, height, width = original.shape
    swaths = cut_image(height, width, rows)
    measure = swath_measure_of(
        "ssimulacra2", (num_colours(channels), height, width), swaths, workers
    )
    for swath in swaths:
        of_both = (image.rows(swath.first, swath.last) for image in (decoded, original))
        measure.look(swath, *(seen(values).contiguous() for values in of_both))
    return measure.settle()


def seen(values: Tensor) -> Tensor:
    """(channels, height, width) values -> (colours, height, width): over gray by their alpha."""
    if not has_alpha(values):
        return values
    return composite(values[:-1], values.clamp(0, 1))
