"""Samples -> the image of each stage: as it is, and reduced by 2, by 4."""

import torch
from torch import Tensor

from sirencodec.fitting.loss.appraisal import is_large
from sirencodec.fitting.loss.pixel.alpha import halved, mean_colour
from sirencodec.fitting.loss.pixel_rows import ALIGNMENT, PixelRows, SampleRows
from sirencodec.fitting.loss.values import values_of
from sirencodec.image.samples import Samples
from sirencodec.native.heap import keep_large_blocks_apart

Image = Tensor | PixelRows


class StageImages:
    """The images that the stages of a fit come near.

    At full size a large one stays samples, which are converted some rows at a time.

    Attributes:
        mean: (channels,) colour, on the CPU.
    """

    def __init__(self, samples: Samples, most_octaves: int, device: torch.device) -> None:
        """Reduce (height, width, channels) samples by up to ``most_octaves``."""
        height, width, channels = samples.shape
        self._images: list[Image] = []
        if device.type == "cpu" and is_large((channels, height, width)):
            keep_large_blocks_apart()
            rows = SampleRows(samples)
            reduced = _halved_by_rows(rows)
            series: list[Image] = [rows, *_series(reduced, most_octaves - 1)]
            self._images = series[: most_octaves + 1]
            self.mean = mean_colour(reduced)
        else:
            values = values_of(samples).to(device)
            self._images += _series(values, most_octaves)
            self.mean = mean_colour(values).cpu()

    def take(self, octaves: int) -> Image:
        """The image reduced by ``octaves``, whom nobody asks again for those reduced by more."""
        del self._images[octaves + 1 :]
        return self._images[octaves]


def _series(image: Tensor, octaves: int) -> list[Tensor]:
    """Image -> itself, and reduced by up to ``octaves``."""
    images = [image]
    for _ in range(octaves):
        images.append(halved(images[-1]))
    return images


def _halved_by_rows(image: PixelRows) -> Tensor:
    """Image -> means of its 2 x 2 blocks."""
    height = image.shape[1]
    bounds = ((top, min(top + ALIGNMENT, height)) for top in range(0, height, ALIGNMENT))
    return torch.cat([halved(image.rows(*rows)) for rows in bounds], 1)
