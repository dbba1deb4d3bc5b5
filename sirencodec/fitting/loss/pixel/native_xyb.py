"""Values -> their XYB at several scales, and gradients back, by compiled loops."""

import ctypes
from collections.abc import Mapping, Sequence

from torch import Tensor

from sirencodec.native.measures import EDGE, MeasureLoops, XybScale, XybTask, row_length
from sirencodec.native.tensors import address
from sirencodec.synthesis.threads import Workers

Place = tuple[int, int]  # scale, and plane of it
Planes = Mapping[Place, Tensor]
X, Y = 0, 1


def xyb_scale(
    scale: int, size: tuple[int, int], planes: Planes, gradients: Planes, row: int = 0
) -> XybScale:
    """Planes of a scale -> what loops are told of the rows to convert.

    Args:
        scale: number of it.
        size: rows to convert, and width.
        planes: to fill, or that were filled; those missing are not wanted.
        gradients: with respect to them; none on the way there.
        row: of the planes, the first to convert.
    """

    def pointers(of: Planes) -> ctypes.Array[ctypes.c_void_p]:
        found = [address(of.get((scale, plane)), row, EDGE) for plane in range(3)]
        return (ctypes.c_void_p * 3)(*found)

    height, width = size
    return XybScale(
        planes=pointers(planes),
        slopes=pointers(gradients),
        row=row_length(width),
        height=height,
        width=width,
    )


def convert_xyb(
    values: Tensor,
    scales: Sequence[XybScale],
    gradient: Tensor | None,
    workers: Workers,
    loops: MeasureLoops,
) -> None:
    """Values -> planes of all scales; or the planes' gradients -> that of values.

    Args:
        values: (channels, rows, width); the same rows as those of the scales.
        scales: from ``xyb_scale``, finest first.
        gradient: with respect to values, laid out as they are; None on the way there.
        workers: threads to share the work among.
        loops: for the precision of values.

    Raises:
        MemoryError: if there is not enough.
    """
    task = XybTask(
        values=address(values),
        gradient=address(gradient),
        plane=values.stride(0),
        row=values.stride(1),
        channels=len(values),
        scales=(XybScale * len(scales))(*scales),
        num_scales=len(scales),
    )
    begun, back = ctypes.c_long(0), int(gradient is not None)

    def run(_: int) -> None:
        if loops.convert_xyb(ctypes.byref(task), ctypes.byref(begun), back):
            raise MemoryError("no memory to convert an image in")

    workers.map(run, range(workers.count))
