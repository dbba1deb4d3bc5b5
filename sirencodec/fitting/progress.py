"""What a fit says of itself while it runs."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FitProgress:
    """Where a fit is: ``step`` of ``steps`` done, at a PSNR of ``psnr_db`` of late.

    Steps after the last one are corrections towards a target.
    """

    step: int
    steps: int
    psnr_db: float


OnStep = Callable[[FitProgress], None]
