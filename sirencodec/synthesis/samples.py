"""Picture and region -> samples, by what is fastest here; on a CPU without PyTorch."""

import warnings
from functools import lru_cache
from typing import Final

import numpy as np

from sirencodec.bitstream.header import Header
from sirencodec.entropy.grids import Windows
from sirencodec.errors import DependencyError, ParameterError, SirenCodecWarning
from sirencodec.image.samples import Samples
from sirencodec.native.picture import double_painters, single_painters
from sirencodec.synthesis.needed import needed_windows
from sirencodec.synthesis.picture import Picture
from sirencodec.synthesis.query_native import paint_native
from sirencodec.synthesis.region import Region

CPU: Final = ("auto", "cpu")  # names of the device that needs no PyTorch


def check_device(name: str) -> None:
    """Raise ParameterError if a device is none that a decode knows, without asking PyTorch."""
    if name not in CPU and name.split(":")[0] not in ("cpu", "cuda"):
        raise ParameterError(f"unknown device {name!r}: use auto, cpu or cuda")


def windows_on(device: str, region: Region, header: Header) -> Windows | None:
    """Device and region -> the latents that ``samples_on`` needs by exponent; all, if None."""
    return needed_windows(region, header) if device in CPU else None


def samples_on(device: str, picture: Picture, region: Region, *, exact: bool) -> Samples:
    """As ``paint``, on a device by name; of PyTorch's own, such as "cuda", by PyTorch.

    Raises:
        DependencyError: if PyTorch is needed and not there.
        ParameterError: if the device is not on this machine.
    """
    if device in CPU:
        return paint(picture, region, exact=exact)
    try:
        from sirencodec.synthesis.device import choose_device
        from sirencodec.synthesis.query_torch import query_samples
        from sirencodec.synthesis.torch_picture import to_torch
    except ModuleNotFoundError as error:
        raise DependencyError(f"device {device!r} needs PyTorch: pip install torch") from error
    tensors = to_torch(picture.reduced(region.octave), choose_device(device), exact=exact)
    return query_samples(tensors, region, picture.header.bit_depth)


def paint(picture: Picture, region: Region, *, exact: bool, rows: range | None = None) -> Samples:
    """Picture and region -> (height, width, channels) samples of the stored bit depth.

    Args:
        picture: what to ask.
        region: where.
        exact: in float64 instead of float32.
        rows: of the output, those wanted; all if None.

    Raises:
        MemoryError: if there is no room.

    Warns:
        SirenCodecWarning: once, if nothing was compiled and decoding is slow therefore.
    """
    header = picture.header
    rows = range(region.height) if rows is None else rows
    shape = len(rows), region.width, header.architecture.channels
    samples = np.empty(shape, np.uint8 if header.bit_depth == 8 else np.uint16)
    reduced, dtype = picture.reduced(region.octave), np.float64 if exact else np.float32
    painters = double_painters() if exact else single_painters()
    if painters:
        paint_native(painters[0], reduced, region, samples, dtype, top=rows.start)
    else:
        from sirencodec.synthesis.query_numpy import paint_numpy

        _warn_of_slowness()
        paint_numpy(reduced, region, samples, dtype, top=rows.start)
    return samples


@lru_cache
def _warn_of_slowness() -> None:
    warnings.warn(
        "sirencodec was installed without its compiled part: decoding by NumPy, which is slower",
        SirenCodecWarning,
        stacklevel=4,
    )
