"""The C library's heap: whole pictures go back to the system as soon as they are freed.

glibc takes blocks from the system one by one only above a threshold, which rises to 32 MB as such
blocks are freed. From then on a picture's arrays lie among small ones, in a heap that never
shrinks: a fit of 3 megapixels held a third more than it used.
"""

import ctypes
import sys
from functools import lru_cache
from typing import Final

LARGE_BYTES: Final = 1 << 23  # of a block that is taken by itself
KEPT_BYTES: Final = 1 << 26  # free at the end of the heap, that are not given back
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of malloc.h


@lru_cache
def keep_large_blocks_apart() -> None:
    """Set the thresholds of this process, once; does nothing with another C library than glibc."""
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, LARGE_BYTES)
        mallopt(_TRIM_THRESHOLD, KEPT_BYTES)
