"""Planes of an image at ever coarser scales, each half the one before, by compiled loops.

A chain is what there is of one channel: a plane a scale, the finest first.
"""

import ctypes
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

from torch import Tensor

from sirencodec.native.measures import EDGE, Clamping, Halving, MeasureLoops
from sirencodec.native.tensors import address
from sirencodec.synthesis.threads import Workers

_SMALL: Final = 1 << 16  # pixels of a plane that one thread is quick with
Rows = tuple[int, int]  # the first, and the one after the last


class Scales:
    """How planes of one scale are made of another's, and gradients carried back.

    Attributes:
        sizes: height and width of each scale of the whole image.
    """

    def __init__(
        self, height: int, width: int, count: int, workers: Workers, loops: MeasureLoops
    ) -> None:
        """Size of an image -> that of so many scales.

        Args:
            height: of the image.
            width: of the image.
            count: of scales.
            workers: threads to share the work among.
            loops: for the precision of planes.
        """
        self.sizes = [(-(-height >> scale), -(-width >> scale)) for scale in range(count)]
        self._workers, self._loops = workers, loops

    def fill(self, values: Tensor, chains: Sequence[Sequence[Tensor]]) -> None:
        """(channels, rows, columns) values -> all rows of each channel's chain."""
        self.clamp(values, [chain[0] for chain in chains])
        for scale, (fine, coarse) in enumerate(pairwise(zip(*chains, strict=True))):
            self.halve(fine, coarse, scale, (0, len(coarse[0])))

    def clamp(
        self, values: Tensor, planes: Sequence[Tensor], gradient: Tensor | None = None
    ) -> None:
        """Values -> planes of the finest scale, clamped; or their gradients -> that of values.

        Args:
            values: (channels, rows, columns).
            planes: of each channel.
            gradient: with respect to values, contiguous as they are; where it goes.
        """
        channels, rows, columns = values.shape

        def run(channel: int, band: Rows) -> None:
            top, bottom = band
            task = Clamping(
                values=address(values, channel, top),
                gradient=address(gradient, channel, top),
                plane=address(planes[channel], top, EDGE),
                values_row=values.stride(1),
                plane_row=planes[channel].stride(0),
                rows=bottom - top,
                columns=columns,
            )
            self._loops.clamp(ctypes.byref(task))

        self._each_band(run, channels, (0, rows), columns)

    def halve(
        self,
        fine: Sequence[Tensor],
        coarse: Sequence[Tensor],
        scale: int,
        rows: Rows,
        *,
        back: bool = False,
    ) -> None:
        """Planes of a scale -> rows of the next; or gradients of that, added to rows of this.

        Args:
            fine: planes, of each channel.
            coarse: of the next scale, beginning at the same place.
            scale: of the fine ones.
            rows: to fill or to add to.
            back: which way.
        """
        height, width = self.sizes[scale]
        if back:  # the last row may need a coarse one that nobody asked for
            rows = rows[0], min(rows[1], 2 * len(coarse[0]) - height % 2)

        def run(channel: int, band: Rows) -> None:
            finer, coarser = fine[channel], coarse[channel]
            task = Halving(
                fine=address(finer, 0, EDGE),
                coarse=address(coarser, 0, EDGE),
                fine_row=finer.stride(0),
                coarse_row=coarser.stride(0),
                height=height,
                width=width,
                top=band[0],
                bottom=band[1],
            )
            (self._loops.spread if back else self._loops.halve)(ctypes.byref(task))

        self._each_band(run, len(fine), rows, width if back else self.sizes[scale + 1][1])

    def _each_band(
        self, function: Callable[[int, Rows], None], channels: int, rows: Rows, columns: int
    ) -> None:
        """Call a function for each channel and band of some rows."""
        top, bottom = rows
        count = self._workers.count if (bottom - top) * columns > _SMALL else 1
        bounds = [top + (bottom - top) * part // count for part in range(count + 1)]
        bands = [(channel, band) for channel in range(channels) for band in pairwise(bounds)]
        self._workers.map(lambda place: function(*place), bands)
