"""Kinds of content -> what each codec makes of them in as many bytes as our file has.

Without loss, too: lossless WebP and PNG, whose bytes are all there is to say. Pictures with alpha
are judged as they look: over black, over white and over a chequerboard.
"""

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image

from benchmarks.measuring.codecs import CODECS, OURS, OURS_FOR_PSNR, Effort
from benchmarks.measuring.kinds import KINDS
from benchmarks.measuring.machine import code_fingerprint
from benchmarks.measuring.measure import Point
from benchmarks.measuring.pixels import Pixels
from benchmarks.measuring.quality import psnr_db, ssimulacra2
from benchmarks.measuring.results import RunStore

KIND = "content"
OURS_OF_BOTH_TUNES = (OURS, OURS_FOR_PSNR)
RIVALS = ("avif-444", "avif-444-psnr", "webp")
LOSSLESS: dict[str, dict[str, Any]] = {
    "webp-lossless": {"format": "WEBP", "lossless": True},
    "png": {"format": "PNG", "optimize": True},
}
BACKGROUNDS = ("black", "white", "chequers")
CHEQUER = 8  # pixels a side
Values = npt.NDArray[np.float64]


def measure_content(
    kinds: Sequence[str],
    bpp: float,
    effort: Effort,
    store: RunStore,
    on_point: Callable[[Point], None],
) -> None:
    """Every kind by every codec, as far as the store lacks it.

    Args:
        kinds: names in ``KINDS``.
        bpp: bits a pixel of our files; rivals stay within the bytes of that tuned for eyes.
        effort: of our codec.
        store: takes the points.
        on_point: called with each new point.
    """
    code = code_fingerprint()  # of what this process is about to import
    for kind in kinds:
        pixels, most_bytes = KINDS[kind](), 0
        for name in (*OURS_OF_BOTH_TUNES, *RIVALS, *LOSSLESS):
            is_ours = name in OURS_OF_BOTH_TUNES
            level = effort.level if is_ours else None
            point = store.points.get((name, None, level, bpp, kind))
            if point is None:
                point = {"codec": name, "setting": bpp, "image": kind, "effort": level}
                point |= {"code": code} if is_ours else {}
                point |= _facts(pixels, _encode(name, pixels, bpp, most_bytes, effort))
                store.add(point)
                on_point(point)
            if name == OURS:
                most_bytes = point["bytes"]


def _encode(
    name: str, pixels: Pixels, bpp: float, most_bytes: int, effort: Effort
) -> tuple[bytes, Pixels]:
    """Codec by name -> file and what it decodes to."""
    if name in LOSSLESS:
        file = BytesIO()
        PIL.Image.fromarray(pixels).save(file, **LOSSLESS[name])
        return file.getvalue(), pixels
    if name in OURS_OF_BOTH_TUNES:
        import sirencodec

        data = CODECS[name].encode(pixels, bpp, effort)
        return data, np.asarray(sirencodec.decode(data).samples, np.uint8)
    data = encode_within(name, pixels, most_bytes, effort)
    with PIL.Image.open(BytesIO(data)) as image:
        return data, np.asarray(image.convert("RGBA" if pixels.shape[2] == 4 else "RGB"))


def encode_within(name: str, pixels: Pixels, most_bytes: int, effort: Effort) -> bytes:
    """Pixels -> the best file of at most so many bytes; the smallest there is, if none is."""
    lowest, highest = 0, 100  # qualities
    best = CODECS[name].encode(pixels, lowest, effort)
    while lowest < highest:
        middle = (lowest + highest + 1) // 2
        try:
            data = CODECS[name].encode(pixels, middle, effort)
        except ValueError:  # libaom has no tune=iq at a quality of 100
            highest = middle - 1
            continue
        if len(data) <= most_bytes:
            lowest, best = middle, data
        else:
            highest = middle - 1
    return best


def _facts(pixels: Pixels, coded: tuple[bytes, Pixels]) -> Point:
    """Original, file and its decode -> what a point records of them."""
    data, decoded = coded
    seen = [
        (composite(pixels, background), composite(decoded, background))
        for background in BACKGROUNDS
    ]
    facts: Point = {"bytes": len(data), "bpp": round(8 * len(data) / pixels[..., 0].size, 6)}
    facts["psnr_db"] = [round(psnr_db(*pair), 2) for pair in seen]
    score = ssimulacra2(*seen[BACKGROUNDS.index("white")])
    facts |= {} if score is None else {"ssimulacra2": round(score, 2)}
    if pixels.shape[2] == 4:
        alpha, found = pixels[..., 3], decoded[..., 3]
        facts["least_opaque"] = int(found[_inside(alpha == 255)].min())
        facts["most_transparent"] = int(found[_inside(alpha == 0)].max())
    return facts


def composite(pixels: Pixels, background: str) -> Pixels:
    """RGBA pixels -> RGB as they look over a background; RGB pixels are the same over any."""
    if pixels.shape[2] == 3:
        return pixels
    under: Values = np.full(pixels.shape[:2], 255.0 * (background != "black"))
    if background == "chequers":
        rows, columns = np.indices(under.shape) // CHEQUER
        under *= (rows + columns) % 2
    share = pixels[..., 3:] / 255
    laid: Values = pixels[..., :3] * share + under[..., None] * (1 - share)
    return np.round(laid).astype(np.uint8)


def _inside(region: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Region -> its pixels that are at least two pixels from others."""
    from scipy.ndimage import binary_erosion  # type: ignore[import-untyped]

    inside: npt.NDArray[np.bool_] = binary_erosion(region, np.ones((5, 5)), border_value=1)
    return inside
