"""Target -> payload budgets to try until it is met, and a warning if it is not."""

import math
import warnings
from collections.abc import Callable
from typing import Protocol, TypeVar

from sirencodec.config import DEFAULT_QUALITY, EncodeConfig
from sirencodec.errors import TargetWarning
from sirencodec.fitting.pure.plan import LARGEST_PAYLOAD_BITS, SMALLEST_PAYLOAD_BITS, quality_bits

OVERHEAD_BYTES = 24  # header and checksum, at most (FORMAT.md, section 2)
PYRAMID_BYTES = 4  # of a pyramid's header besides
TOLERANCE = 0.05  # a rate target is met by a file within this of it, from below

PSNR_TOLERANCE_DB = 0.25  # a PSNR target is met by a file within this of it, from above
PSNR_ATTEMPTS = 6
PSNR_FIRST_BPP = 0.2
PSNR_LARGEST_BPP = 2.0  # beyond it a network of weights alone grows without gaining
DB_PER_OCTAVE = 2.0  # what twice the bits bring, before two attempts tell better


class Attempt(Protocol):
    """What an attempt at a budget yields, as far as this module looks."""

    @property
    def data(self) -> bytes:
        """The file."""

    @property
    def psnr_db(self) -> float:
        """Its quality."""


Result = TypeVar("Result", bound=Attempt)


def reach_target(
    attempt: Callable[[float], Result],
    num_pixels: int,
    config: EncodeConfig,
    metadata: bytes | None,
) -> Result:
    """Attempts at payload budgets -> the result that meets the config's target, or comes closest.

    Args:
        attempt: makes a file whose payload keeps to a budget in bits.
        num_pixels: stored pixels.
        config: holds the target.
        metadata: section that every file will carry.
    """
    if config.psnr_db is not None:
        return _reach_psnr(attempt, config.psnr_db, num_pixels)
    target_bytes = target_file_bytes(config, num_pixels)
    if target_bytes is not None:
        # One attempt: a payload keeps to its budget, so the file keeps to its size.
        return attempt(_clamp(8.0 * (target_bytes - OVERHEAD_BYTES - metadata_bytes(metadata))))
    quality = DEFAULT_QUALITY if config.quality is None else config.quality
    return attempt(_clamp(quality_bits(quality, num_pixels) - 8 * OVERHEAD_BYTES))


def target_file_bytes(config: EncodeConfig, num_pixels: int) -> int | None:
    """Options and pixels -> bytes the file may have; None if they do not say."""
    if config.size_bytes is not None:
        return config.size_bytes
    return None if config.bpp is None else math.floor(config.bpp * num_pixels / 8)


def metadata_bytes(metadata: bytes | None) -> int:
    """Metadata section -> bytes it takes in a file, its length and checksum included."""
    return 0 if metadata is None else len(metadata) + 8


def warn_of_missed_target(
    result: Attempt, num_pixels: int, config: EncodeConfig, metadata: bytes | None
) -> None:
    """Warn, in the name of the caller's caller's caller, if a file is not what was asked for.

    Warns:
        TargetWarning: if it is larger, smaller by more than the tolerance, or worse.
    """
    target_bytes, size = target_file_bytes(config, num_pixels), len(result.data)
    text = None
    if target_bytes is not None and size > target_bytes:
        of_them = f", {metadata_bytes(metadata)} of them metadata" if metadata else ""
        text = f"{target_bytes} bytes are out of reach; the file has {size}{of_them}"
    elif target_bytes is not None and size < (1 - TOLERANCE) * target_bytes:
        text = f"{target_bytes} bytes are not filled; the file has {size}"
    elif config.psnr_db is not None and result.psnr_db < config.psnr_db:
        text = f"{config.psnr_db} dB are out of reach; the file has {result.psnr_db:.2f} dB"
    if text:
        warnings.warn(text, TargetWarning, stacklevel=4)


def _clamp(budget_bits: float) -> float:
    return min(max(budget_bits, SMALLEST_PAYLOAD_BITS), LARGEST_PAYLOAD_BITS)


def _reach_psnr(attempt: Callable[[float], Result], target_db: float, num_pixels: int) -> Result:
    """Search over the logarithm of the budget, by interpolation between attempts."""
    largest = math.log2(_clamp(PSNR_LARGEST_BPP * num_pixels + 8 * SMALLEST_PAYLOAD_BITS))
    smallest = math.log2(SMALLEST_PAYLOAD_BITS)
    position = math.log2(_clamp(PSNR_FIRST_BPP * num_pixels))
    below: list[tuple[float, Result]] = []
    above: list[tuple[float, Result]] = []
    for _ in range(PSNR_ATTEMPTS):
        result = attempt(2**position)
        if result.psnr_db >= target_db:
            above.append((position, result))
        else:
            below.append((position, result))
        enough = 0 <= result.psnr_db - target_db <= PSNR_TOLERANCE_DB
        at_end = position == (largest if result.psnr_db < target_db else smallest)
        if enough or at_end:
            break
        position = min(max(_next_position(below, above, target_db), smallest), largest)
    if above:
        return min(above, key=lambda tried: len(tried[1].data))[1]
    return max(below, key=lambda tried: tried[1].psnr_db)[1]


def _next_position(
    below: list[tuple[float, Result]], above: list[tuple[float, Result]], target_db: float
) -> float:
    """Attempts so far -> logarithm of the budget to try next."""
    aim = target_db + PSNR_TOLERANCE_DB / 2
    if below and above:
        low, high = max(below, key=lambda tried: tried[0]), min(above, key=lambda tried: tried[0])
        rise = high[1].psnr_db - low[1].psnr_db
        if high[0] <= low[0] or rise <= 0:  # noise of the fits; give the larger some more
            return high[0] + 0.1
        return low[0] + (high[0] - low[0]) * (aim - low[1].psnr_db) / rise
    nearest = below[-1] if below else above[-1]
    return nearest[0] + (aim - nearest[1].psnr_db) / DB_PER_OCTAVE
