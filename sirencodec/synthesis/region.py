"""Stored size and wishes of size and crop -> the points to evaluate, and whether they are too many.

Without PyTorch: what a request would take is known before anything is decoded.
"""

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from sirencodec.bitstream.header import Header
from sirencodec.bitstream.work import check_decode
from sirencodec.errors import ParameterError
from sirencodec.limits import Limits
from sirencodec.synthesis.coordinates import Float64Array, pixel_centres

Crop = tuple[float, float, float, float]  # left, top, width, height in stored pixels

# Grids 1/1 and 1/2 hold detail that has no mean to speak of. Taking them for zeros when a picture
# is reduced by 4, with 4 x 4 points in every output pixel, leaves 42 to 47 dB, and from 38 where it
# is reduced by 8; 1/4 as well, 20 dB.
DETAIL_GRIDS: Final = 2
MOST_POINTS: Final = 2**20  # of a picture that is not reduced: 40 ms
MOST_REDUCED_POINTS: Final = 2**19  # of one that is: the next octave costs 5 dB of 47 at most
FEWEST_POINTS_PER_CELL: Final = 4  # along an axis, of one that is
MOST_POINTS_PER_CELL: Final = 64  # along an axis: a mean over 4096 points
EDGE_PIXELS: Final = 1e-6  # that a crop may reach beyond the image: fractions are rounded


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of the stored image and the grid of pixels to divide it into.

    Attributes:
        left, top, right, bottom: edges in stored pixels; fractions are allowed.
        width, height: output pixels.
        stored_width, stored_height: the stored size.
        octave: the picture is asked as reduced by 2^octave (see ``Picture.reduced``).
    """

    left: float
    top: float
    right: float
    bottom: float
    width: int
    height: int
    stored_width: int
    stored_height: int
    octave: int = 0

    @property
    def points_across(self) -> int:
        """Points averaged along x for each output pixel: 1 when enlarging."""
        return min(MOST_POINTS_PER_CELL, self.pixels_across)

    @property
    def points_down(self) -> int:
        """Points averaged along y for each output pixel: 1 when enlarging."""
        return min(MOST_POINTS_PER_CELL, self.pixels_down)

    @property
    def pixels_across(self) -> int:
        """Pixels of the octave that an output pixel has along x, rounded up."""
        return self._pixels_per_cell(self.right - self.left, self.width)

    @property
    def pixels_down(self) -> int:
        """Pixels of the octave that an output pixel has along y, rounded up."""
        return self._pixels_per_cell(self.bottom - self.top, self.height)

    def _pixels_per_cell(self, stored_pixels: float, cells: int) -> int:
        if cells >= stored_pixels:  # and perhaps more than a float can be
            return 1
        return max(1, math.ceil(stored_pixels / cells / (1 << self.octave) - 1e-9))

    @property
    def num_points(self) -> int:
        """Evaluations of the network that the whole region takes."""
        return self.width * self.height * self.points_across * self.points_down

    def x(self) -> Float64Array:
        """(width * points_across,) coordinates of the points along x, rising."""
        count = self.width * self.points_across
        return pixel_centres(self.left, self.right, self.stored_width, count)

    def y(self) -> Float64Array:
        """(height * points_down,) coordinates of the points along y, rising."""
        count = self.height * self.points_down
        return pixel_centres(self.top, self.bottom, self.stored_height, count)


def choose_region(
    header: Header,
    *,
    width: int | None = None,
    height: int | None = None,
    scale: float | None = None,
    crop: Crop | None = None,
) -> Region:
    """Stored size and the caller's wishes -> what to evaluate.

    Args:
        header: of the file.
        width: output pixels across; alone, the height follows from the aspect.
        height: output pixels down; alone, the width follows. Both together stretch.
        scale: factor on both sides instead of width and height.
        crop: part of the image; None for all of it. Its size is the default output size.

    Raises:
        ParameterError: if the size or crop makes no sense.
    """
    left, top, across, down = _choose_crop(header, crop)
    width, height = _choose_size(across, down, width, height, scale)
    region = Region(
        left, top, left + across, top + down, width, height, header.width, header.height
    )
    return replace(region, octave=_choose_octave(region, header.architecture.grids))


def _choose_octave(region: Region, grids: tuple[int, ...]) -> int:
    """Region of the whole picture and exponents of its grids -> the octave to ask it in.

    That is 0 wherever the mean over all stored pixels can be had at little cost; else as many
    octaves as bring their number down to MOST_REDUCED_POINTS, if that leaves enough in every output
    pixel.
    """
    octave = 0
    while octave < max(grids, default=0) and _has_many_pixels(region):
        octave += 1
        region = replace(region, octave=octave)
        if min(region.points_across, region.points_down) < FEWEST_POINTS_PER_CELL:
            return octave - 1
    return octave


def _has_many_pixels(region: Region) -> bool:
    """Whether the region has too many pixels of its octave, though perhaps not all are asked."""
    pixels = region.width * region.height * region.pixels_across * region.pixels_down
    return pixels > (MOST_REDUCED_POINTS if region.octave else MOST_POINTS)


def _choose_crop(header: Header, crop: Crop | None) -> Crop:
    """Crop asked for, None for all -> the same, checked, as plain floats."""
    if crop is None:
        return 0.0, 0.0, float(header.width), float(header.height)
    if len(crop) != 4:
        raise ParameterError(f"crop {crop} is not x, y, width and height")
    left, top, across, down = map(float, crop)
    if not all(map(math.isfinite, (left, top, across, down))) or min(across, down) <= 0:
        raise ParameterError(f"crop {crop} has no area")
    if (
        min(left, top) < -EDGE_PIXELS
        or left + across > header.width + EDGE_PIXELS
        or top + down > header.height + EDGE_PIXELS
    ):
        raise ParameterError(f"crop {crop} leaves the image, {header.width} x {header.height}")
    return left, top, across, down


def _choose_size(
    across: float, down: float, width: int | None, height: int | None, scale: float | None
) -> tuple[int, int]:
    """Sides of the crop and size or scale asked for -> output width and height."""
    if scale is not None:
        if width is not None or height is not None:
            raise ParameterError("give a scale or a size, not both")
        if not (math.isfinite(scale) and scale > 0):
            raise ParameterError(f"scale must be positive, not {scale}")
        return _scaled(across, scale), _scaled(down, scale)
    if any(side is not None and side < 1 for side in (width, height)):
        raise ParameterError(f"output size {width} x {height} is not positive")
    if width is None:
        factor = Fraction(1) if height is None else Fraction(height) / Fraction(down)
        width = _scaled(across, factor)
        return width, height or _scaled(down, factor)
    return width, height or _scaled(down, Fraction(width) / Fraction(across))


def _scaled(length: float, factor: float | Fraction) -> int:
    """Side of a crop times a factor -> nearest whole side, at least 1; fractions never overflow."""
    return max(1, round(Fraction(length) * Fraction(factor)))


def check_work(
    header: Header, region: Region, limits: Limits, num_latents: int, *, exact: bool = False
) -> None:
    """Raise LimitError if evaluating ``region`` would take more than ``limits`` allow.

    Args:
        header: of the file.
        region: to evaluate.
        limits: what it may take.
        num_latents: that are decoded for it.
        exact: whether in double precision.
    """
    points, size = region.num_points, (region.width, region.height)
    check_decode(header, *size, limits, points, num_latents, exact=exact)
