"""Original and decoded pixels -> how far apart they are, by four measures.

PSNR is written out here, independent of the codec's own. MS-SSIM, SSIMULACRA2 and PSNR-HVS are
those of the packages `pytorch-msssim`, `ssimulacra2` and `psnr-hvsm`; without its package a measure
is left out.

Agreement with what people say of CID22's pictures (Kendall's tau, README of SSIMULACRA2): .71 for
SSIMULACRA2, .62 for PSNR-HVS, .59 for MS-SSIM, .35 for PSNR in RGB. No codec here, ours included,
is optimised for PSNR-HVS itself; AVIF's tuning for eyes and ours weigh errors in its spirit, light
over colour and coarse over fine.
"""

import math
from collections.abc import Callable
from contextlib import redirect_stdout
from io import BytesIO, StringIO
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image

from benchmarks.measuring.pixels import Pixels

MS_SSIM_SMALLEST_SIDE = 161  # five scales of an 11-pixel window


def measure_quality(original: Pixels, decoded: Pixels) -> dict[str, float]:
    """Original and decoded pixels -> every measure that can be had here.

    Raises:
        ValueError: if their sizes differ.
    """
    if original.shape != decoded.shape:
        raise ValueError(f"decoded to {decoded.shape}, not {original.shape}")
    quality = {"psnr_db": psnr_db(original, decoded)}
    measures = {"ms_ssim": ms_ssim, "ssimulacra2": ssimulacra2, "psnr_hvs_db": psnr_hvs_db}
    for name, measure in measures.items():
        value = measure(original, decoded)
        if value is not None:
            quality[name] = value
    return quality


def psnr_db(original: Pixels, decoded: Pixels) -> float:
    """PSNR in RGB: of the squared error averaged over all pixels and channels, peak 255.

    Equal images give 100, so that means stay finite.
    """
    mean_square = float(np.mean((original.astype(np.float64) - decoded) ** 2))
    return min(100.0, 10 * math.log10(255**2 / mean_square)) if mean_square else 100.0


def ms_ssim(original: Pixels, decoded: Pixels) -> float | None:
    """Multi-scale structural similarity in RGB, 0 to 1."""
    if min(original.shape[:2]) < MS_SSIM_SMALLEST_SIDE:
        return None
    try:
        import torch
        from pytorch_msssim import ms_ssim as compute  # type: ignore[import-untyped]
    except ImportError:
        return None

    def planes(pixels: Pixels) -> torch.Tensor:
        return torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)[None]

    torch.set_num_threads(1)  # jobs beside each other
    return float(compute(planes(original), planes(decoded), data_range=255))


def ssimulacra2(original: Pixels, decoded: Pixels) -> float | None:
    """SSIMULACRA2, up to 100; below 30 is low, 70 high, 90 visually lossless."""
    try:
        from ssimulacra2 import compute_ssimulacra2  # type: ignore[import-untyped]
    except ImportError:
        return None
    compute: Callable[[Any, Any], float] = compute_ssimulacra2
    if min(original.shape[:2]) < 8:
        return None
    return float(compute(_as_file(original), _as_file(decoded)))


def psnr_hvs_db(original: Pixels, decoded: Pixels) -> float | None:
    """PSNR-HVS of luma: squared error of 8 x 8 DCTs, weighted by the eye's contrast sensitivity.

    Equal images give 100. Colour is not seen by it. Sides are padded to multiples of 8.
    """
    try:
        with redirect_stdout(StringIO()):  # on import it tells what else to install
            from psnr_hvsm import BACKENDS  # type: ignore[import-untyped]
    except ImportError:
        return None
    compute: Callable[[Any, Any], tuple[Any, Any]] = BACKENDS["cpp"]["psnr_hvs_hvsm"]
    return float(compute(_padded_luma(original), _padded_luma(decoded))[0])


def _padded_luma(pixels: Pixels) -> npt.NDArray[np.float64]:
    """Pixels -> BT.601 luma, 0 to 1, its last row and column repeated up to multiples of 8."""
    luma = pixels @ (np.array([0.299, 0.587, 0.114]) / 255)
    height, width = luma.shape
    return np.pad(luma, ((0, -height % 8), (0, -width % 8)), "edge")


def _as_file(pixels: Pixels) -> BytesIO:
    buffer = BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, "PPM")
    buffer.seek(0)
    return buffer
