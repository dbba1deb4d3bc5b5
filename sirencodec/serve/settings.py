"""What serving may take of the machine."""

import os
from dataclasses import dataclass, field
from typing import Final

from sirencodec.limits import Limits
from sirencodec.serve.iiif import SizeLimits


def count_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_SIZE_LIMITS: Final = SizeLimits(16383, 2**24)  # where WebP ends, a side; 4096 x 4096
_LIMITS: Final = Limits(max_multiply_adds=2**38)  # half a minute of one core


@dataclass(frozen=True, slots=True)
class Settings:
    """What serving may take of the machine.

    Attributes:
        cache_bytes: of files, opened functions and image files that are kept.
        num_threads: that decode.
        timeout_s: that a request may take; what it asked for is finished and kept all the same.
        size_limits: of an answer.
        limits: of a file, and of the work of one answer.
        device: "auto", "cpu" or "cuda".
        base_url: what our URLs begin with, where a proxy stands before; None to go by the request.
    """

    cache_bytes: int = 256 * 2**20
    num_threads: int = field(default_factory=count_cores)
    timeout_s: float = 30.0
    size_limits: SizeLimits = _SIZE_LIMITS
    limits: Limits = _LIMITS
    device: str = "auto"
    base_url: str | None = None
