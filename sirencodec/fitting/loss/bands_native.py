"""Rows of an image -> swaths, which take turns, and their bands, one a thread.

A small image is one swath. Of a large one features are kept for a swath at a time, so that they
take little memory and stay near the cache. Its bands are of one height whatever the number of
threads, so that sums do not depend on that.

A band's pixels see features up to 2 HALO rows beyond its last feature row, which belong to the next
band. What a band adds to the gradient there it keeps apart until all are done, so threads never
write to the same memory and sums do not depend on timing.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from torch import Tensor

from sirencodec.fitting.loss.pixel_rows import ALIGNMENT
from sirencodec.synthesis.refinement import HALO

SMALL_PIXELS: Final = 1 << 20  # images of up to so many are one swath
SWATH_PIXELS: Final = 1 << 19  # about, of a larger one: its features take 30 MB
SAMPLE_SWATHS: Final = 4  # where a sample of rows is enough
BAND_PIXELS: Final = 1 << 16  # about; a lower band sees more rows of others than of its own


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """Some rows of a swath.

    Attributes:
        top: its first row.
        bottom: the row after its last.
        below: (grids, 2 HALO, columns) gradient with respect to the last of the features that the
            band sees, where the next one begins; None of the last band, which has no next one.
    """

    top: int
    bottom: int
    below: Tensor | None

    def clear(self, gradients: Tensor) -> None:
        """Zero all that the band adds to: its rows of the features' gradient, and those below."""
        if self.below is None:
            gradients[:, self.top :].zero_()
        else:
            gradients[:, self.top : self.bottom].zero_()
            self.below.zero_()

    def join(self, gradients: Tensor) -> None:
        """Add what the band has kept apart to the features' gradient."""
        if self.below is not None:
            gradients[:, self.bottom : self.bottom + 2 * HALO] += self.below


@dataclass(frozen=True, slots=True, eq=False)
class BandedSwath:
    """Some rows of the image, and their bands.

    Attributes:
        top: its first row.
        bottom: the row after its last.
        bands: of these rows.
    """

    top: int
    bottom: int
    bands: list[Band]


def swath_rows(size: tuple[int, int]) -> int:
    """(height, width) of an image -> rows of its swaths; the last one may have fewer."""
    height, width = size
    if height * width <= SMALL_PIXELS:
        return height
    return min(height, max(1, SWATH_PIXELS // width // ALIGNMENT) * ALIGNMENT)


def cut_swaths(
    gradients: Tensor, size: tuple[int, int], rows: int, count: int
) -> list[BandedSwath]:
    """Gradient of features and image -> its swaths.

    Args:
        gradients: (grids, rows of a swath + 2 HALO, columns).
        size: (height, width) of the image.
        rows: of a swath.
        count: of bands, if the image is one swath.
    """
    height, width = size
    if rows < height:
        count = max(1, rows * width // BAND_PIXELS)
    return [
        BandedSwath(
            top, min(top + rows, height), cut_bands(gradients, min(rows, height - top), count)
        )
        for top in range(0, height, rows)
    ]


def sample_swaths(gradients: Tensor, size: tuple[int, int], count: int) -> list[BandedSwath]:
    """Gradient of features and image -> a few low swaths, which stand for all of it.

    ``SAMPLE_SWATHS`` of ``ALIGNMENT`` rows, evenly spread; none if they were more than half of it.

    Args:
        gradients: as for ``cut_swaths``.
        size: (height, width) of the image.
        count: of bands.
    """
    height, _ = size
    if height < 2 * SAMPLE_SWATHS * ALIGNMENT:
        return []
    middles = (height * (2 * part + 1) // (2 * SAMPLE_SWATHS) for part in range(SAMPLE_SWATHS))
    tops = [(middle - ALIGNMENT // 2) // ALIGNMENT * ALIGNMENT for middle in middles]
    return [
        BandedSwath(top, top + ALIGNMENT, cut_bands(gradients, ALIGNMENT, count)) for top in tops
    ]


def cut_bands(gradients: Tensor, height: int, count: int) -> list[Band]:
    """Gradient of features and rows of a swath -> up to ``count`` bands of about one height.

    Args:
        gradients: (grids, at least height + 2 HALO, columns).
        height: rows of the swath.
        count: of bands, fewer if there are not as many rows.
    """
    grids, _, row = gradients.shape
    bounds = [height * part // count for part in range(count + 1)]
    return [
        Band(top, bottom, None if bottom == height else gradients.new_zeros(grids, 2 * HALO, row))
        for top, bottom in pairwise(bounds)
        if top < bottom
    ]
