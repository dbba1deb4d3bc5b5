"""Options of an encode -> what it is asked for, said once, and when a file is that."""

import math
import warnings
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from sirencodec.config import DEFAULT_QUALITY, EncodeConfig
from sirencodec.errors import TargetWarning

OVERHEAD_BYTES: Final = 24  # header and checksum, at most (FORMAT.md, section 2)
PYRAMID_BYTES: Final = 5  # what a pyramid's header takes besides, at most


class Kind(Enum):
    """What a target is a number of; its value is the unit."""

    SCORE = "points"  # of SSIMULACRA2, about so many
    SIZE = "bytes"  # at most
    PSNR = "dB"  # at least


# How far a file may lie on the right side of its target and still be what was asked for: below a
# size, as a share of it, or above a measure of quality, in its unit.
TOLERANCES: Final = {Kind.SCORE: 1.0, Kind.SIZE: 0.05, Kind.PSNR: 0.25}
# The same on the wrong side. A score that is missed by more than twice that is warned of.
SHORTFALLS: Final = {Kind.SCORE: 1.0, Kind.SIZE: 0.0, Kind.PSNR: 0.0}
SHORT_WEIGHT: Final = 3.0
ROUNDING: Final = 1e-9  # of a tolerance, so that a file exactly at its end is within

# Below this side SSIMULACRA2 says nothing, and a quality is a PSNR, from 20 dB at 0 to 45 dB at
# 100, which is about what photographs of these scores have.
SMALLEST_SCORED_SIDE: Final = 8
TINY_PSNR_DB: Final = (20.0, 45.0)
# A score is believed up to what the PSNR allows, from 0 at 14 dB to 100 at 29 dB. Photographs are
# 1 dB above that at least, as AVIF codes them [benchmarks/LOG.md, 35].
BELIEVED_PSNR_DB: Final = (14.0, 29.0)
EXACT: Final = {Kind.SCORE: 100.0, Kind.PSNR: 120.0}  # what an exact decode counts as
LEAST_LOSS: Final = 1.0  # points that are taken to be missing from 100, at least


