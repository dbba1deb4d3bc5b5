"""A second decoder of `.siren` files, written from docs/FORMAT.md alone.

It shares nothing with the package, so that what the two agree on is what the document says.
Plain Python, numpy in double precision, zlib and zstandard; slow, and without any limits.

    file = parse(data)             bytes -> File: header, steps, levels, metadata; or Invalid
    samples(file)                  File -> integers, shape (height, width, channels)
    samples(file, (24, 16))        the same, 24 wide and 16 high
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import zstandard

MAGIC = b"\x89SRN"
VARINT_MAX = 2**28 - 1
TABLE_SUM = 2**24
WINDOW_BYTES = 8 * 2**20


class Invalid(Exception):  # noqa: N818 - the document's own word
    """The bytes must be rejected; `number` is that of FORMAT.md section 7."""

    def __init__(self, number: int, what: str) -> None:
        super().__init__(f"{number}: {what}")
        self.number = number


@dataclass(frozen=True)
class Metadata:
    icc_profile: bytes | None
    exif: bytes | None
    xmp: bytes | None


@dataclass(frozen=True)
class File:
    width: int
    height: int
    channels: int
    bits: int
    hidden_features: int
    hidden_layers: int
    omega_0: int
    step_indices: list[int]
    model_indices: list[int]
    levels: list[np.ndarray]  # a matrix each, int64
    metadata: Metadata | None


# Sections 1 and 2 ------------------------------------------------------------------------------


class Bytes:
    """Bytes with a position; running past the end is `end_number`."""

    def __init__(self, data: bytes, end_number: int) -> None:
        self.data = data
        self.position = 0
        self.end_number = end_number

    def take(self, count: int) -> bytes:
        end = self.position + count
        if end > len(self.data):
            raise Invalid(self.end_number, f"{count} bytes wanted at {self.position}")
        taken = self.data[self.position : end]
        self.position = end
        return taken

    def integer(self) -> int:
        return int.from_bytes(self.take(4), "little")

    def varint(self) -> int:
        value = 0
        for place in range(4):
            byte = self.take(1)[0]
            value |= (byte & 127) << (7 * place)
            if byte < 128:
                if byte == 0 and place > 0:
                    raise Invalid(5, f"varint before {self.position} is not the shortest")
                return value
        raise Invalid(6, f"varint before {self.position} is longer than four bytes")

    def field(self, low: int, high: int) -> int:
        value = self.varint()
        if not low <= value <= high:
            raise Invalid(4, f"{value} before {self.position} is not in {low} to {high}")
        return value


def parse(data: bytes, *, want_metadata: bool = True) -> File:
    """All bytes of a file -> File, or Invalid with the number of the first rule broken."""
    source = Bytes(data, end_number=7)
    magic = data[:4]
    if not magic or not MAGIC.startswith(magic):
        raise Invalid(1, "magic")
    source.take(4)
    if source.take(1)[0] != 0:
        raise Invalid(2, "version")
    flags = source.take(1)[0]
    if flags >> 4:
        raise Invalid(3, "reserved flags")
    width, height = source.field(1, 65535), source.field(1, 65535)
    hidden_features, hidden_layers = source.field(1, 1024), source.field(0, 64)
    omega_0 = source.field(1, 65535)
    payload_bytes = source.field(1, VARINT_MAX)

    source.end_number = 8
    payload = source.take(payload_bytes)
    checksum = zlib.crc32(data[: source.position])
    if source.integer() != checksum:
        raise Invalid(9, "checksum")

    metadata = None
    if flags & 8:
        source.end_number = 18
        metadata = metadata_section(source, wanted=want_metadata)
    if source.position != len(data):
        raise Invalid(10, f"{len(data) - source.position} bytes follow the end")

    channels = (flags & 3) + 1
    shapes = matrix_shapes(channels, hidden_features, hidden_layers)
    step_indices, model_indices, levels = decode_payload(payload, shapes)
    return File(
        width=width,
        height=height,
        channels=channels,
        bits=16 if flags & 4 else 8,
        hidden_features=hidden_features,
        hidden_layers=hidden_layers,
        omega_0=omega_0,
        step_indices=step_indices,
        model_indices=model_indices,
        levels=levels,
        metadata=metadata,
    )


# Section 3 -------------------------------------------------------------------------------------


def matrix_shapes(channels: int, features: int, hidden_layers: int) -> list[tuple[int, int]]:
    hidden = [(features, features + 1)] * hidden_layers
    return [(features, 3), *hidden, (channels, features + 1)]


# Section 4 -------------------------------------------------------------------------------------


def metadata_section(source: Bytes, *, wanted: bool) -> Metadata | None:
    frame = source.take(source.field(1, VARINT_MAX))
    checksum = source.integer()
    if not wanted:
        return None
    if zlib.crc32(frame) != checksum:
        raise Invalid(16, "metadata checksum")
    blocks = Bytes(decompress(frame), end_number=17)
    try:
        metadata = Metadata(block(blocks), block(blocks), block(blocks))
    except Invalid as broken:
        raise Invalid(17, "metadata blocks") from broken
    if blocks.position != len(blocks.data) or metadata == Metadata(None, None, None):
        raise Invalid(17, "metadata is not three blocks")
    return metadata


def decompress(frame: bytes) -> bytes:
    stream = zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES).decompressobj()
    try:
        content = stream.decompress(frame)
    except zstandard.ZstdError as broken:
        raise Invalid(17, "metadata frame") from broken
    if not stream.eof or stream.unused_data:
        raise Invalid(17, "metadata is not one whole frame")
    return content


def block(source: Bytes) -> bytes | None:
    size = source.varint()
    if size == 1:
        raise Invalid(17, "empty block")
    return source.take(size - 1) if size else None


# Section 5 -------------------------------------------------------------------------------------

SHIFTED_OUT = 2**32
MODULUS = 2**64


def decode_payload(
    payload: bytes, shapes: list[tuple[int, int]]
) -> tuple[list[int], list[int], list[np.ndarray]]:
    if len(payload) < 2 * len(shapes):
        raise Invalid(11, "payload is shorter than its indices")
    indices, stream = payload[: 2 * len(shapes)], payload[2 * len(shapes) :]
    step_indices, model_indices = list(indices[0::2]), list(indices[1::2])
    if max(model_indices) > 143:
        raise Invalid(12, "model index")
    if len(stream) % 4:
        raise Invalid(13, "stream is not whole words")
    words = [int(word) for word in np.frombuffer(stream, dtype="<u4")]

    decoder, encoder = RangeDecoder(words), RangeEncoder()
    levels = []
    for (rows, columns), model_index in zip(shapes, model_indices, strict=True):
        frequencies = frequency_table(model_index)
        lefts = np.concatenate([[0], np.cumsum(frequencies)])
        matrix = np.empty(rows * columns, dtype=np.int64)
        for position in range(rows * columns):
            symbol = decoder.decode(lefts)
            encoder.encode(int(lefts[symbol]), int(frequencies[symbol]))
            matrix[position] = symbol - len(frequencies) // 2
        levels.append(matrix.reshape(rows, columns))
    if encoder.finish() != words:
        raise Invalid(15, "stream is not the encoder's")
    return step_indices, model_indices, levels


def step(step_index: int) -> float:
    return (8 + step_index % 8) * 2.0 ** (step_index // 8 - 27)


class RangeDecoder:
    def __init__(self, words: list[int]) -> None:
        self.words = iter(words)
        self.lower, self.range = 0, MODULUS - 1
        self.point = (self.next_word() << 32) + self.next_word()

    def next_word(self) -> int:
        return next(self.words, 0)

    def decode(self, lefts: np.ndarray) -> int:
        scale = self.range >> 24
        quantile = (self.point - self.lower) % MODULUS // scale
        if quantile >= TABLE_SUM:
            raise Invalid(14, "quantile")
        symbol = int(np.searchsorted(lefts, quantile, side="right")) - 1
        left, right = int(lefts[symbol]), int(lefts[symbol + 1])
        self.lower = (self.lower + scale * left) % MODULUS
        self.range = scale * (right - left)
        if self.range < SHIFTED_OUT:
            self.lower = (self.lower << 32) % MODULUS
            self.range = self.range << 32
            self.point = (self.point << 32) % MODULUS + self.next_word()
        return symbol


class RangeEncoder:
    """The words are kept as one long integer, in which carries propagate by themselves."""

    def __init__(self) -> None:
        self.words: list[int] = []
        self.lower, self.range = 0, MODULUS - 1

    def encode(self, left: int, frequency: int) -> None:
        scale = self.range >> 24
        self.add(scale * left)
        self.range = scale * frequency
        if self.range < SHIFTED_OUT:
            self.words.append(self.lower >> 32)
            self.lower = (self.lower << 32) % MODULUS
            self.range = self.range << 32

    def add(self, value: int) -> None:
        self.lower += value
        if self.lower >= MODULUS:
            self.lower -= MODULUS
            position = len(self.words) - 1
            while self.words[position] == 2**32 - 1:
                self.words[position] = 0
                position -= 1
            self.words[position] += 1

    def finish(self) -> list[int]:
        upper_word = (self.lower + self.range) % MODULUS >> 32
        self.add(2**32 - 1)
        self.words.append(self.lower >> 32)
        if self.words[-1] == upper_word:
            self.words.append(0)
        return self.words


# Section 6 -------------------------------------------------------------------------------------

RECIPROCALS = (8589934592, 7223199471, 6074000999, 5107653328)


def frequency_table(model_index: int) -> np.ndarray:
    shape, scale = divmod(model_index, 48)
    largest = 6 << (scale // 4)
    reciprocal = RECIPROCALS[scale % 4] >> (scale // 4)
    magnitudes = np.abs(np.arange(-largest, largest + 1, dtype=np.int64))
    distances = magnitudes * reciprocal >> 16
    if shape == 0:
        weights = exponential((distances * distances >> 16) * 47274 >> 16)
    elif shape == 1:
        t = exponential(distances * 171493 >> 16)
        weights = (t << 30) // ((2**30 + t) ** 2 >> 30)
    else:
        weights = exponential(distances * 133712 >> 16)
    spread = TABLE_SUM - (2 * largest + 1)
    frequencies = 1 + weights * spread // int(weights.sum())
    frequencies[largest] += TABLE_SUM - int(frequencies.sum())
    return frequencies


def exponential(x: np.ndarray) -> np.ndarray:
    """E(x): 2^30 * 2^(-x / 65536)."""
    power = np.full_like(x, 2**30)
    factor = 2**29
    for bit in range(15, -1, -1):
        factor = math.isqrt(factor << 30)
        power = np.where(x >> bit & 1, power * factor >> 30, power)
    return power >> np.minimum(x >> 16, 62)


# Section 8 -------------------------------------------------------------------------------------


def evaluate(file: File, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Coordinates -> the function's values, shape (points, channels), not clamped."""
    matrices = [
        levels * step(index) for levels, index in zip(file.levels, file.step_indices, strict=True)
    ]
    hidden = np.stack([x, y])
    for matrix in matrices[:-1]:
        hidden = np.sin(matrix[:, :-1] @ hidden + matrix[:, -1:])
    return (matrices[-1][:, :-1] @ hidden + matrices[-1][:, -1:]).T


