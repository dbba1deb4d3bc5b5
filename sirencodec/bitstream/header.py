"""The fields before the payload <-> bytes (FORMAT.md, section 2; of version 0, section 12)."""

from collections.abc import Iterator
from dataclasses import dataclass

from sirencodec.bitstream.architecture import Architecture
from sirencodec.bitstream.format import (
    CHANNELS_MASK,
    EXPONENTS,
    EXTENSION_BYTES_RANGE,
    EXTENSION_LENGTH_RANGE,
    EXTENSION_TAG_RANGE,
    EXTENSIONS_FLAG,
    GRIDS_RANGE,
    HIDDEN_FEATURES_RANGE,
    HIDDEN_LAYERS_RANGE,
    LARGEST_EXPONENT,
    LARGEST_LOG_TILE,
    MAGIC,
    MAX_VARINT_BYTES,
    METADATA_FLAG,
    OLD_VERSION,
    OMEGA_0_RANGE,
    PRIOR_CHECKSUM_BYTES,
    PRIOR_RANGE,
    PYRAMID_FLAG,
    RESERVED_FLAGS,
    SIDE_RANGE,
    SIXTEEN_BIT_FLAG,
    SMALLEST_LOG_TILE,
    TILES,
    TILING_RANGE,
    VERSION,
)
from sirencodec.bitstream.prior_file import PRIORS, prior_checksum
from sirencodec.bitstream.source import Bytes, Source
from sirencodec.bitstream.tiling import Tiling
from sirencodec.bitstream.varint import read_varint, write_varint
from sirencodec.errors import CorruptError, NotSirenError, TruncatedError, VersionError

_READ_AHEAD_BYTES = 4096  # of a file that is read in part: most heads are within


@dataclass(frozen=True, slots=True)
class Header:
    """What the file says before its payload.

    Attributes:
        width: stored pixels across, 1 to 65535.
        height: stored pixels down, 1 to 65535.
        bit_depth: 8 or 16 bits a sample.
        architecture: the network's shape, its channels included.
        version: of the format.
        extensions: content of the extension block, none of which this package looks at.
    """

    width: int
    height: int
    bit_depth: int
    architecture: Architecture
    version: int = VERSION
    extensions: bytes = b""


class Cursor:
    """A position in a source; what was read so far is kept."""

    def __init__(self, source: Source, base: int = 0) -> None:
        """Begin at the first byte, which errors call number ``base``."""
        self._source, self._base = source, base
        self.data = source.read(0, _READ_AHEAD_BYTES)
        self.offset = 0

    def take(self, count: int, field: str) -> bytes:
        """The next ``count`` bytes; TruncatedError if there are fewer."""
        self._read_to(self.offset + count)
        end = self.offset + count
        if end > len(self.data):
            at = self._base + len(self.data)
            raise TruncatedError("file ends early", offset=at, field=field)
        taken = self.data[self.offset : end]
        self.offset = end
        return taken

    def field(self, field: str, bounds: tuple[int, int]) -> int:
        """The varint here, checked against its range."""
        self._read_to(self.offset + MAX_VARINT_BYTES)
        value, end = read_varint(self.data, self.offset, field, self._base)
        if not bounds[0] <= value <= bounds[1]:
            start = self._base + self.offset
            raise CorruptError(
                f"{value} is outside {bounds[0]} to {bounds[1]}", offset=start, field=field
            )
        self.offset = end
        return value

    def _read_to(self, end: int) -> None:
        have = len(self.data)
        if have < min(end, self._source.size):
            self.data += self._source.read(have, max(end, 2 * have))


def write_header(header: Header, tiling: Tiling | None, *, has_metadata: bool) -> bytes:
    """Fields -> bytes, up to the extension block."""
    architecture = header.architecture
    flags = architecture.channels - 1
    flags |= SIXTEEN_BIT_FLAG if header.bit_depth == 16 else 0
    flags |= METADATA_FLAG if has_metadata else 0
    flags |= PYRAMID_FLAG if architecture.grids else 0
    flags |= EXTENSIONS_FLAG if header.extensions else 0
    fields = (
        header.width,
        header.height,
        architecture.hidden_features,
        architecture.hidden_layers,
        architecture.omega_0,
    )
    data = MAGIC + bytes((VERSION, flags)) + b"".join(map(write_varint, fields))
    if architecture.grids and tiling is not None:
        finest, coarsest = architecture.grids[0], architecture.grids[-1]
        data += write_varint(finest + EXPONENTS * coarsest) + write_varint(architecture.prior)
        data += _prior_checksum_bytes(architecture.prior)
        data += write_varint(tiling.log_side - SMALLEST_LOG_TILE + TILES * tiling.shared)
    if header.extensions:
        data += write_varint(len(header.extensions)) + header.extensions
    return data


