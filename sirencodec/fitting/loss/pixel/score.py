"""Samples of an image and of its decode -> the score that is reported of every encode."""

from typing import Final

import torch
from torch import Tensor

from sirencodec.fitting.loss.bands_native import SMALL_PIXELS
from sirencodec.fitting.loss.pixel.alpha import composite, has_alpha
from sirencodec.fitting.loss.pixel.measures import measure_of, swath_measure_of
from sirencodec.fitting.loss.pixel.swaths import cut_image
from sirencodec.fitting.loss.pixel_rows import PixelRows, SampleRows
from sirencodec.fitting.loss.values import values_of
from sirencodec.fitting.target import SMALLEST_SCORED_SIDE
from sirencodec.image.samples import Samples, has_alpha_channel, num_colours
from sirencodec.native.tensors import loops_for
from sirencodec.synthesis.threads import Workers

BACKGROUNDS: Final = 0.0, 1.0  # values of all colours


def ssimulacra2(original: Samples, decoded: Samples) -> float | None:
    """Two images of one shape -> SSIMULACRA2: 30 is low, 50 medium, 70 high quality, 100 equal.

    At 90 nobody tells them apart. Transparent images are seen over black and over white, which show
    what is wrong with alpha, and the lower score counts.

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
    return Judge(values_of(original), Workers()).score(values_of(decoded))


class Judge:
    """Scores pictures of one original."""

    def __init__(self, original: Tensor, workers: Workers) -> None:
        """Look at (channels, height, width) values."""
        self._measures = [
            (background, measure_of("ssimulacra2", seen(original, background), workers))
            for background in backgrounds(len(original))
        ]

    def score(self, values: Tensor) -> float:
        """(channels, height, width) values -> score."""
        return min(measure.value(seen(values, over)) for over, measure in self._measures)


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
    shape = num_colours(channels), height, width

    def over(background: float) -> float:
        measure = swath_measure_of("ssimulacra2", shape, swaths, workers)
        for swath in swaths:
            of_both = (image.rows(swath.first, swath.last) for image in (decoded, original))
            measure.look(swath, *(seen(values, background).contiguous() for values in of_both))
        return measure.settle()

    return min(map(over, backgrounds(channels)))


def backgrounds(channels: int) -> tuple[float, ...]:
    """Channels of an image -> what it is seen over; of one without alpha nothing shows."""
    return BACKGROUNDS if has_alpha_channel(channels) else BACKGROUNDS[:1]


def seen(values: Tensor, background: float) -> Tensor:
    """(channels, height, width) values -> (colours, height, width): over a gray by their alpha."""
    if not has_alpha(values):
        return values
    return composite(values[:-1], values.clamp(0, 1), background)
