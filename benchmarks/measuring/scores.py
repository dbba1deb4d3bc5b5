"""Photographs and qualities -> the score that each file has, beside the one that was asked for.

The score is measured anew, of decoded pixels, by the package ``ssimulacra2``, not by our own code.
"""

import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.measuring.codecs import OURS, Effort
from benchmarks.measuring.machine import code_fingerprint
from benchmarks.measuring.measure import Point
from benchmarks.measuring.pixels import Pixels, read_pixels
from benchmarks.measuring.quality import measure_quality
from benchmarks.measuring.results import RunStore

KIND = "scores"
PROMISED = 2.0  # points


def measure_scores(
    images: Sequence[Path],
    qualities: Sequence[float],
    side: int,
    tune: str,
    effort: Effort,
    store: RunStore,
    on_point: Callable[[Point], None],
) -> None:
    """Every image at every quality that the store lacks.

    Args:
        images: originals, of which the middle is taken.
        qualities: to ask for.
        side: of the middle, in pixels; of a smaller image all.
        tune: as in ``EncodeConfig``; part of a point's variant.
        effort: of all encodes.
        store: takes the points.
        on_point: called with each new point.
    """
    code = code_fingerprint()  # of what this process is about to import
    for image in images:
        for quality in qualities:
            key = (OURS, tune, effort.level, quality, image.stem)
            if key not in store.points:
                point: Point = {"codec": OURS, "variant": tune, "effort": effort.level}
                point |= {"setting": quality, "image": image.stem, "code": code}
                point |= _facts(middle(read_pixels(image), side), quality, tune, effort)
                store.add(point)
                on_point(point)


def middle(pixels: Pixels, side: int) -> Pixels:
    """Pixels -> those in the middle, at most ``side`` on either axis."""
    height, width = (min(side, length) for length in pixels.shape[:2])
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return pixels[top : top + height, left : left + width]


def _facts(pixels: Pixels, quality: float, tune: str, effort: Effort) -> Point:
    """What a point records of a file."""
    import torch

    import sirencodec

    torch.set_num_threads(effort.threads)
    started = time.perf_counter()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        data = sirencodec.encode(
            pixels, quality=quality, tune=tune, effort=effort.level, seed=effort.seed, device="cpu"
        )
    seconds = time.perf_counter() - started
    decoded = sirencodec.decode(data, device="cpu").samples.astype(np.uint8)
    reached = measure_quality(pixels, decoded)
    height, width, _ = pixels.shape
    return {
        "bytes": len(data),
        "bpp": round(8 * len(data) / (width * height), 6),
        "warned": any(issubclass(one.category, sirencodec.TargetWarning) for one in said),
        "seconds": round(seconds, 2),
        **{name: round(value, 4) for name, value in reached.items()},
    }
