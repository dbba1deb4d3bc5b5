"""Size of a picture -> memory that its fit takes, asked before any work begins."""

import os
from pathlib import Path
from typing import Final

from sirencodec.errors import LimitError

# Bytes at the peak of a fit on a CPU, for each pixel, and whatever the size, libraries included
# (benchmarks/LOG.md, entries 37 and 43).
FIXED_BYTES: Final = 500 * 2**20
PIXEL_BYTES: Final = 62

CGROUP_LIMIT: Final = Path("/sys/fs/cgroup/memory.max")  # of a container; "max" is none


def fit_bytes(num_pixels: int) -> int:
    """Pixels -> about how many bytes the fit of a pyramid takes at its peak."""
    return FIXED_BYTES + PIXEL_BYTES * num_pixels


def check_memory(num_pixels: int, memory_bytes: int | None) -> None:
    """Pixels -> nothing, if the machine has the memory for them.

    Args:
        num_pixels: of the image.
        memory_bytes: there are; None if that is not known.

    Raises:
        LimitError: if the fit would take more.
    """
    needed = fit_bytes(num_pixels)
    if memory_bytes is not None and needed > memory_bytes:
        raise LimitError(
            f"{num_pixels / 1e6:.0f} megapixels take about {needed / 1e9:.1f} GB of memory to fit, "
            f"and there are {memory_bytes / 1e9:.1f}"
        )


def machine_memory_bytes() -> int | None:
    """Memory of this machine, or of the container if that is less; None if nobody says."""
    found = []
    if hasattr(os, "sysconf"):
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    if CGROUP_LIMIT.exists() and (limit := CGROUP_LIMIT.read_text().strip()).isdigit():
        found.append(int(limit))
    return min(found, default=None)
