"""Header and sections <-> bytes (FORMAT.md, sections 2 to 4).

Picture and metadata carry a checksum each, so damaged metadata never costs the picture. Lengths add
up to the file's size exactly and every value has one encoding, so
``write_container(parse_container(data)) == data`` for every valid file.
"""

import zlib
from dataclasses import dataclass

from sirencodec.bitstream.architecture import Architecture
from sirencodec.bitstream.format import (
    CHANNELS_MASK,
    CHECKSUM_BYTES,
    EXPONENTS,
    GRIDS_RANGE,
    HIDDEN_FEATURES_RANGE,
    HIDDEN_LAYERS_RANGE,
    LARGEST_EXPONENT,
    MAGIC,
    METADATA_BYTES_RANGE,
    METADATA_FLAG,
    OMEGA_0_RANGE,
    PAYLOAD_BYTES_RANGE,
    PRIOR_CHECKSUM_BYTES,
    PRIOR_RANGE,
    PYRAMID_FLAG,
    RESERVED_FLAGS,
    SIDE_RANGE,
    SIXTEEN_BIT_FLAG,
    VERSION,
)
from sirencodec.bitstream.prior_file import PRIORS, prior_checksum
from sirencodec.bitstream.varint import read_varint, write_varint
from sirencodec.errors import CorruptError, NotSirenError, TruncatedError, VersionError
from sirencodec.limits import DEFAULT_LIMITS, Limits


@dataclass(frozen=True, slots=True)
class Header:
    """What the file says before its payload.

    Attributes:
        width: stored pixels across, 1 to 65535.
        height: stored pixels down, 1 to 65535.
        bit_depth: 8 or 16 bits a sample.
        architecture: the network's shape, its channels included.
    """

    width: int
    height: int
    bit_depth: int
    architecture: Architecture


@dataclass(frozen=True, slots=True)
class Container:
    """A .siren file taken apart.

    Attributes:
        header: sizes and shapes.
        payload: the coded network.
        metadata: the compressed metadata section, checksum not yet verified; None if absent.
        metadata_checksum: CRC-32 that the file states for it.
    """

    header: Header
    payload: bytes
    metadata: bytes | None = None
    metadata_checksum: int = 0


def write_container(header: Header, payload: bytes, metadata: bytes | None = None) -> bytes:
    """Parts -> .siren file. ``metadata`` is a section from ``write_metadata``, or None."""
    architecture = header.architecture
    flags = architecture.channels - 1
    flags |= SIXTEEN_BIT_FLAG if header.bit_depth == 16 else 0
    flags |= METADATA_FLAG if metadata is not None else 0
    flags |= PYRAMID_FLAG if architecture.grids else 0
    fields = (
        header.width,
        header.height,
        architecture.hidden_features,
        architecture.hidden_layers,
        architecture.omega_0,
    )
    picture = MAGIC + bytes((VERSION, flags)) + b"".join(map(write_varint, fields))
    if architecture.grids:
        finest, coarsest = architecture.grids[0], architecture.grids[-1]
        picture += write_varint(finest + EXPONENTS * coarsest) + write_varint(architecture.prior)
        picture += _prior_checksum_bytes(architecture.prior)
    picture += write_varint(len(payload)) + payload
    data = picture + _checksum_bytes(picture)
    if metadata is not None:
        data += write_varint(len(metadata)) + metadata + _checksum_bytes(metadata)
    return data


def overhead_bytes(header: Header, payload_bytes: int) -> int:
    """What a file without metadata has besides a payload of so many bytes."""
    length, no_length = write_varint(payload_bytes), write_varint(0)
    return len(write_container(header, b"")) - len(no_length) + len(length)


