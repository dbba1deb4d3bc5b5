"""Parts <-> bytes of a `.siren` file, valid or not.

The package's writer takes care to write valid files only. Tests of what a reader refuses need the
others: any field out of range, any length untrue, with the checksum right or wrong. The layout is
that of FORMAT.md, sections 1, 2, 4 and 12. Of the package nothing is used but its coders.

    parts = take_apart(data)                             a valid file -> its parts
    join(replace(parts, width=0))                        the same file but for one field
    join(replace(parts, width=varint(4, size=3)))        bytes stand for themselves
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import zstandard

from sirencodec.bitstream.architecture import Architecture
from sirencodec.bitstream.tiling import Tiling, Window
from sirencodec.entropy.latents import ResidualEncoder, code_part, phase_networks
from sirencodec.entropy.matrices import encode_matrices
from sirencodec.entropy.payload import QuantizedPicture, encode_payload
from sirencodec.entropy.prior import adapted_context
from sirencodec.entropy.range_coder import SymbolEncoder
from tests.reference_decoder import (
    MAGIC,
    WIDTHS,
    Bytes,
    crc_16,
    prior_checksum,
    table_entry,
    tiling,
)

Field = int | bytes  # a number to write as a varint, or the bytes to write in its place
HEADER_FIELDS = ("width", "height", "hidden_features", "hidden_layers", "omega_0")
PYRAMID_FIELDS = ("grids", "prior")
PYRAMID_FLAG = 16


@dataclass(frozen=True)
class Parts:
    """What is None is computed so that it is right.

    In version 0, the payload is all that is coded; else the matrices.
    """

    payload: bytes
    segments: tuple[bytes | None, ...] = ()
    width: Field = 4
    height: Field = 4
    hidden_features: Field = 2
    hidden_layers: Field = 0
    omega_0: Field = 30
    grids: Field | None = None  # None: not there, nor the prior and its checksum
    prior: Field = 1
    prior_checksum: bytes | None = None
    tiling: Field | None = None  # None: not there
    extensions: bytes | None = None  # None: not there
    extension_bytes: Field | None = None
    table: bytes | None = None
    flags: int = 0
    version: int = 1
    magic: bytes = MAGIC
    payload_bytes: Field | None = None
    checksum: bytes | None = None
    metadata: bytes | None = None
    metadata_bytes: Field | None = None
    metadata_checksum: bytes | None = None
    tail: bytes = b""


def varint(value: int, size: int = 1) -> bytes:
    """Integer -> varint of at least ``size`` bytes."""
    groups = [value & 127]
    while value := value >> 7:
        groups.append(value & 127)
    groups += [0] * (size - len(groups))
    return bytes(group | 128 for group in groups[:-1]) + bytes(groups[-1:])


def crc(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4, "little")


def join(parts: Parts) -> bytes:
    """Parts -> file. Flags are not touched: they are one of the parts."""
    picture = parts.magic + bytes([parts.version, parts.flags])
    picture += b"".join(_field(getattr(parts, name)) for name in HEADER_FIELDS)
    if parts.grids is not None:
        picture += _field(parts.grids) + _field(parts.prior) + _prior_checksum(parts)
    if parts.tiling is not None:
        picture += _field(parts.tiling)
    if parts.extensions is not None:
        size = len(parts.extensions) if parts.extension_bytes is None else parts.extension_bytes
        picture += _field(size) + parts.extensions
    size = len(parts.payload) if parts.payload_bytes is None else parts.payload_bytes
    picture += _field(size) + (table(parts.segments) if parts.table is None else parts.table)
    picture += parts.payload
    data = picture + (crc(picture) if parts.checksum is None else parts.checksum)
    data += b"".join(filter(None, parts.segments))
    if parts.metadata is not None:
        size = len(parts.metadata) if parts.metadata_bytes is None else parts.metadata_bytes
        data += _field(size) + parts.metadata
        data += crc(parts.metadata) if parts.metadata_checksum is None else parts.metadata_checksum
    return data + parts.tail


def table(segments: tuple[bytes | None, ...]) -> bytes:
    """Segments -> the table that says where they are."""
    return b"".join(
        b"\0" if each is None else varint(len(each) + 1) + crc_16(each).to_bytes(2, "little")
        for each in segments
    )


def take_apart(data: bytes) -> Parts:
    """Valid file -> its parts."""
    source = Bytes(data, end_number=0)
    magic, version, flags = source.take(4), source.take(1)[0], source.take(1)[0]
    names = HEADER_FIELDS + (PYRAMID_FIELDS if flags & PYRAMID_FLAG else ())
    fields = {name: source.varint() for name in names}
    checksum = source.take(2) if flags & PYRAMID_FLAG else None
    tiling_field, tiles = None, []
    if version and flags & PYRAMID_FLAG:
        start = source.position
        tiling_field = source.varint()
        source.position = start
        coarsest, finest = divmod(fields["grids"], 8)
        tiles = tiling(source, [*range(finest, coarsest + 1)], (fields["width"], fields["height"]))
    extensions = source.take(source.varint()) if version and flags & 32 else None
    payload_bytes = source.varint()
    sizes = [table_entry(source)[0] for _ in tiles]
    payload = source.take(payload_bytes)
    source.take(4)
    segments = tuple(None if size < 0 else source.take(size) for size in sizes)
    metadata = source.take(source.varint()) if flags & 8 else None
    return Parts(
        payload=payload,
        segments=segments,
        tiling=tiling_field,
        extensions=extensions,
        magic=magic,
        version=version,
        flags=flags,
        prior_checksum=checksum,
        metadata=metadata,
        **fields,
    )


def stream(groups: Iterable[tuple[np.ndarray, np.ndarray]]) -> bytes:
    """Symbols with the frequency table of each group -> range-coded stream."""
    return _encoder(groups).stream()


def old_stream(groups: Iterable[tuple[np.ndarray, np.ndarray]]) -> bytes:
    """As ``stream``, for version 0."""
    return _encoder(groups).words()


def _encoder(groups: Iterable[tuple[np.ndarray, np.ndarray]]) -> SymbolEncoder:
    encoder = SymbolEncoder()
    for symbols, frequencies in groups:
        encoder.encode(symbols, frequencies)
    return encoder


def coded(
    picture: QuantizedPicture, architecture: Architecture, version: int = 1
) -> dict[str, Any]:
    """Quantised picture -> the parts of a file that hold it."""
    if version == 0:
        payload = old_payload(picture, architecture)
        return {"version": 0, "payload": payload, "tiling": None, "segments": ()}
    made = encode_payload(picture, architecture, Tiling(6, architecture.grids[-1]))
    tiling = 16 * architecture.grids[-1]
    return {"version": 1, "payload": made.matrices, "tiling": tiling, "segments": made.segments}


def old_payload(picture: QuantizedPicture, architecture: Architecture) -> bytes:
    """Quantised picture -> payload of version 0, which the package reads but does not write."""
    encoder = SymbolEncoder()
    side = encode_matrices(picture.weights, encoder)
    if picture.latents:
        grids = dict(zip(architecture.grids, map(np.copy, picture.latents), strict=True))
        networks = phase_networks(
            adapted_context(architecture.prior, picture.weights), architecture.grids
        )
        part = [(k, Window.whole(grids[k].shape)) for k in reversed(architecture.grids)]
        code_part(grids, part, networks, ResidualEncoder(encoder))
    return side + encoder.words()


def frame(content: bytes) -> bytes:
    """Content -> Zstandard frame, as a metadata section holds it."""
    return zstandard.ZstdCompressor(level=3, write_content_size=False).compress(content)


def blocks(*contents: bytes | None) -> bytes:
    """ICC profile, EXIF and XMP -> content of a metadata section's frame."""
    return b"".join(b"\0" if c is None else varint(len(c) + 1) + c for c in contents)


def _field(field: Field) -> bytes:
    return varint(field) if isinstance(field, int) else field


def _prior_checksum(parts: Parts) -> bytes:
    if parts.prior_checksum is not None:
        return parts.prior_checksum
    return prior_checksum(parts.prior) if parts.prior in WIDTHS else bytes(2)
