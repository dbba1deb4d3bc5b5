"""Original and decode -> which detail is kept, weak and strong, of light and of colour.

Squared error says how much detail is lost, not which. Here the picture is cut into blocks of 16 x
16 pixels, and these into fifths by the contrast of the original's detail, so that grass and fur
(low) are told from edges (high). Of each fifth:

* light: BT.601 luma less its Gaussian blur of sigma 2 pixels. The correlation of decoded detail
  with the original's, 1 where it is kept, 0 where it is lost or another.
* red-green: red less luma, blurred by sigma 1 less blurred by sigma 4. The same correlation, and
  the energy: standard deviation of decoded detail relative to the original's. Much energy at little
  correlation is false colour.
"""

import hashlib
from collections.abc import Callable, Sequence
from itertools import pairwise
from math import log
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.measuring.codecs import CODECS, Codec, Effort, is_ours
from benchmarks.measuring.machine import code_fingerprint
from benchmarks.measuring.measure import Point, kept_file
from benchmarks.measuring.pixels import Pixels, read_pixels
from benchmarks.measuring.results import RunStore

KIND = "detail"
FIELDS = ("luma_correlation", "red_green_correlation", "red_green_energy")
BLOCK = 16  # pixels a side
PARTS = 5
LUMA_BLUR, COLOUR_BLURS = 2.0, (1.0, 4.0)  # sigma, pixels
FINER = 5  # settings tried between two of a codec's grid; every quality, as theirs go by 5
LEAST_DEVIATION = 1e-6  # of a block that has detail at all, in levels
Plane = npt.NDArray[np.float64]


def measure_detail(original: Pixels, decoded: Pixels) -> dict[str, list[float]]:
    """Original and decoded pixels -> correlations and energy, each from low to high contrast."""
    luma = [_blocks(_luma_detail(pixels)) for pixels in (original, decoded)]
    colour = [_blocks(_colour_detail(pixels)) for pixels in (original, decoded)]
    correlations = [_by_contrast(pair, _correlation) for pair in (luma, colour)]
    values = (*correlations, _by_contrast(colour, _energy))
    return dict(zip(FIELDS, values, strict=True))


def measure_details(
    images: Sequence[Path],
    codecs: Sequence[str],
    efforts: Sequence[Effort],
    target_bpp: float,
    store: RunStore,
    on_point: Callable[[Point], None],
    kept: Path | None = None,
) -> None:
    """Every image by every codec, as near to a rate as it comes, that the store lacks.

    Args:
        images: originals.
        codecs: names in ``CODECS``.
        efforts: of ours, one point each; the first one's threads are the rivals', too.
        target_bpp: bits a pixel.
        store: takes the points.
        on_point: called with each new point.
        kept: folder where a rate-distortion run kept coded files, which need no encoding.
    """
    code = code_fingerprint()  # of what this process is about to import
    for image in images:
        original = read_pixels(image)
        for name in codecs:
            for effort in efforts if is_ours(name) else [Effort(threads=efforts[0].threads)]:
                key = (name, None, effort.level, target_bpp, image.stem)
                if key in store.points:
                    continue
                data = _kept_data(kept, name, target_bpp, effort, image)
                data = data or encode_near(original, target_bpp, CODECS[name], effort)
                point: Point = {"codec": name, "setting": target_bpp, "image": image.stem}
                if is_ours(name):
                    point |= {"effort": effort.level, "code": code}
                point |= _facts(original, data, CODECS[name].decode(data, effort.threads))
                store.add(point)
                on_point(point)


def _kept_data(
    kept: Path | None, codec: str, bpp: float, effort: Effort, image: Path
) -> bytes | None:
    """What names a file of ours -> its bytes, if they were kept; rivals' settings are no rates."""
    if kept is None or not is_ours(codec):
        return None
    path = kept_file(kept, codec, bpp, effort.level, image.stem)
    return path.read_bytes() if path.exists() else None