def parse_container(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Container:
    """.siren file -> its parts, the picture's checksum and all limits verified.

    The metadata's checksum is left to ``read_metadata``: a caller that does not want the metadata
    gets the picture whatever became of it.

    Raises:
        FormatError: one of its kinds, if the bytes are not a valid file.
        LimitError: if the file asks for more than ``limits``.
    """
    limits.check("max_file_bytes", len(data))
    header, payload_bytes, has_metadata, offset = _parse_header(data)
    limits.check("max_parameters", header.architecture.num_parameters)

    end = offset + payload_bytes
    payload = _slice(data, offset, end, "payload")
    stated = _slice(data, end, end + CHECKSUM_BYTES, "picture checksum")
    if _checksum_bytes(data[:end]) != stated:
        raise CorruptError("checksum of the picture does not match", offset=end)
    offset = end + CHECKSUM_BYTES

    metadata, metadata_checksum = None, 0
    if has_metadata:
        metadata_bytes, offset = _read_field(data, offset, "metadata_bytes", METADATA_BYTES_RANGE)
        end = offset + metadata_bytes
        metadata = _slice(data, offset, end, "metadata")
        offset = end + CHECKSUM_BYTES
        metadata_checksum = int.from_bytes(_slice(data, end, offset, "metadata checksum"), "little")
    if offset != len(data):
        raise CorruptError(f"{len(data) - offset} bytes follow the end of the file", offset=offset)
    return Container(header, payload, metadata, metadata_checksum)


def _parse_header(data: bytes) -> tuple[Header, int, bool, int]:
    """File -> header, payload length, whether metadata follows, and where the payload starts."""
    if data[: len(MAGIC)] != MAGIC:
        if data and MAGIC.startswith(data[: len(MAGIC)]):
            raise TruncatedError("file ends inside the magic", offset=len(data), field="magic")
        raise NotSirenError("not a .siren file", offset=0, field="magic")
    version, flags = _slice(data, 4, 6, "version and flags")
    if version != VERSION:
        raise VersionError(f"file has format version {version}; this decoder reads {VERSION}")
    if flags & RESERVED_FLAGS:
        raise CorruptError("reserved flags are set", offset=5, field="flags")
    offset = 6
    width, offset = _read_field(data, offset, "width", SIDE_RANGE)
    height, offset = _read_field(data, offset, "height", SIDE_RANGE)
    features, offset = _read_field(data, offset, "hidden_features", HIDDEN_FEATURES_RANGE)
    layers, offset = _read_field(data, offset, "hidden_layers", HIDDEN_LAYERS_RANGE)
    omega_0, offset = _read_field(data, offset, "omega_0", OMEGA_0_RANGE)
    grids: tuple[int, ...] = ()
    prior = 0
    if flags & PYRAMID_FLAG:
        grids, prior, offset = _read_pyramid(data, offset)
    payload_bytes, offset = _read_field(data, offset, "payload_bytes", PAYLOAD_BYTES_RANGE)
    channels = 1 + (flags & CHANNELS_MASK)
    architecture = Architecture(features, layers, channels, omega_0, grids, prior)
    header = Header(width, height, 16 if flags & SIXTEEN_BIT_FLAG else 8, architecture)
    return header, payload_bytes, bool(flags & METADATA_FLAG), offset


def _read_pyramid(data: bytes, offset: int) -> tuple[tuple[int, ...], int, int]:
    """Fields of the pyramid at ``offset`` -> grids, number of the prior, and the offset after."""
    start = offset
    exponents, offset = _read_field(data, offset, "grids", GRIDS_RANGE)
    coarsest, finest = divmod(exponents, EXPONENTS)
    if not finest <= coarsest <= LARGEST_EXPONENT:
        raise CorruptError(f"no grids from {finest} to {coarsest}", offset=start, field="grids")
    prior_offset = offset
    prior, offset = _read_field(data, offset, "prior", PRIOR_RANGE)
    if prior not in PRIORS:
        raise VersionError(f"this decoder does not have prior {prior}, which the file needs")
    end = offset + PRIOR_CHECKSUM_BYTES
    if _slice(data, offset, end, "prior checksum") != _prior_checksum_bytes(prior):
        raise CorruptError(f"prior {prior} is not the one the file means", offset=prior_offset)
    return tuple(range(finest, coarsest + 1)), prior, end


def _prior_checksum_bytes(prior: int) -> bytes:
    return prior_checksum(prior).to_bytes(PRIOR_CHECKSUM_BYTES, "little")


def _read_field(data: bytes, offset: int, field: str, bounds: tuple[int, int]) -> tuple[int, int]:
    """Varint at ``offset``, checked against its range -> value and the offset after it."""
    value, end = read_varint(data, offset, field)
    if not bounds[0] <= value <= bounds[1]:
        raise CorruptError(
            f"{value} is outside {bounds[0]} to {bounds[1]}", offset=offset, field=field
        )
    return value, end


def _slice(data: bytes, start: int, end: int, field: str) -> bytes:
    """Bytes from ``start`` to ``end``; TruncatedError if there are fewer."""
    if end > len(data):
        raise TruncatedError("file ends early", offset=len(data), field=field)
    return data[start:end]


def checksum(data: bytes) -> int:
    """Bytes -> their CRC-32, as zlib and PNG compute it."""
    return zlib.crc32(data)


def _checksum_bytes(data: bytes) -> bytes:
    return checksum(data).to_bytes(CHECKSUM_BYTES, "little")
