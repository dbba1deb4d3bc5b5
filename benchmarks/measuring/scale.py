"""Image -> how good its file is at twice its stored size.

The image is shrunk by two (Lanczos), encoded, and decoded at the original size: against the
original this shows what asking the function between its pixels is worth. Beside it, the same file
decoded at its stored size and enlarged by Lanczos and bicubic, as any other codec's user would; and
the shrunk image itself enlarged by Lanczos, uncoded, as a mark of what that road can reach.

Rates are bits a pixel of the shrunk image, which is the one that is stored: a quarter of as many
bits a pixel of the original.
"""

import hashlib
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from benchmarks.measuring.codecs import CODECS, OURS, Effort
from benchmarks.measuring.machine import code_fingerprint
from benchmarks.measuring.measure import Point
from benchmarks.measuring.pixels import Pixels, read_pixels
from benchmarks.measuring.quality import measure_quality, psnr_db
from benchmarks.measuring.results import RunStore

KIND = "scale"
FACTOR = 2
LANCZOS, BICUBIC = PIL.Image.Resampling.LANCZOS, PIL.Image.Resampling.BICUBIC
WAYS = {
    "queried": "decoded at twice the size",
    "lanczos": "decoded, then Lanczos",
    "bicubic": "decoded, then bicubic",
    "uncoded": "not coded, Lanczos",
}


def measure_scale(
    images: Sequence[Path],
    targets_bpp: Sequence[float],
    effort: Effort,
    store: RunStore,
    on_point: Callable[[Point], None],
) -> None:
    """Every image at every rate that the store does not have yet.

    Args:
        images: originals.
        targets_bpp: rates, per pixel of the *shrunk* image.
        effort: of the encoder.
        store: takes the points.
        on_point: called with each new point.
    """
    code = code_fingerprint()  # of what this process is about to import
    for image in images:
        original = _even(read_pixels(image))
        for target in targets_bpp:
            if (OURS, None, effort.level, target, image.stem) in store.points:
                continue
            point = {"codec": OURS, "setting": target, "effort": effort.level, "image": image.stem}
            point |= {"code": code} | _measure(original, target, effort)
            store.add(point)
            on_point(point)


def _measure(original: Pixels, target_bpp: float, effort: Effort) -> dict[str, Any]:
    import sirencodec

    height, width, _ = original.shape
    shrunk = resize(original, width // FACTOR, height // FACTOR, LANCZOS)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        data = CODECS[OURS].encode(shrunk, target_bpp, effort)
    stored = CODECS[OURS].decode(data, effort.threads)
    enlarged: dict[str, Pixels] = {
        "queried": np.asarray(
            sirencodec.decode(data, width=width, height=height).samples, np.uint8
        ),
        "lanczos": resize(stored, width, height, LANCZOS),
        "bicubic": resize(stored, width, height, BICUBIC),
        "uncoded": resize(shrunk, width, height, LANCZOS),
    }
    facts: dict[str, Any] = {
        "bytes": len(data),
        "bpp": round(8 * len(data) * FACTOR**2 / (width * height), 6),
        "stored_psnr_db": round(psnr_db(shrunk, stored), 4),
        "sha256": hashlib.sha256(data).hexdigest()[:16],
    }
    for way, pixels in enlarged.items():
        for name, value in measure_quality(original, pixels).items():
            facts[f"{way}_{name}"] = round(value, 4)
    if caught:
        facts["notes"] = sorted({str(warning.message) for warning in caught})
    return facts


def resize(pixels: Pixels, width: int, height: int, method: PIL.Image.Resampling) -> Pixels:
    """Pixels -> the same at another size, by Pillow."""
    return np.asarray(PIL.Image.fromarray(pixels).resize((width, height), method))


def _even(pixels: Pixels) -> Pixels:
    """Pixels -> without the last row or column where their number is odd."""
    height, width, _ = pixels.shape
    return np.ascontiguousarray(pixels[: height // FACTOR * FACTOR, : width // FACTOR * FACTOR])
