"""Samples -> whether a lossless WebP of them is smaller than a file, and by how much.

Screenshots, charts and pixel art are full of copies, which a function of coordinates cannot use.
There lossless WebP is often smaller than a file of ours that loses something.
"""

from contextlib import suppress
from io import BytesIO
from typing import Any, Final

import numpy as np
import PIL.features
import PIL.Image

from sirencodec.image.samples import Samples

LARGEST_SIDE: Final = 16_383  # of a WebP
# A first look, without copies and palettes, takes 0.06 s a megapixel, the full search 1.3. What the
# first look makes of a chart is six times what the search does; photographs take twenty times as
# much as our files of them by either.
LARGEST_RATIO: Final = 16
_FIRST_LOOK: Final[dict[str, Any]] = {"method": 0, "quality": 0}
_SEARCH: Final[dict[str, Any]] = {"method": 4, "quality": 80}  # as Pillow does


def smaller_lossless_webp(samples: Samples, most_bytes: int) -> int | None:
    """(height, width, channels) samples -> bytes of a lossless WebP, if fewer than ``most_bytes``.

    None as well where it is not known: samples of 16 bits or longer sides, which a WebP cannot
    hold; a Pillow without WebP, or without memory for it; a first look that takes LARGEST_RATIO
    times as much.
    """
    if (
        samples.dtype != np.uint8
        or max(samples.shape[:2]) > LARGEST_SIDE
        or not PIL.features.check("webp")
    ):
        return None
    pil = PIL.Image.fromarray(samples[:, :, 0] if samples.shape[2] == 1 else samples)
    with suppress(OSError, MemoryError):  # it is a remark on a file that is made already
        if _webp_bytes(pil, _FIRST_LOOK) <= LARGEST_RATIO * most_bytes:
            found = _webp_bytes(pil, _SEARCH)
            return found if found < most_bytes else None
    return None


def _webp_bytes(pil: PIL.Image.Image, options: dict[str, Any]) -> int:
    buffer = BytesIO()
    pil.save(buffer, "WEBP", lossless=True, **options)
    return buffer.tell()
