"""The invalid golden files of version 1: a valid one each, spoilt in one way.

Those of version 0, without a 1 in their names, were made by earlier releases.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sirencodec.bitstream.quantize import QuantizedWeights
from tests.broken_files import (
    Field,
    Parts,
    blocks,
    crc,
    frame,
    join,
    stream,
    take_apart,
    varint,
)
from tests.golden.valid_cases import (
    EXAMPLE_TILING,
    PRIOR_MATRICES,
    XMP,
    forged_pyramid,
    pyramid_example,
    pyramid_file,
    with_difference,
    worked_example,
)
from tests.reference_decoder import RangeDecoder, crc_16, frequency_table, parse


@dataclass(frozen=True)
class Invalid:
    number: int
    what: str
    error: str
    data: bytes

    @property
    def name(self) -> str:
        return f"{self.number:02d}-1-{self.what.replace(' ', '-')}"


def invalid_cases() -> Iterator[Invalid]:
    """The worked examples and a file with metadata, each spoilt in one way."""
    data = worked_example()
    parts = take_apart(data)
    with_metadata = replace(parts, flags=parts.flags | 8, metadata=frame(blocks(None, None, XMP)))
    yield from invalid_headers(data, parts)
    yield from invalid_pictures(data, parts, with_metadata)
    yield from invalid_payloads(parts)
    yield from invalid_metadata(with_metadata)
    yield from invalid_pyramid_headers()
    yield from invalid_pyramid_payloads()
    yield from invalid_segments()
    yield from invalid_numbers()


def invalid_headers(data: bytes, parts: Parts) -> Iterator[Invalid]:
    yield Invalid(1, "empty", "NotSirenError", b"")
    yield Invalid(1, "png", "NotSirenError", b"\x89PNG\r\n\x1a\n" + data[8:])
    yield Invalid(1, "seven bits", "NotSirenError", bytes(byte & 127 for byte in data))
    yield Invalid(2, "version 2", "VersionError", join(replace(parts, version=2)))
    yield Invalid(2, "version 255", "VersionError", join(replace(parts, version=255)))
    for bit in (6, 7):
        flags = parts.flags | 1 << bit
        yield Invalid(3, f"flag {bit}", "CorruptError", join(replace(parts, flags=flags)))
    for field, values in (
        ("width", (0, 65_536)),
        ("height", (0, 65_536)),
        ("hidden_features", (0, 1_025)),
        ("hidden_layers", (65, 2**28 - 1)),
        ("omega_0", (0, 65_536)),
        ("payload_bytes", (0,)),  # of matrices
    ):
        for value in values:
            spoilt = join(replace(parts, **{field: value}))
            yield Invalid(4, f"{field} {value}".replace("_", " "), "CorruptError", spoilt)
    yield Invalid(5, "width", "CorruptError", join(replace(parts, width=varint(4, size=2))))
    layers = varint(0, size=4)
    yield Invalid(5, "hidden layers", "CorruptError", join(replace(parts, hidden_layers=layers)))
    size = varint(len(parts.payload), size=2)
    yield Invalid(5, "payload bytes", "CorruptError", join(replace(parts, payload_bytes=size)))
    yield Invalid(6, "width", "CorruptError", join(replace(parts, width=varint(4, size=5))))
    endless = join(replace(parts, payload_bytes=b"\xff" * 4, payload=b"\xff" * 12))
    yield Invalid(6, "payload bytes", "CorruptError", endless)
    for end, what in ((2, "within magic"), (4, "after magic"), (6, "after flags")):
        yield Invalid(7, what, "TruncatedError", data[:end])
    yield Invalid(7, "within payload bytes", "TruncatedError", data[:11] + b"\x80")


def invalid_pictures(data: bytes, parts: Parts, with_metadata: Parts) -> Iterator[Invalid]:
    start = len(data) - 4 - len(parts.payload)
    yield Invalid(8, "no payload", "TruncatedError", data[:start])
    yield Invalid(8, "within payload", "TruncatedError", data[: start + 5])
    yield Invalid(8, "no checksum", "TruncatedError", data[:-4])
    yield Invalid(8, "within checksum", "TruncatedError", data[:-1])
    longer = join(replace(parts, payload_bytes=2**28 - 1))
    yield Invalid(8, "payload of 256 MiB", "TruncatedError", longer)
    for position, what in ((6, "width"), (start, "step"), (start + 4, "stream"), (-1, "checksum")):
        flipped = bytearray(data)
        flipped[position] ^= 1
        yield Invalid(9, f"bit flip in {what}", "CorruptError", bytes(flipped))
    yield Invalid(9, "no checksum", "CorruptError", data[:-4] + bytes(4))
    yield Invalid(10, "one byte", "CorruptError", data + b"\0")
    yield Invalid(10, "second file", "CorruptError", data + data)
    after = join(replace(with_metadata, tail=b"\n"))
    yield Invalid(10, "after metadata", "CorruptError", after)
    unannounced = join(replace(with_metadata, flags=with_metadata.flags & ~8))
    yield Invalid(10, "metadata without flag", "CorruptError", unannounced)


def invalid_payloads(parts: Parts) -> Iterator[Invalid]:
    def spoilt(number: int, what: str, payload: bytes) -> Invalid:
        return Invalid(number, what, "CorruptError", join(replace(parts, payload=payload)))

    indices, words = parts.payload[:4], parts.payload[4:]
    yield spoilt(11, "one byte", indices[:1])
    yield spoilt(11, "three bytes", indices[:3])
    for model in (144, 255):
        yield spoilt(12, f"model {model}", indices[:3] + bytes([model]) + words)
    yield spoilt(12, "model 144 as if it were 48", coded_under_a_model_too_many())
    yield spoilt(14, "quantile", indices + b"\xff" * len(words))
    yield spoilt(15, "no stream", indices)
    yield spoilt(15, "byte of zeros more", parts.payload + b"\0")
    yield spoilt(15, "nine bytes more", parts.payload + b"123456789")
    yield spoilt(15, "six bytes missing", parts.payload[:-6])
    yield spoilt(15, "last bit differs", stream_with_other_end(parts))


def coded_under_a_model_too_many() -> bytes:
    """A payload that would decode if model 144 were taken for a model of the second shape."""
    table = frequency_table(48)
    symbols = [np.arange(count, dtype=np.int32) + 3 for count in (6, 3)]
    return bytes([100, 48, 100, 144]) + stream((group, table) for group in symbols)


def stream_with_other_end(parts: Parts) -> bytes:
    """The payload with one bit of its last byte flipped, which decodes to the same symbols."""
    levels = parse(join(parts)).levels
    for bit in range(8):
        payload = bytearray(parts.payload)
        payload[-1] ^= 1 << bit
        if same_symbols(bytes(payload), levels):
            return bytes(payload)
    raise RuntimeError("every bit of the last byte counts")


def same_symbols(payload: bytes, levels: list[np.ndarray]) -> bool:
    padded = payload[4:] + bytes(-len(payload) % 4)
    decoder = RangeDecoder([int(word) for word in np.frombuffer(padded, dtype=">u4")])
    for matrix, model in zip(levels, payload[1:4:2], strict=True):
        frequencies = frequency_table(model)
        lefts = np.concatenate([[0], np.cumsum(frequencies)])
        for level in matrix.ravel():
            if decoder.decode(lefts) - len(frequencies) // 2 != level:
                return False
    return True


def invalid_metadata(parts: Parts) -> Iterator[Invalid]:
    def spoilt(number: int, what: str, error: str = "CorruptError", **changes: Any) -> Invalid:
        return Invalid(number, what, error, join(replace(parts, **changes)))

    section, content = parts.metadata, blocks(None, None, XMP)
    assert section is not None
    yield spoilt(4, "metadata bytes 0", metadata=b"")
    yield spoilt(5, "metadata bytes", metadata_bytes=varint(len(section), size=3))
    yield spoilt(6, "metadata bytes", metadata_bytes=varint(len(section), size=5))
    yield spoilt(16, "bit flip", metadata=flip(section), metadata_checksum=crc(section))
    yield spoilt(16, "checksum", metadata_checksum=bytes(4))
    yield spoilt(17, "not a frame", metadata=content)
    yield spoilt(17, "frame cut", metadata=section[:-1])
    yield spoilt(17, "bytes after the frame", metadata=section + b"\0")
    yield spoilt(17, "two frames", metadata=section + section)
    yield spoilt(17, "skippable frame", metadata=b"\x50\x2a\x4d\x18\4\0\0\0skip")
    yield spoilt(17, "window of 16 MiB", metadata=frame_with_window(content, 24))
    yield spoilt(17, "no content", metadata=frame(b""))
    yield spoilt(17, "two blocks", metadata=frame(blocks(XMP, XMP)))
    yield spoilt(17, "four blocks", metadata=frame(blocks(None, None, XMP, None)))
    yield spoilt(17, "three absent blocks", metadata=frame(blocks(None, None, None)))
    yield spoilt(17, "empty block", metadata=frame(blocks(b"", None, XMP)))
    yield spoilt(17, "block cut", metadata=frame(content[:-1]))
    longer = b"\0\0" + varint(len(XMP) + 1, size=2) + XMP
    yield spoilt(17, "length not the shortest", metadata=frame(longer))
    whole = join(parts)
    without = len(whole) - len(section) - 5
    yield Invalid(18, "no metadata", "TruncatedError", whole[:without])
    yield Invalid(18, "within metadata bytes", "TruncatedError", whole[:without] + b"\x80")
    yield Invalid(18, "within frame", "TruncatedError", whole[: without + 10])
    yield Invalid(18, "within checksum", "TruncatedError", whole[:-2])
    yield spoilt(18, "frame of 256 MiB", "TruncatedError", metadata_bytes=2**28 - 1)


def flip(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def frame_with_window(content: bytes, window_log: int) -> bytes:
    """One raw block behind a header that asks for a window of 2^window_log bytes."""
    block = (len(content) << 3 | 1).to_bytes(3, "little") + content
    return b"\x28\xb5\x2f\xfd\x00" + bytes([(window_log - 10) << 3]) + block


def invalid_pyramid_headers() -> Iterator[Invalid]:
    data = pyramid_file(*pyramid_example(), tiling=EXAMPLE_TILING)
    parts = take_apart(data)

    def spoilt(number: int, what: str, error: str = "CorruptError", **changes: Any) -> Invalid:
        return Invalid(number, what, error, join(replace(parts, **changes)))

    without = replace(parts, grids=None, tiling=None, segments=(), payload=b"")
    start = len(join(without)) - 5  # of the pyramid's fields
    for value in (55, 2**28 - 1):
        yield spoilt(4, f"grids {value}", grids=value)
    for value in (0, 128):
        yield spoilt(4, f"prior {value}", prior=value, prior_checksum=parts.prior_checksum)
    yield spoilt(5, "grids", grids=varint(8, size=2))
    yield spoilt(5, "prior", prior=varint(1, size=3), prior_checksum=parts.prior_checksum)
    yield spoilt(6, "grids", grids=varint(8, size=5))
    for end, what in (
        (0, "grids"),
        (1, "prior"),
        (2, "prior checksum"),
        (4, "tiling"),
        (5, "matrices bytes"),
        (6, "table"),
    ):
        yield Invalid(7, f"before {what}", "TruncatedError", data[: start + end])
    yield Invalid(7, "within prior checksum", "TruncatedError", data[: start + 3])
    yield Invalid(7, "within table", "TruncatedError", data[: start + 8])
    yield spoilt(4, "tiling 123", tiling=123)
    yield spoilt(5, "tiling", tiling=varint(16, size=2))
    yield spoilt(26, "tiles of 2^17", tiling=16 + 11)
    yield spoilt(26, "tiles of 2^21", tiling=16 + 15)
    yield spoilt(26, "shared beyond the coarsest grid", tiling=16 * 3)
    yield spoilt(26, "shared 7", tiling=16 * 7)
    for finest, coarsest in ((1, 0), (7, 5), (6, 3)):
        yield spoilt(19, f"grids from {finest} to {coarsest}", grids=finest + 8 * coarsest)
    for value in (2, 127):
        checksum = parts.prior_checksum
        yield spoilt(20, f"prior {value}", "VersionError", prior=value, prior_checksum=checksum)
    assert parts.prior_checksum is not None
    yield spoilt(21, "bit flip", prior_checksum=flip(parts.prior_checksum))
    yield spoilt(21, "bytes swapped", prior_checksum=parts.prior_checksum[::-1])


def invalid_pyramid_payloads() -> Iterator[Invalid]:
    parts = take_apart(pyramid_file(*pyramid_example(), tiling=EXAMPLE_TILING))

    def spoilt(number: int, what: str, payload: bytes) -> Invalid:
        return Invalid(number, what, "CorruptError", join(replace(parts, payload=payload)))

    indices, rest = parts.payload[:34], parts.payload[34:]
    yield spoilt(11, "no context differences", indices[:6])
    yield spoilt(11, "no refinement differences", indices[:30])
    yield spoilt(11, "one refinement difference less", indices[:32])
    yield spoilt(12, "step of zeros", indices[:32] + b"\1" + indices[33:] + rest)
    yield spoilt(12, "model 145", indices[:33] + b"\x91" + rest)
    yield spoilt(15, "matrices cut", parts.payload[:-6])


def invalid_segments() -> Iterator[Invalid]:
    data = pyramid_file(*pyramid_example(), tiling=EXAMPLE_TILING)
    parts = take_apart(data)
    first, second = parts.segments
    assert first is not None
    assert second is not None
    both = len(first) + len(second)

    def spoilt(
        number: int, what: str, *segments: bytes | None, error: str = "CorruptError", **changes: Any
    ) -> Invalid:
        return Invalid(number, what, error, join(replace(parts, segments=segments, **changes)))

    def entry(length: Field, segment: bytes) -> bytes:
        stated = varint(length + 1) if isinstance(length, int) else length
        return stated + crc_16(segment).to_bytes(2, "little")

    yield spoilt(14, "quantile of a latent", b"\xff" * 8, second)
    yield spoilt(15, "segment cut", first, second[:-1])
    yield spoilt(15, "segment of a byte more", first, second + b"\0")
    yield spoilt(15, "segment of a word more", first + b"\0\0\0\1", second)
    yield spoilt(15, "segments exchanged", second, first)
    yield spoilt(15, "segment of an empty stream", first, b"")
    yield Invalid(27, "no segments", "TruncatedError", data[:-both])
    yield Invalid(27, "within first segment", "TruncatedError", data[: 1 - both])
    yield Invalid(27, "no second segment", "TruncatedError", data[: -len(second)])
    yield Invalid(27, "one byte missing", "TruncatedError", data[:-1])
    for more, what in ((1, "one byte more"), (2**28 - 2 - len(second), "256 MiB")):
        table = entry(len(first), first) + entry(len(second) + more, second)
        yield spoilt(27, f"promise of {what}", first, second, error="TruncatedError", table=table)
    everywhere = entry(2**28 - 2, first) + entry(2**28 - 2, second)
    yield spoilt(27, "two promises", first, second, error="TruncatedError", table=everywhere)
    for number, field in ((5, varint(len(first) + 1, size=2)), (6, b"\xff" * 4 + b"\1")):
        table = entry(field, first) + entry(len(second), second)
        yield spoilt(number, "segment bytes", first, second, table=table)
    table = entry(len(first) + 1, first) + entry(len(second) - 1, second)
    yield spoilt(28, "wall moved", first, second, table=table)
    table = entry(both, first) + entry(0, second)
    yield spoilt(28, "all in the first", first, second, table=table)
    yield spoilt(28, "checksums exchanged", first, second, table=swapped_checksums(parts))
    for where, place in (("first", -both), ("second", -len(second)), ("end", -1)):
        flipped = bytearray(data)
        flipped[place] ^= 1
        yield Invalid(28, f"bit flip in {where}", "CorruptError", bytes(flipped))
    yield spoilt(
        10,
        "segment that the table calls zeros",
        first,
        second,
        table=entry(len(first), first) + b"\0",
    )
    zeros, architecture, size = pyramid_example()
    zeros.latents[0][...] = 0
    yield Invalid(29, "zeros", "CorruptError", forged_pyramid(zeros, architecture, size))
    yield from invalid_extensions(parts)


def swapped_checksums(parts: Parts) -> bytes:
    """Table of two segments, the checksum of each beside the length of the other."""
    first, second = (crc_16(each or b"").to_bytes(2, "little") for each in parts.segments)
    lengths = [varint(len(each or b"") + 1) for each in parts.segments]
    return lengths[0] + second + lengths[1] + first


def invalid_extensions(parts: Parts) -> Iterator[Invalid]:
    def spoilt(
        number: int, what: str, content: bytes, error: str = "CorruptError", **changes: Any
    ) -> Invalid:
        extended = replace(parts, extensions=content, flags=parts.flags | 32, **changes)
        return Invalid(number, what, error, join(extended))

    yield spoilt(4, "no extensions", b"")
    yield spoilt(5, "extension tag", varint(2, size=2) + b"\0")
    yield spoilt(6, "extension length", b"\2" + b"\xff" * 5)
    yield spoilt(7, "extensions of 256 MiB", b"\2\0", "TruncatedError", extension_bytes=2**28 - 1)
    yield spoilt(30, "tag alone", b"\2")
    yield spoilt(30, "extension cut", b"\2\3ab")
    yield spoilt(30, "length of 256 MiB", b"\2" + varint(2**28 - 1))
    yield spoilt(30, "tags fall", b"\4\0\2\0")
    yield spoilt(30, "tag twice", b"\2\0\2\0")
    yield spoilt(31, "tag 1", b"\1\0", "VersionError")
    yield spoilt(31, "tag 65 after 64", b"\x40\1x\x41\1y", "VersionError")


def invalid_numbers() -> Iterator[Invalid]:
    """Everything as if the rule did not exist: latents are coded under the forbidden model."""
    picture, architecture, size = pyramid_example()

    def spoilt(
        number: int, what: str, place: tuple[int, int, int], level: int, step: int
    ) -> Invalid:
        index, row, column = place
        difference = np.zeros_like(picture.weights.levels[index - PRIOR_MATRICES])
        difference[row, column] = level
        forged = with_difference(picture, index, difference, step)
        return Invalid(number, what, "CorruptError", forged_pyramid(forged, architecture, size))

    yield spoilt(22, "step 80 though whole", (2, 0, 24), 1, 80)
    yield spoilt(22, "step 64 though whole", (11, 1, 24), -100, 64)
    yield spoilt(22, "step 87", (0, 5, 5), 2, 87)
    yield spoilt(23, "above", (2, 0, 24), 9000, 168)
    yield spoilt(23, "below", (11, 1, 24), -9000, 168)
    yield spoilt(23, "far beyond", (0, 0, 0), 12288, 255)
    yield spoilt(25, "first above", (12, 0, 63), 528, 160)
    yield spoilt(25, "first below", (12, 7, 0), -528, 160)
    yield spoilt(25, "second above", (13, 1, 72), 33, 192)
    yield spoilt(25, "second far below", (13, 0, 5), -12288, 255)
    for what, level, step in (("above", 257, 160), ("below", -273, 160), ("most", 12288, 255)):
        levels, steps = [*picture.weights.levels], [*picture.weights.step_indices]
        levels[2], steps[2] = np.array([[0, 1, 2, level]], dtype=np.int32), step
        kernels = replace(picture, weights=QuantizedWeights(tuple(levels), tuple(steps)))
        data = forged_pyramid(kernels, architecture, size)
        yield Invalid(24, f"kernel {what}", "CorruptError", data)
