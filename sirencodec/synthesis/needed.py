"""Region -> the latents that its samples depend on."""

from sirencodec.bitstream.architecture import grid_shape
from sirencodec.bitstream.header import Header
from sirencodec.bitstream.tiling import Window
from sirencodec.synthesis.lanczos import LOBES
from sirencodec.synthesis.picture import HALO
from sirencodec.synthesis.region import DETAIL_GRIDS, Region

REACH = 2  # samples of the coarser level that a doubling sees on either side
MARGIN = LOBES + HALO + 1  # pixels that a point sees on either side; one is for rounding


def needed_windows(region: Region, header: Header) -> dict[int, Window]:
    """Region of a file's picture -> windows of its grids by exponent; of some, nothing."""
    octave, windows = region.octave, {}
    for exponent in header.architecture.grids:
        if exponent >= min(octave, DETAIL_GRIDS):
            rows, columns = grid_shape(header.width, header.height, exponent)
            down = _span(region.top, region.bottom, exponent, octave, rows)
            across = _span(region.left, region.right, exponent, octave, columns)
            windows[exponent] = Window(*down, *across)
    return windows


def _span(start: float, stop: float, exponent: int, octave: int, size: int) -> tuple[int, int]:
    """Interval of stored pixels -> first sample of a grid that it needs, and the last one's next.

    Beyond its edges a grid of ``size`` repeats its outermost samples, so these are needed there.
    """
    first = int(start / (1 << octave)) - MARGIN
    end = int(stop / (1 << octave)) + 1 + MARGIN
    for _ in range(octave, exponent):
        first, end = (first >> 1) - REACH, (end - 1 >> 1) + REACH + 1
    if exponent < octave:  # means are taken
        first, end = first << octave - exponent, end << octave - exponent
    first = min(max(first, 0), size - 1)
    return first, max(min(end, size), first + 1)
