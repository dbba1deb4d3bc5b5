"""Metadata <-> the compressed section of a file (FORMAT.md, section 4).

Profiles and tags are kept byte for byte. They can outweigh the picture, so they are compressed
together with Zstandard; and since a compressed section of a few bytes may claim to hold gigabytes,
it is read through a decompressor bounded in window and output.
"""

import zstandard

from sirencodec.bitstream.container import Container, checksum
from sirencodec.bitstream.varint import read_varint, write_varint
from sirencodec.errors import CorruptError, FormatError
from sirencodec.image.metadata import Metadata
from sirencodec.limits import DEFAULT_LIMITS, Limits

ZSTD_LEVEL = 19
ZSTD_MAX_WINDOW_BYTES = 1 << 23  # what level 19 may use; more is a bomb
# Fed to the decompressor at a time: four bytes can make a block of 128 KiB, these 8 MiB.
ZSTD_PIECE_BYTES = 256


def write_metadata(metadata: Metadata) -> bytes | None:
    """Metadata -> section, None if there is nothing to store.

    Each of ICC profile, EXIF and XMP is its length plus one, zero meaning absent, then its bytes.

    Raises:
        LimitError: if it is more than a reader would take.
    """
    if not metadata:
        return None
    body = bytearray()
    for block in (metadata.icc_profile, metadata.exif, metadata.xmp):
        body += write_varint(0) if block is None else write_varint(len(block) + 1) + block
    DEFAULT_LIMITS.check("max_metadata_bytes", len(body))
    # Neither size nor checksum in the frame: the section's own length and checksum serve.
    compressor = zstandard.ZstdCompressor(
        level=ZSTD_LEVEL, write_content_size=False, write_checksum=False
    )
    return compressor.compress(bytes(body))


def read_metadata(container: Container, limits: Limits = DEFAULT_LIMITS) -> Metadata:
    """Container -> its metadata, empty if the file has none.

    Raises:
        CorruptError: if the section is damaged; the picture may be sound all the same.
        LimitError: if it inflates beyond ``limits.max_metadata_bytes``.
    """
    if container.metadata is None:
        return Metadata()
    if checksum(container.metadata) != container.metadata_checksum:
        raise CorruptError("checksum of the metadata does not match", field="metadata")
    body = _decompress(container.metadata, limits)
    blocks: list[bytes | None] = []
    offset = 0
    for field in ("icc_profile", "exif", "xmp"):
        try:
            length, offset = read_varint(body, offset, field)
        except FormatError as error:  # its offset would be one in the inflated bytes
            raise CorruptError("length of a metadata block is malformed", field=field) from error
        end = offset + max(length - 1, 0)
        if length == 1:
            raise CorruptError("metadata block is present and empty", field=field)
        if end > len(body):
            raise CorruptError("metadata ends inside a block", field=field)
        blocks.append(body[offset:end] if length else None)
        offset = end
    if offset != len(body):
        raise CorruptError("bytes follow the last metadata block", field="metadata")
    if not any(block is not None for block in blocks):
        raise CorruptError("metadata section holds nothing", field="metadata")
    return Metadata(*blocks)


def _decompress(section: bytes, limits: Limits) -> bytes:
    """One Zstandard frame -> its content, never more than the limit allows."""
    stream = zstandard.ZstdDecompressor(max_window_size=ZSTD_MAX_WINDOW_BYTES).decompressobj()
    body = bytearray()
    for start in range(0, len(section), ZSTD_PIECE_BYTES):
        try:
            body += stream.decompress(section[start : start + ZSTD_PIECE_BYTES])
        except zstandard.ZstdError as error:  # also for bytes that come after the frame's last
            raise CorruptError("metadata does not decompress", field="metadata") from error
        limits.check("max_metadata_bytes", len(body))
    if not stream.eof or stream.unused_data:
        raise CorruptError("metadata is not one whole frame", field="metadata")
    return bytes(body)
