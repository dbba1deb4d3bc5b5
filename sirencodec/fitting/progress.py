"""What a fit says of itself while it runs."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FitProgress:
    """Where a fit is: ``step`` of ``steps`` done, at a PSNR of ``psnr_db`` of late.

    Steps after the last one are corrections towards a target. ``share`` is that of the work that is
    done, 0 to 1: steps differ in how much they are.
    """

    step: int
    steps: int
    psnr_db: float
    share: float = 0.0


OnStep = Callable[[FitProgress], None]
