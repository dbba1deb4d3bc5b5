"""Non-negative integers <-> LEB128 bytes (FORMAT.md, section 1)."""

from sirencodec.bitstream.format import MAX_VARINT_BYTES
from sirencodec.errors import CorruptError, TruncatedError


def write_varint(value: int) -> bytes:
    """Integer in [0, 2^28) -> 1 to 4 bytes, seven bits each, least significant first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data: bytes, offset: int, field: str, base: int = 0) -> tuple[int, int]:
    """Bytes at ``offset`` -> value and the offset after it; errors count from ``base``.

    Raises:
        TruncatedError: if the data ends inside the integer.
        CorruptError: if it is longer than four bytes or than it need be.
    """
    value = 0
    for index in range(MAX_VARINT_BYTES):
        if offset + index >= len(data):
            at = base + len(data)
            raise TruncatedError("file ends inside an integer", offset=at, field=field)
        byte = data[offset + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            if index and not byte:
                at = base + offset
                raise CorruptError("integer is not in its shortest form", offset=at, field=field)
            return value, offset + index + 1
    raise CorruptError("integer is too long", offset=base + offset, field=field)
