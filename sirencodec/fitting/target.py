"""Options of an encode -> what it is asked for, said once, and when a file is that."""

import math
import warnings
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from sirencodec.config import DEFAULT_QUALITY, EncodeConfig
from sirencodec.errors import TargetWarning

OVERHEAD_BYTES: Final = 24  # header and checksum, at most (FORMAT.md, section 2)
PYRAMID_BYTES: Final = 4  # what a pyramid's header takes besides, at most


class Kind(Enum):
    """What a target is a number of; its value is the unit."""

    QUALITY = "points"  # of 100; fixes how much is spent, so no file can miss it
    SIZE = "bytes"  # at most
    PSNR = "dB"  # at least


# How far a file may lie on the right side of its target and still be what was asked for: below a
# size, as a share of it, or above a measure of quality, in its unit.
TOLERANCES: Final = {Kind.QUALITY: math.inf, Kind.SIZE: 0.05, Kind.PSNR: 0.25}
ROUNDING: Final = 1e-9  # of a tolerance, so that a file exactly at its end is within


@dataclass(frozen=True, slots=True)
class Target:
    """What an encode is asked for.

    Attributes:
        kind: what ``value`` is a number of.
        value: points of quality, bytes of the file, or PSNR in dB.
    """

    kind: Kind
    value: float

    @classmethod
    def of(cls, config: EncodeConfig, num_pixels: int) -> "Target":
        """Options and pixels -> the target they name; bits a pixel are a size."""
        if config.size_bytes is not None:
            return cls(Kind.SIZE, config.size_bytes)
        if config.bpp is not None:
            return cls(Kind.SIZE, math.floor(config.bpp * num_pixels / 8))
        if config.psnr_db is not None:
            return cls(Kind.PSNR, config.psnr_db)
        return cls(Kind.QUALITY, DEFAULT_QUALITY if config.quality is None else config.quality)

    @property
    def budget_bytes(self) -> float | None:
        """Bytes there are; None if the target is no size."""
        return self.value if self.kind is Kind.SIZE else None

    @property
    def budget_bits(self) -> float | None:
        """Bits there are; None if the target is no size."""
        return 8.0 * self.value if self.kind is Kind.SIZE else None

    @property
    def psnr_db(self) -> float | None:
        """PSNR to reach; None if the target is another."""
        return self.value if self.kind is Kind.PSNR else None

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
        """How far a file is from the target; positive where it breaks it.

        Args:
            num_bytes: of what the target is about, the file or its payload.
            measured: the file's quality in the unit of ``kind``, if that is a measure.

        Returns:
            For a size num_bytes / value - 1, for a measure value - measured, and 0 for a quality.
        """
        if self.kind is Kind.QUALITY:
            return 0.0
        if self.kind is Kind.SIZE:
            return num_bytes / max(self.value, 1) - 1
        return self.value - measured

    def aim(self, share: float) -> float:
        """Share of the tolerance -> the ``miss`` to aim for: so far on the right side."""
        return -share * self.tolerance

    def is_met(self, num_bytes: int, measured: float) -> bool:
        """Whether a file keeps to the target; arguments as for ``miss``."""
        return self.miss(num_bytes, measured) <= 0

    def is_close(self, num_bytes: int, measured: float) -> bool:
        """Whether a file keeps to the target and is within the tolerance of it."""
        return -(1 + ROUNDING) * self.tolerance <= self.miss(num_bytes, measured) <= 0

    def merit(self, num_bytes: int, measured: float) -> tuple[bool, float]:
        """What is larger for a better file; files that keep to the target come first.

        Among them a size prefers what is measured, a measure fewer bytes; among the others it is
        the smallest miss.
        """
        if not self.is_met(num_bytes, measured):
            return False, -self.miss(num_bytes, measured)
        return True, measured if self.kind is Kind.SIZE else -num_bytes


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
    if target.is_met(num_bytes, measured):
        if target.kind is Kind.SIZE and not target.is_close(num_bytes, measured):
            return f"{wanted} are not filled; the file has {num_bytes}"
        return None
    if target.kind is Kind.SIZE:
        of_them = f", {metadata_bytes(metadata)} of them metadata" if metadata else ""
        return f"{wanted} are out of reach; the file has {num_bytes}{of_them}"
    return f"{wanted} are out of reach; the file has {measured:.2f} {target.kind.value}"