def _facts(original: Pixels, data: bytes, decoded: Pixels) -> Point:
    """What a point records of a file."""
    height, width, _ = original.shape
    detail = measure_detail(original, decoded)
    return {
        "bytes": len(data),
        "bpp": round(8 * len(data) / (width * height), 6),
        "sha256": hashlib.sha256(data).hexdigest()[:16],
        **{name: [round(value, 4) for value in values] for name, values in detail.items()},
    }


def encode_near(pixels: Pixels, target_bpp: float, codec: Codec, effort: Effort) -> bytes:
    """Pixels -> the file nearest to a rate in its logarithm, by bisection over the settings."""
    if is_ours(codec.name):
        return codec.encode(pixels, target_bpp, effort)
    wanted = target_bpp * pixels.shape[0] * pixels.shape[1] / 8
    grid = _finer(codec.settings)
    lowest, highest = 0, len(grid) - 1
    files = {index: codec.encode(pixels, grid[index], effort) for index in (lowest, highest)}
    while highest - lowest > 1:
        middle = (lowest + highest) // 2
        files[middle] = codec.encode(pixels, grid[middle], effort)
        lowest, highest = (middle, highest) if len(files[middle]) < wanted else (lowest, middle)
    return min(files.values(), key=lambda data: abs(log(len(data) / wanted)))


def _finer(settings: Sequence[float]) -> list[float]:
    """A codec's grid -> the same with evenly spaced settings in between."""
    between = [np.linspace(low, high, FINER, endpoint=False) for low, high in pairwise(settings)]
    return [float(setting) for setting in (*np.concatenate(between), settings[-1])]


def _luma(pixels: Pixels) -> Plane:
    luma: Plane = pixels @ np.array([0.299, 0.587, 0.114])
    return luma


def _luma_detail(pixels: Pixels) -> Plane:
    """What a blur takes from luma, in levels."""
    luma = _luma(pixels)
    return luma - _blurred(luma, LUMA_BLUR)


def _colour_detail(pixels: Pixels) -> Plane:
    """Red less luma between two blurs, in levels."""
    red = pixels[..., 0] - _luma(pixels)
    fine, coarse = (_blurred(red, sigma) for sigma in COLOUR_BLURS)
    return fine - coarse


def _blurred(plane: Plane, sigma: float) -> Plane:
    from scipy.ndimage import gaussian_filter  # type: ignore[import-untyped]

    blurred: Plane = gaussian_filter(plane, sigma)
    return blurred


def _blocks(plane: Plane) -> Plane:
    """Plane -> its whole blocks, one a row, each less its mean."""
    height, width = (side // BLOCK for side in plane.shape)
    whole = plane[: height * BLOCK, : width * BLOCK].reshape(height, BLOCK, width, BLOCK)
    blocks = whole.swapaxes(1, 2).reshape(-1, BLOCK * BLOCK)
    centred: Plane = blocks - blocks.mean(1, keepdims=True)
    return centred


def _by_contrast(blocks: Sequence[Plane], value_of: Callable[[Plane, Plane], float]) -> list[float]:
    """Blocks of original and decode -> a value of each part, lowest contrast first."""
    original, decoded = blocks
    order = np.argsort(original.std(1), kind="stable")
    parts = np.array_split(order, PARTS)
    return [value_of(original[part], decoded[part]) for part in parts]


def _correlation(original: Plane, decoded: Plane) -> float:
    """Mean over blocks; 0 for a block that is flat in either."""
    products = (original * decoded).mean(1)
    deviations = original.std(1) * decoded.std(1)
    return float(np.mean(products / np.maximum(deviations, LEAST_DEVIATION**2)))


def _energy(original: Plane, decoded: Plane) -> float:
    """Mean standard deviation of the decode's blocks relative to that of the original's."""
    return float(decoded.std(1).mean() / max(original.std(1).mean(), LEAST_DEVIATION))
