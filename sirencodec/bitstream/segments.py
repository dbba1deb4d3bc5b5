"""Table of segments <-> bytes, and what is coded of a picture (FORMAT.md, sections 2 and 5)."""

import binascii
from array import array
from dataclasses import dataclass, field

from sirencodec.bitstream.format import (
    SEGMENT_BYTES_RANGE,
    SEGMENT_CHECKSUM_BYTES,
    SEGMENT_CHECKSUM_START,
)
from sirencodec.bitstream.header import Cursor
from sirencodec.bitstream.tiling import Tiling
from sirencodec.bitstream.varint import write_varint


@dataclass(frozen=True, slots=True)
class Payload:
    """What is coded of a picture.

    Attributes:
        matrices: coded matrices.
        tiling: how latents are cut; None in the pure profile.
        segments: coded latents, one for each part of a ``Layout``; None where all are zero.
    """

    matrices: bytes
    tiling: Tiling | None = None
    segments: tuple[bytes | None, ...] = ()

    @property
    def num_bytes(self) -> int:
        """What it takes in a file, with the table of segments."""
        return (
            len(self.matrices)
            + len(write_table(self.segments))
            + sum(len(segment) for segment in self.segments if segment is not None)
        )


@dataclass(frozen=True, slots=True)
class SegmentTable:
    """Where segments are, and what they must be.

    Attributes:
        starts: offsets from the first segment's, and the end of the last one.
        checksums: CRC-16 of each; -1 where there is nothing but zeros.
    """

    starts: "array[int]" = field(default_factory=lambda: array("q", [0]))
    checksums: "array[int]" = field(default_factory=lambda: array("l"))

    def __len__(self) -> int:
        return len(self.checksums)

    @property
    def num_bytes(self) -> int:
        """Bytes of all segments together."""
        return self.starts[-1]

    def is_zero(self, index: int) -> bool:
        """Whether a segment has no bytes, for all it stands for is zero."""
        return self.checksums[index] < 0


def segment_checksum(data: bytes) -> int:
    """Bytes -> their CRC-16 (CCITT's polynomial, all ones at first)."""
    return binascii.crc_hqx(data, SEGMENT_CHECKSUM_START)


def write_table(segments: tuple[bytes | None, ...]) -> bytes:
    """Segments -> length and checksum of each."""
    table = bytearray()
    for segment in segments:
        if segment is None:
            table += write_varint(0)
        else:
            table += write_varint(len(segment) + 1)
            table += segment_checksum(segment).to_bytes(SEGMENT_CHECKSUM_BYTES, "little")
    return bytes(table)


def read_table(cursor: Cursor, count: int) -> SegmentTable:
    """Cursor at a table of so many segments -> what it says. It ends within the file, or no table.

    Raises:
        FormatError: if the file ends before, or a length is malformed.
    """
    table = SegmentTable()
    end = 0
    for _ in range(count):
        length = cursor.field("segment_bytes", SEGMENT_BYTES_RANGE)
        checksum = -1
        if length:
            end += length - 1
            stated = cursor.take(SEGMENT_CHECKSUM_BYTES, "segment checksum")
            checksum = int.from_bytes(stated, "little")
        table.starts.append(end)
        table.checksums.append(checksum)
    return table