@dataclass(frozen=True, slots=True)
class Target:
    """What an encode is asked for.

    Attributes:
        kind: what ``value`` is a number of.
        value: points of SSIMULACRA2, bytes of the file, or PSNR in dB.
    """

    kind: Kind
    value: float

    @classmethod
    def of(cls, config: EncodeConfig, width: int, height: int) -> "Target":
        """Options and the image's size -> the target they name; bits a pixel are a size."""
        if config.size_bytes is not None:
            return cls(Kind.SIZE, config.size_bytes)
        if config.bpp is not None:
            return cls(Kind.SIZE, math.floor(config.bpp * width * height / 8))
        if config.psnr_db is not None:
            return cls(Kind.PSNR, config.psnr_db)
        quality = DEFAULT_QUALITY if config.quality is None else config.quality
        if min(width, height) >= SMALLEST_SCORED_SIDE:
            return cls(Kind.SCORE, quality)
        lowest, highest = TINY_PSNR_DB
        return cls(Kind.PSNR, lowest + (highest - lowest) * quality / 100)

    @property
    def budget_bytes(self) -> float | None:
        """Bytes there are; None if the target is no size."""
        return self.value if self.kind is Kind.SIZE else None

    @property
    def budget_bits(self) -> float | None:
        """Bits there are; None if the target is no size."""
        return 8.0 * self.value if self.kind is Kind.SIZE else None

    @property
    def tolerance(self) -> float:
        """Largest ``-miss`` of a file that is what was asked for."""
        return TOLERANCES[self.kind]

    def for_payload(self, overhead_bytes: int) -> "Target":
        """The same target, said of a file's payload instead of the whole file.

        Args:
            overhead_bytes: of the file besides its payload. A size gets smaller by them, down to
                one byte; other targets stay.
        """
        if self.kind is not Kind.SIZE:
            return self
        return replace(self, value=max(self.value - overhead_bytes, 1))

    def miss(self, num_bytes: int, measured: float) -> float:
        """How far a file is from the target; positive on the wrong side.

        Args:
            num_bytes: of what the target is about, the file or its payload.
            measured: the file's quality, in the unit of ``kind`` if that is a measure; infinite if
                the file is exact.

        Returns:
            For a size num_bytes / value - 1, for a measure value - measured.
        """
        if self.kind is Kind.SIZE:
            return num_bytes / max(self.value, 1) - 1
        return self.value - min(measured, EXACT[self.kind])

    def distance(self, miss: float) -> float:
        """Miss -> the same on a scale along which a picture follows the logarithm of lambda.

        For a size log(1 + miss); for a score log((100 - measured) / (100 - value)), for 100 less
        the score goes with a power of lambda; a PSNR in dB is a logarithm as it is.
        """
        if self.kind is Kind.PSNR:
            return miss
        whole = 1.0 if self.kind is Kind.SIZE else max(100 - self.value, LEAST_LOSS)
        return math.log(max(1 + miss / whole, LEAST_LOSS / 100))

    def aim(self, share: float) -> float:
        """Share of the tolerance -> the ``miss`` to aim for: so far on the right side."""
        return -share * self.tolerance

    def is_met(self, num_bytes: int, measured: float) -> bool:
        """Whether a file keeps to the target; arguments as for ``miss``."""
        return self.miss(num_bytes, measured) <= SHORTFALLS[self.kind]

    def is_close(self, num_bytes: int, measured: float) -> bool:
        """Whether a file keeps to the target and is within the tolerance of it.

        A size need not be filled by a file that is exact.
        """
        is_near = self.miss(num_bytes, measured) >= -(1 + ROUNDING) * self.tolerance
        is_enough = is_near or (self.kind is Kind.SIZE and math.isinf(measured))
        return is_enough and self.is_met(num_bytes, measured)

    def merit(self, num_bytes: int, measured: float) -> tuple[bool, float, int]:
        """What is larger for a better file; files that are what was asked for come first.

        Among those within a size the one that measures best, among those that reach a PSNR, or are
        close to a score, the smallest. Among the others it is the smallest miss, a point below a
        score counting as much as ``SHORT_WEIGHT`` above.
        """
        is_score, miss = self.kind is Kind.SCORE, self.miss(num_bytes, measured)
        if not (self.is_close if is_score else self.is_met)(num_bytes, measured):
            return False, -max(SHORT_WEIGHT * miss, -miss), -num_bytes
        return True, measured if self.kind is Kind.SIZE else 0.0, -num_bytes


def believed_score(score: float, psnr_db: float) -> float:
    """SSIMULACRA2 and PSNR of a decode -> the score that is aimed at, and that is told.

    A small picture has few scales, and a fit finds blurs that score well: 63 points at 19.75 dB.
    """
    lowest, highest = BELIEVED_PSNR_DB
    return min(score, 100 * (psnr_db - lowest) / (highest - lowest))


def metadata_bytes(metadata: bytes | None) -> int:
    """Metadata section -> bytes it takes in a file at most, its length and checksum included."""
    return 0 if metadata is None else len(metadata) + 8


def warn_of_missed_target(
    target: Target, num_bytes: int, measured: float, metadata: bytes | None
) -> None:
    """Target and finished file -> a warning if the file is not what was asked for.

    The stack level makes it point at the caller of ``sirencodec.encode``.

    Args:
        target: said of whole files.
        num_bytes: of the file.
        measured: its quality in the target's unit, if that is a measure.
        metadata: section that the file carries.

    Warns:
        TargetWarning: if the file is larger, smaller by more than the tolerance, or worse.
    """
    text = _complaint(target, num_bytes, measured, metadata)
    if text is not None:
        warnings.warn(text, TargetWarning, stacklevel=4)


def _complaint(
    target: Target, num_bytes: int, measured: float, metadata: bytes | None
) -> str | None:
    """Target and finished file -> what is wrong with it; None if nothing is."""
    wanted = f"{target.value} {target.kind.value}"
    if target.miss(num_bytes, measured) <= 2 * SHORTFALLS[target.kind]:
        if target.kind is Kind.SIZE and not target.is_close(num_bytes, measured):
            return f"{wanted} are not filled; the file has {num_bytes}"
        return None
    if target.kind is Kind.SIZE:
        of_them = f", {metadata_bytes(metadata)} of them metadata" if metadata else ""
        return f"{wanted} are out of reach; the file has {num_bytes}{of_them}"
    return f"{wanted} are out of reach; the file has {measured:.2f} {target.kind.value}"