def read_header(cursor: Cursor) -> tuple[Header, Tiling | None, bool]:
    """Cursor at the start of a file -> header, tiling, and whether metadata follows the picture.

    The tiling is None in the pure profile and in version 0.
    """
    version, flags = _read_start(cursor)
    width = cursor.field("width", SIDE_RANGE)
    height = cursor.field("height", SIDE_RANGE)
    features = cursor.field("hidden_features", HIDDEN_FEATURES_RANGE)
    layers = cursor.field("hidden_layers", HIDDEN_LAYERS_RANGE)
    omega_0 = cursor.field("omega_0", OMEGA_0_RANGE)
    grids: tuple[int, ...] = ()
    prior, tiling = 0, None
    if flags & PYRAMID_FLAG:
        grids, prior = _read_pyramid(cursor)
        tiling = None if version == OLD_VERSION else _read_tiling(cursor, grids)
    extensions = _read_extensions(cursor) if flags & EXTENSIONS_FLAG else b""
    channels = 1 + (flags & CHANNELS_MASK)
    architecture = Architecture(features, layers, channels, omega_0, grids, prior)
    bit_depth = 16 if flags & SIXTEEN_BIT_FLAG else 8
    header = Header(width, height, bit_depth, architecture, version, extensions)
    return header, tiling, bool(flags & METADATA_FLAG)


def _read_start(cursor: Cursor) -> tuple[int, int]:
    """Magic, version and flags -> version and flags."""
    start = cursor.data[: len(MAGIC)]
    if start != MAGIC:
        if start and MAGIC.startswith(start):
            raise TruncatedError("file ends inside the magic", offset=len(start), field="magic")
        raise NotSirenError("not a .siren file", offset=0, field="magic")
    _, version, flags = cursor.take(4, "magic"), *cursor.take(2, "version and flags")
    if version not in (VERSION, OLD_VERSION):
        known = f"{OLD_VERSION} and {VERSION}"
        raise VersionError(f"file has format version {version}; this decoder reads {known}")
    reserved = RESERVED_FLAGS | (EXTENSIONS_FLAG if version == OLD_VERSION else 0)
    if flags & reserved:
        raise CorruptError("reserved flags are set", offset=5, field="flags")
    return version, flags


def _read_pyramid(cursor: Cursor) -> tuple[tuple[int, ...], int]:
    """Fields of a pyramid, those that both versions have -> grids and number of the prior."""
    start = cursor.offset
    coarsest, finest = divmod(cursor.field("grids", GRIDS_RANGE), EXPONENTS)
    if not finest <= coarsest <= LARGEST_EXPONENT:
        raise CorruptError(f"no grids from {finest} to {coarsest}", offset=start, field="grids")
    start = cursor.offset
    prior = cursor.field("prior", PRIOR_RANGE)
    if prior not in PRIORS:
        raise VersionError(f"this decoder does not have prior {prior}, which the file needs")
    if cursor.take(PRIOR_CHECKSUM_BYTES, "prior checksum") != _prior_checksum_bytes(prior):
        raise CorruptError(f"prior {prior} is not the one the file means", offset=start)
    return tuple(range(finest, coarsest + 1)), prior


def _read_tiling(cursor: Cursor, grids: tuple[int, ...]) -> Tiling:
    start = cursor.offset
    shared, side = divmod(cursor.field("tiling", TILING_RANGE), TILES)
    log_side = SMALLEST_LOG_TILE + side
    if log_side > LARGEST_LOG_TILE or not grids[0] <= shared <= grids[-1] + 1:
        raise CorruptError(
            f"no tiles of 2^{log_side} with grids from {shared} on shared",
            offset=start,
            field="tiling",
        )
    return Tiling(log_side, shared)


def _read_extensions(cursor: Cursor) -> bytes:
    """Extension block -> its content, which holds nothing that a reader must know.

    Raises:
        CorruptError: if it does not end with an extension, or their tags do not rise.
        VersionError: if a tag is odd, and what it stands for therefore needed.
    """
    start = cursor.offset
    content = cursor.take(cursor.field("extension_bytes", EXTENSION_BYTES_RANGE), "extensions")
    last = -1
    for tag in _tags(content, start):
        if tag <= last:
            raise CorruptError("tags of extensions do not rise", offset=start, field="extensions")
        if tag % 2:
            raise VersionError(f"file needs extension {tag}, which this decoder does not have")
        last = tag
    return content


def _tags(content: bytes, start: int) -> Iterator[int]:
    """Content of an extension block -> tags; all of its extensions are whole."""
    cursor = Cursor(Bytes(content))
    while cursor.offset < len(content):
        try:
            tag = cursor.field("extension tag", EXTENSION_TAG_RANGE)
            cursor.take(cursor.field("extension length", EXTENSION_LENGTH_RANGE), "extension")
        except TruncatedError as error:
            raise CorruptError(
                "extension leaves its block", offset=start, field="extensions"
            ) from error
        yield tag


def _prior_checksum_bytes(prior: int) -> bytes:
    return prior_checksum(prior).to_bytes(PRIOR_CHECKSUM_BYTES, "little")
