"""`.siren` bytes -> image or function."""

import math
from fractions import Fraction

import numpy as np
import torch

from sirencodec.bitstream.architecture import KERNEL_TAPS, decoding_work
from sirencodec.bitstream.container import Header, parse_container
from sirencodec.bitstream.metadata_section import read_metadata
from sirencodec.bitstream.quantize import dequantize
from sirencodec.entropy.payload import QuantizedPicture, decode_payload
from sirencodec.entropy.prior import adapted_refinement
from sirencodec.errors import ParameterError
from sirencodec.image.image import Image
from sirencodec.image.metadata import Metadata
from sirencodec.image.samples import Samples
from sirencodec.limits import DEFAULT_LIMITS, Limits
from sirencodec.synthesis.device import choose_device
from sirencodec.synthesis.features import FeatureField
from sirencodec.synthesis.query import Network, Region, query_strips, to_samples

Crop = tuple[float, float, float, float]


def decode(
    data: bytes,
    *,
    width: int | None = None,
    height: int | None = None,
    scale: float | None = None,
    crop: Crop | None = None,
    device: str = "auto",
    exact: bool = False,
    strip: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> Image:
    """`.siren` file -> image, at any size.

    Args:
        data: the whole file.
        width: output pixels across; alone, the height follows from the aspect.
        height: output pixels down; alone, the width follows. Both together stretch.
        scale: factor on both sides instead of width and height.
        crop: part of the image to decode, (x, y, width, height) in stored pixels, fractions
            allowed; its own size is the default output size.
        device: "auto", "cpu" or "cuda".
        exact: evaluate in float64; the default, float32, is within one level of it.
        strip: leave the metadata unread.
        limits: what the decode may consume.

    Returns:
        The image, of the stored mode and bit depth.

    Raises:
        FormatError: if the bytes are not a valid file.
        LimitError: if decoding would exceed ``limits``.
        ParameterError: if the size or crop makes no sense.
    """
    container = parse_container(data, limits)
    header = container.header
    region = choose_region(header, width=width, height=height, scale=scale, crop=crop)
    check_work(header, region, limits)
    picture = decode_payload(container.payload, header.architecture, header.width, header.height)
    network = to_network(picture, header, choose_device(device), exact=exact)
    samples = query_samples(network, region, header)
    metadata = Metadata() if strip else read_metadata(container, limits)
    return Image(samples, metadata)


def choose_region(
    header: Header,
    *,
    width: int | None = None,
    height: int | None = None,
    scale: float | None = None,
    crop: Crop | None = None,
) -> Region:
    """Stored size and the caller's wishes -> what to evaluate. Arguments as for ``decode``."""
    left, top, across, down = _choose_crop(header, crop)
    width, height = _choose_size(across, down, width, height, scale)
    return Region(left, top, left + across, top + down, width, height, header.width, header.height)


def _choose_crop(header: Header, crop: Crop | None) -> Crop:
    """Crop asked for, None for all -> the same, checked, as plain floats."""
    if crop is None:
        return 0.0, 0.0, float(header.width), float(header.height)
    if len(crop) != 4:
        raise ParameterError(f"crop {crop} is not x, y, width and height")
    left, top, across, down = map(float, crop)
    if not all(map(math.isfinite, (left, top, across, down))) or min(across, down) <= 0:
        raise ParameterError(f"crop {crop} has no area")
    edge = 1e-6  # forgives rounding in fractional crops
    if (
        min(left, top) < -edge
        or left + across > header.width + edge
        or top + down > header.height + edge
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


def check_work(header: Header, region: Region, limits: Limits) -> None:
    """Raise LimitError if evaluating ``region`` would take more than ``limits`` allow."""
    limits.check("max_side_pixels", max(region.width, region.height))
    limits.check("max_pixels", region.width * region.height)
    work = decoding_work(header.architecture, header.width, header.height, region.num_points)
    limits.check("max_multiply_adds", work)


def to_network(
    picture: QuantizedPicture, header: Header, device: torch.device, *, exact: bool
) -> Network:
    """Quantised picture -> network, where and how it is to be evaluated.

    Args:
        picture: from the payload.
        header: of the same file.
        device: where.
        exact: in float64 instead of float32.
    """
    architecture = header.architecture
    dtype = torch.float64 if exact else torch.float32
    matrices = [
        torch.from_numpy(matrix).to(device=device, dtype=dtype)
        for matrix in dequantize(picture.weights)
    ]
    layers = matrices[: len(architecture.layer_shapes)]
    if not architecture.grids:
        return Network(layers)
    grids = [torch.from_numpy(grid).to(device=device, dtype=dtype) for grid in picture.latents]
    has_kernels = bool(architecture.kernel_shapes)
    kernels = matrices[len(layers)] if has_kernels else grids[0].new_empty(0, KERNEL_TAPS)
    refinement = [
        torch.tensor(matrix, dtype=dtype, device=device)
        for matrix in adapted_refinement(architecture.prior, picture.weights)
    ]
    field = FeatureField(
        grids, architecture.grids, kernels, refinement, header.width, header.height
    )
    return Network(layers, field)


def query_samples(network: Network, region: Region, header: Header) -> Samples:
    """Network and region -> (height, width, channels) samples, filled in strip by strip."""
    dtype = np.uint8 if header.bit_depth == 8 else np.uint16
    channels = header.architecture.channels
    samples = np.empty((region.height, region.width, channels), dtype=dtype)
    top = 0
    for values in query_strips(network, region):
        samples[top : top + len(values)] = to_samples(values, header.bit_depth)
        top += len(values)
    return samples
