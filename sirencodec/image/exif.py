"""EXIF bytes -> the few things in them that matter here, and EXIF without one of them.

EXIF is a TIFF stream: an order of bytes, and directories of entries of 12 bytes that point at each
other by offsets. Cameras keep notes in it whose insides only they know, and which point by offsets,
too. So nothing is moved: what has to go is overwritten where it lies.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

UPRIGHT: Final = 1
TURNED: Final = (5, 6, 7, 8)  # orientations whose stored width is the height as shown

_ORIENTATION_TAG: Final = 0x0112
_LOCATION_TAG: Final = 0x8825
_ENTRY_BYTES: Final = 12
_TYPE_BYTES: Final = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4)  # of a value, by number of its type
_INLINE_BYTES: Final = 4  # values up to here lie in the entry itself

# What they match never has to be looked at twice: possessive, and tags end before the next begins.
_XMP_ATTRIBUTE: Final = re.compile(rb"""(?<!\s)\s++exif:GPS\w++\s*+=\s*+(?:"[^"]*+"|'[^']*+')""")
_XMP_TAG: Final = re.compile(rb"<(/?)exif:GPS(\w++)[^<>]*+>")


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry of a directory: where it begins, and what it says."""

    start: int
    tag: int
    kind: int
    count: int

    @property
    def num_bytes(self) -> int:
        """Of its values."""
        return self.count * (_TYPE_BYTES[self.kind] if self.kind < len(_TYPE_BYTES) else 0)


def read_orientation(exif: bytes | None) -> int:
    """EXIF -> its orientation, 1 (upright) to 8; 1 if it has none, or is damaged."""
    if exif is None:
        return UPRIGHT
    try:
        order = _byte_order(exif)
        for entry in _directory(exif, order, _offset(exif, order, 4)):
            if entry.tag == _ORIENTATION_TAG:
                (value,) = struct.unpack_from(order + "H", exif, entry.start + 8)
                return value if UPRIGHT <= value <= max(TURNED) else UPRIGHT
    except (struct.error, ValueError):
        pass
    return UPRIGHT


def remove_location(exif: bytes) -> bytes | None:
    """EXIF -> the same without the directory of the GPS; None if nothing else was in it.

    Raises:
        ValueError: if it is damaged, so that nobody knows what it holds.
    """
    try:
        return _remove_location(exif)
    except struct.error as error:
        raise ValueError("EXIF is damaged") from error


def remove_xmp_location(xmp: bytes) -> bytes:
    """XMP -> the same without the GPS properties of EXIF in it."""
    spans = [found.span() for found in _XMP_ATTRIBUTE.finditer(xmp)]
    opened: dict[bytes, int] = {}
    for tag in _XMP_TAG.finditer(xmp):
        if tag[1]:
            start = opened.pop(tag[2], None)
            spans += [] if start is None else [(start, tag.end())]
        elif tag[0].endswith(b"/>"):
            spans.append(tag.span())
        else:
            opened.setdefault(tag[2], tag.start())
    kept, position = [], 0
    for start, end in _merged(spans):
        kept.append(xmp[position:start])
        position = end
    return b"".join(kept) + xmp[position:]


def _merged(spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Spans from start to end -> what they cover together, in order, each byte once."""
    covered = 0
    for start, end in sorted(spans):
        if end > covered:
            yield max(start, covered), end
            covered = end


def _remove_location(exif: bytes) -> bytes | None:
    order = _byte_order(exif)
    start = _offset(exif, order, 4)
    entries = list(_directory(exif, order, start))
    found = [entry for entry in entries if entry.tag == _LOCATION_TAG]
    if not found:
        return exif
    if len(found) == len(entries):
        return None
    if len(found) > 1:  # thousands could share a directory of thousands
        raise ValueError("EXIF has several locations")
    data = bytearray(exif)
    _blank_directory(data, order, _offset(exif, order, found[0].start + 8))
    kept = [exif[e.start : e.start + _ENTRY_BYTES] for e in entries if e.tag != _LOCATION_TAG]
    end = start + 2 + _ENTRY_BYTES * len(entries) + 4  # behind the offset of the next directory
    directory = struct.pack(order + "H", len(kept)) + b"".join(kept) + exif[end - 4 : end]
    data[start:end] = directory.ljust(end - start, b"\0")
    return bytes(data)


def _blank_directory(data: bytearray, order: str, start: int) -> None:
    """Overwrite a directory and what its entries point at, which may be the same for many."""
    entries = list(_directory(data, order, start))
    spans = [(start, start + 2 + _ENTRY_BYTES * len(entries) + 4)]
    for entry in entries:
        if entry.num_bytes > _INLINE_BYTES:
            offset = _offset(data, order, entry.start + 8)
            spans.append((offset, offset + entry.num_bytes))
    for first, end in _merged([(first, min(end, len(data))) for first, end in spans]):
        data[first:end] = bytes(end - first)


def _byte_order(exif: bytes) -> str:
    """EXIF -> "<" or ">"."""
    orders = {b"II*\0": "<", b"MM\0*": ">"}
    if exif[:4] not in orders:
        raise ValueError("EXIF does not begin as TIFF does")
    return orders[exif[:4]]


def _offset(data: bytes | bytearray, order: str, at: int) -> int:
    (offset,) = struct.unpack_from(order + "I", data, at)
    return int(offset)


def _directory(data: bytes | bytearray, order: str, start: int) -> Iterator[_Entry]:
    """Offset of a directory -> its entries, one that is cut off raising struct.error."""
    (count,) = struct.unpack_from(order + "H", data, start)
    for i in range(count):
        place = start + 2 + _ENTRY_BYTES * i
        tag, kind, number, _ = struct.unpack_from(order + "HHII", data, place)
        yield _Entry(place, tag, kind, number)