def values(
    file: File,
    size: tuple[int, int] | None = None,
    region: tuple[Fraction | int, Fraction | int, Fraction | int, Fraction | int] | None = None,
) -> np.ndarray:
    """The function over `region` (x, y, width, height in stored pixels), at `size` (across, down).

    Shape (height, width, channels), float64, not clamped.
    """
    width, height = size or (file.width, file.height)
    left, top, region_width, region_height = region or (0, 0, file.width, file.height)
    x, k_x = centres(width, Fraction(left), Fraction(region_width), file.width)
    y, k_y = centres(height, Fraction(top), Fraction(region_height), file.height)
    ys, xs = np.meshgrid(y, x, indexing="ij")
    sub_cells = evaluate(file, xs.ravel(), ys.ravel())
    return sub_cells.reshape(height, k_y, width, k_x, file.channels).mean(axis=(1, 3))


def centres(cells: int, start: Fraction, length: Fraction, pixels: int) -> tuple[np.ndarray, int]:
    """Centres of all sub-cells along an axis, in [-1, 1], and how many there are in a cell."""
    k = math.ceil(length / cells)
    positions = [start + length * (2 * i + 1) / (2 * cells * k) for i in range(cells * k)]
    return np.array([float(2 * position / pixels - 1) for position in positions]), k


def samples(file: File, size: tuple[int, int] | None = None) -> np.ndarray:
    """Integers from 0 to 255 or 65535, shape (height, width, channels)."""
    peak = 2**file.bits - 1
    return np.floor(peak * np.clip(values(file, size), 0, 1) + 0.5).astype(np.int64)
