"""Parts <-> bytes of a file (FORMAT.md, sections 2 to 4; of version 0, section 12).

The head, each segment and the metadata carry a checksum each: a crop is verified without what it
does not need, and damaged metadata never costs the picture. Lengths add up to the file's size
exactly and every value has one encoding.
"""

import zlib
from dataclasses import dataclass, field

from sirencodec.bitstream.format import (
    CHECKSUM_BYTES,
    MATRICES_BYTES_RANGE,
    MAX_VARINT_BYTES,
    METADATA_BYTES_RANGE,
    METADATA_FLAG,
    OLD_VERSION,
    PAYLOAD_BYTES_RANGE,
)
from sirencodec.bitstream.header import Cursor, Header, read_header, write_header
from sirencodec.bitstream.segments import (
    Payload,
    SegmentTable,
    read_table,
    segment_checksum,
    write_table,
)
from sirencodec.bitstream.source import Bytes, Source
from sirencodec.bitstream.tiling import Layout, Tiling
from sirencodec.bitstream.varint import write_varint
from sirencodec.errors import CorruptError, TruncatedError
from sirencodec.limits import DEFAULT_LIMITS, Limits

_FLAGS_OFFSET = 5


@dataclass(frozen=True, slots=True)
class Container:
    """A .siren file taken apart.

    Attributes:
        header: sizes and shapes.
        matrices: the coded matrices; in version 0, the latents are in the same stream.
        tiling: how latents are cut into segments; None if they are not.
        table: where segments are.
        segments_start: offset of the first segment.
        source: the file.
        metadata: the compressed metadata section, checksum not yet verified; None if there is none,
            or if the file ends early and that was allowed.
        metadata_checksum: CRC-32 that the file states for it.
    """

    header: Header
    matrices: bytes
    tiling: Tiling | None
    table: SegmentTable
    segments_start: int
    source: Source = field(compare=False)
    metadata: bytes | None = None
    metadata_checksum: int = 0

    @property
    def payload_bytes(self) -> int:
        """Bytes of all that is coded; the table of segments is not."""
        return len(self.matrices) + self.table.num_bytes

    def segment(self, index: int) -> bytes:
        """Index of a segment that has bytes -> those of them that the file has, not verified."""
        start, end = (self.segments_start + self.table.starts[index + more] for more in (0, 1))
        return self.source.read(start, end)

    def sound_segment(self, index: int) -> bytes:
        """Index of a segment that has bytes -> all of them.

        Raises:
            TruncatedError: if the file ends before them.
            CorruptError: if they are not those that were written.
        """
        data = self.segment(index)
        start, end = self.table.starts[index : index + 2]
        offset = self.segments_start + start
        if len(data) < end - start:
            raise TruncatedError("file ends early", offset=offset + len(data), field="segment")
        if segment_checksum(data) != self.table.checksums[index]:
            raise CorruptError(
                "checksum of a segment does not match", offset=offset, field="segment"
            )
        return data

    def verify(self) -> None:
        """Raise what ``sound_segment`` raises of any segment."""
        for index in range(len(self.table)):
            if not self.table.is_zero(index):
                self.sound_segment(index)


def write_container(header: Header, payload: Payload, metadata: bytes | None = None) -> bytes:
    """Parts -> .siren file. ``metadata`` is a section from ``write_metadata``, or None."""
    head = write_header(header, payload.tiling, has_metadata=metadata is not None)
    head += write_varint(len(payload.matrices)) + write_table(payload.segments) + payload.matrices
    data = head + _checksum_bytes(head)
    data += b"".join(segment for segment in payload.segments if segment is not None)
    if metadata is not None:
        data += write_varint(len(metadata)) + metadata + _checksum_bytes(metadata)
    return data


def without_metadata(container: Container) -> bytes:
    """File taken apart -> the same file, but for its metadata."""
    start = container.segments_start
    data = container.source.read(0, start + container.table.num_bytes)
    head = bytearray(data[: start - CHECKSUM_BYTES])
    head[_FLAGS_OFFSET] &= ~METADATA_FLAG
    return bytes(head) + _checksum_bytes(head) + data[start:]


def overhead_bytes(header: Header, payload_bytes: int) -> int:
    """What a pure file without metadata has besides a payload of so many bytes."""
    length, no_length = write_varint(payload_bytes), write_varint(0)
    return len(write_container(header, Payload(b""))) - len(no_length) + len(length)


def parse_container(
    data: bytes | Source, limits: Limits = DEFAULT_LIMITS, *, partial: bool = False
) -> Container:
    """.siren file -> its parts; the checksum of the head, all lengths and limits are verified.

    Checksums of segments are left to who reads them, that of the metadata to ``read_metadata``: a
    caller that does not want the metadata gets the picture whatever became of it.

    Args:
        data: the file.
        limits: what it may ask for.
        partial: whether it may end early, behind its head.

    Raises:
        FormatError: one of its kinds, if the bytes are not a valid file.
        LimitError: if the file asks for more than ``limits``.
    """
    source = Bytes(data) if isinstance(data, bytes) else data
    limits.check("max_file_bytes", source.size)
    cursor = Cursor(source)
    header, tiling, has_metadata = read_header(cursor)
    limits.check("max_parameters", header.architecture.num_parameters)
    table = SegmentTable()
    if header.version == OLD_VERSION:
        num_bytes = cursor.field("payload_bytes", PAYLOAD_BYTES_RANGE)
    else:
        num_bytes = cursor.field("matrices_bytes", MATRICES_BYTES_RANGE)
        if tiling is not None:
            shapes = header.architecture.grid_shapes(header.width, header.height)
            table = read_table(cursor, len(Layout(tiling, shapes)))
    matrices = cursor.take(num_bytes, "payload")
    head = cursor.data[: cursor.offset]
    if _checksum_bytes(head) != cursor.take(CHECKSUM_BYTES, "picture checksum"):
        raise CorruptError("checksum of the picture does not match", offset=len(head))
    start = cursor.offset
    parts = (header, matrices, tiling, table, start, source)
    try:
        return Container(*parts, *_read_end(source, start + table.num_bytes, has_metadata))
    except TruncatedError:
        if not partial:
            raise
        return Container(*parts)


def _read_end(source: Source, offset: int, has_metadata: bool) -> tuple[bytes | None, int]:
    """What follows the segments -> metadata section and its checksum; None and 0 without one."""
    metadata, checksum_stated = None, 0
    if source.size < offset:
        raise TruncatedError("file ends early", offset=source.size, field="segment")
    if has_metadata:
        cursor = Cursor(Bytes(source.read(offset, offset + MAX_VARINT_BYTES)), offset)
        length = cursor.field("metadata_bytes", METADATA_BYTES_RANGE)
        start = offset + cursor.offset
        rest = source.read(start, start + length + CHECKSUM_BYTES)
        offset = start + length + CHECKSUM_BYTES
        if len(rest) < length + CHECKSUM_BYTES:
            raise TruncatedError("file ends early", offset=source.size, field="metadata")
        metadata, checksum_stated = rest[:length], int.from_bytes(rest[length:], "little")
    if offset != source.size:
        raise CorruptError(
            f"{source.size - offset} bytes follow the end of the file", offset=offset
        )
    return metadata, checksum_stated


def checksum(data: bytes | bytearray) -> int:
    """Bytes -> their CRC-32, as zlib and PNG compute it."""
    return zlib.crc32(data)


def _checksum_bytes(data: bytes | bytearray) -> bytes:
    return checksum(data).to_bytes(CHECKSUM_BYTES, "little")
