"""A second decoder of `.siren` files, written from docs/FORMAT.md alone.

It shares nothing with the package but the files of shipped priors, so that what the two agree on is
what the document says. Plain Python, numpy in double precision, zlib and zstandard;
slow, and without any limits.

    file = parse(data)             bytes -> File: header, integers, metadata; or Invalid
    samples(file)                  File -> integers, shape (height, width, channels)
    samples(file, (24, 16))        the same, 24 wide and 16 high
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np
import zstandard

MAGIC = b"\x89SRN"
VARINT_MAX = 2**28 - 1
TABLE_SUM = 2**24
WINDOW_BYTES = 8 * 2**20
PRIORS = Path(__file__).parents[1] / "sirencodec" / "priors"


class Invalid(Exception):  # noqa: N818 - the document's own word
    """The bytes must be rejected; `number` is that of FORMAT.md section 10."""

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
    exponents: list[int]  # of the grids, finest first; none in a pure file
    prior: int
    step_indices: list[int]
    model_indices: list[int]
    levels: list[np.ndarray]  # a matrix each, int64
    latents: list[np.ndarray]  # a grid each, int64, finest first
    metadata: Metadata | None


Rectangle = tuple[int, int, int, int]  # top, bottom, left, right of samples, ends not included
Tiles = list[tuple[int, Rectangle]]  # of a segment: exponents of grids and what it has of them


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
    version = source.take(1)[0]
    if version > 1:
        raise Invalid(2, "version")
    flags = source.take(1)[0]
    if flags >> (6 if version else 5):
        raise Invalid(3, "reserved flags")
    width, height = source.field(1, 65535), source.field(1, 65535)
    hidden_features, hidden_layers = source.field(1, 1024), source.field(0, 64)
    omega_0 = source.field(1, 65535)
    exponents, prior = pyramid_fields(source) if flags & 16 else ([], 0)
    tiles = tiles_of_segments(source, version, exponents, (width, height))
    if flags & 32:
        extensions(source)
    matrices_bytes = source.field(1, VARINT_MAX)
    table = [table_entry(source) for _ in tiles] if version else []

    source.end_number = 8
    matrices = source.take(matrices_bytes)
    checksum = zlib.crc32(data[: source.position])
    if source.integer() != checksum:
        raise Invalid(9, "checksum")
    source.end_number = 27
    segments = [segment(source, *entry) for entry in table]

    metadata = None
    if flags & 8:
        source.end_number = 18
        metadata = metadata_section(source, wanted=want_metadata)
    if source.position != len(data):
        raise Invalid(10, f"{len(data) - source.position} bytes follow the end")

    channels = (flags & 3) + 1
    shapes = matrix_shapes(channels, hidden_features, hidden_layers, exponents, prior)
    step_indices, model_indices, levels, symbols = decode_matrices(
        matrices, shapes, by_words=version == 0
    )
    check_numbers(shapes, exponents, prior, step_indices, levels)
    if version or not exponents:
        symbols.finish()
    latents: list[np.ndarray] = []
    if exponents:
        streams = [s if s is None else Symbols(s) for s in segments] if version else [symbols]
        networks = context_networks(prior, step_indices, levels)
        latents = decode_latents(streams, tiles, networks, exponents, (width, height))
    return File(
        width=width,
        height=height,
        channels=channels,
        bits=16 if flags & 4 else 8,
        hidden_features=hidden_features,
        hidden_layers=hidden_layers,
        omega_0=omega_0,
        exponents=exponents,
        prior=prior,
        step_indices=step_indices,
        model_indices=model_indices,
        levels=levels,
        latents=latents,
        metadata=metadata,
    )


def pyramid_fields(source: Bytes) -> tuple[list[int], int]:
    coarsest, finest = divmod(source.field(0, 54), 8)
    if finest > coarsest:
        raise Invalid(19, f"no grids from {finest} to {coarsest}")
    prior = source.field(1, 127)
    if prior not in WIDTHS:
        raise Invalid(20, f"no prior {prior}")
    if source.take(2) != prior_checksum(prior):
        raise Invalid(21, "checksum of the prior")
    return list(range(finest, coarsest + 1)), prior


def tiles_of_segments(
    source: Bytes, version: int, exponents: list[int], size: tuple[int, int]
) -> list[Tiles]:
    """The tiles of each segment; in version 0, of the one stream."""
    if not exponents:
        return []
    if version == 0:
        return [[(k, whole(grid_shape(size, k))) for k in reversed(exponents)]]
    return tiling(source, exponents, size)


def tiling(source: Bytes, exponents: list[int], size: tuple[int, int]) -> list[Tiles]:
    """The tiles of each segment."""
    shared, log_side = divmod(source.field(0, 122), 16)
    if log_side > 10 or not exponents[0] <= shared <= exponents[-1] + 1:
        raise Invalid(26, "tiling")
    first = [(k, whole(grid_shape(size, k))) for k in reversed(exponents) if k >= shared]
    segments = [first] if first else []
    for k in reversed([k for k in exponents if k < shared]):
        down, across = (bounds(count, 64 << log_side) for count in grid_shape(size, k))
        segments += [[(k, (*rows, *columns))] for rows in down for columns in across]
    return segments


def bounds(count: int, side: int) -> list[tuple[int, int]]:
    """Samples along an axis -> where each tile begins and ends."""
    tiles = math.ceil(count / side)
    starts = [2 * (i * math.ceil(count / 2) // tiles) for i in range(tiles)]
    return list(zip(starts, [*starts[1:], count], strict=True))


def whole(shape: tuple[int, int]) -> Rectangle:
    return 0, shape[0], 0, shape[1]


def extensions(source: Bytes) -> None:
    block, last = Bytes(source.take(source.field(1, VARINT_MAX)), end_number=30), -1
    while block.position < len(block.data):
        tag = block.varint()
        block.take(block.varint())
        if tag <= last:
            raise Invalid(30, "tags do not rise")
        if tag % 2:
            raise Invalid(31, f"extension {tag}")
        last = tag


def table_entry(source: Bytes) -> tuple[int, int]:
    """Bytes of a segment and its checksum; -1 bytes where all latents are 0."""
    size = source.varint() - 1
    return size, int.from_bytes(source.take(2), "little") if size >= 0 else 0


def segment(source: Bytes, size: int, checksum: int) -> bytes | None:
    if size < 0:
        return None
    data = source.take(size)
    if crc_16(data) != checksum:
        raise Invalid(28, "checksum of a segment")
    return data


def crc_16(data: bytes) -> int:
    value = 0xFFFF
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = value << 1 ^ (0x11021 if value & 0x8000 else 0)
    return value


# Section 3 -------------------------------------------------------------------------------------


def matrix_shapes(
    channels: int,
    features: int,
    hidden_layers: int,
    exponents: list[int] | None = None,
    prior: int = 0,
) -> list[tuple[int, int]]:
    exponents = exponents or []
    shapes = [(features, 3 + len(exponents))]
    shapes += [(features, features + 1)] * hidden_layers
    shapes += [(channels, features + 1)]
    if exponents and exponents[-1] > 0:
        shapes += [(exponents[-1], 4)]
    return shapes + (prior_shapes(prior) if exponents else [])


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


def decode_matrices(
    coded: bytes, shapes: list[tuple[int, int]], *, by_words: bool = False
) -> tuple[list[int], list[int], list[np.ndarray], Symbols]:
    """Coded matrices of these shapes -> step indices, model indices, levels, what is left."""
    if len(coded) < 2 * len(shapes):
        raise Invalid(11, "matrices are shorter than their indices")
    indices, stream = coded[: 2 * len(shapes)], coded[2 * len(shapes) :]
    step_indices, model_indices = list(indices[0::2]), list(indices[1::2])
    for step_index, model_index in zip(step_indices, model_indices, strict=True):
        if model_index > 144 or (model_index == 144 and step_index != 0):
            raise Invalid(12, "model index")
    if by_words and len(stream) % 4:
        raise Invalid(13, "stream is not whole words")

    symbols = Symbols(stream, by_words=by_words)
    levels = []
    for (rows, columns), model_index in zip(shapes, model_indices, strict=True):
        matrix = np.zeros(rows * columns, dtype=np.int64)
        if model_index != 144:
            table = frequency_table(model_index)
            matrix = symbols.take(table, rows * columns) - len(table) // 2
        levels.append(matrix.reshape(rows, columns))
    return step_indices, model_indices, levels, symbols


def check_numbers(
    shapes: list[tuple[int, int]],
    exponents: list[int],
    prior: int,
    step_indices: list[int],
    levels: list[np.ndarray],
) -> None:
    if exponents and exponents[-1] > 0:
        place = len(shapes) - len(prior_shapes(prior)) - 1
        if np.abs(levels[place] * step(step_indices[place])).max() > 16:
            raise Invalid(24, "number of the kernels")
    if exponents:
        refinement(prior, step_indices, levels)
        context_networks(prior, step_indices, levels)


class Symbols:
    """The symbols of a stream, each encoded again as it is taken."""

    def __init__(self, stream: bytes, *, by_words: bool = False) -> None:
        self.stream, self.by_words = stream, by_words
        padded = stream + bytes(-len(stream) % 4)
        words = [int(word) for word in np.frombuffer(padded, dtype="<u4" if by_words else ">u4")]
        self.decoder, self.encoder = RangeDecoder(words), RangeEncoder()
        self.count = 0

    def take(self, frequencies: np.ndarray, count: int) -> np.ndarray:
        lefts = np.concatenate([[0], np.cumsum(frequencies)])
        taken = np.empty(count, dtype=np.int64)
        for position in range(count):
            symbol = taken[position] = self.decoder.decode(lefts)
            self.encoder.encode(int(lefts[symbol]), int(frequencies[symbol]))
        self.count += count
        return taken

    def finish(self) -> None:
        if self.by_words:
            words = self.encoder.finish_words() if self.count else []
            expected = np.array(words, dtype="<u4").tobytes()
        else:
            expected = self.encoder.finish_bytes()
        if expected != self.stream:
            raise Invalid(15, "stream is not the encoder's")


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

    def finish_bytes(self) -> bytes:
        for n in range(9):
            unit = 2 ** (64 - 8 * n)
            last = -(-self.lower // unit) * unit
            if last < self.lower + self.range:
                break
        self.add(last - self.lower)
        words = b"".join(word.to_bytes(4, "big") for word in self.words)
        return words + self.lower.to_bytes(8, "big")[:n]

    def finish_words(self) -> list[int]:
        upper_word = (self.lower + self.range) % MODULUS >> 32
        self.add(2**32 - 1)
        self.words.append(self.lower >> 32)
        if self.words[-1] == upper_word:
            self.words.append(0)
        return self.words


# Section 6 -------------------------------------------------------------------------------------

RECIPROCALS = (8589934592, 7223199471, 6074000999, 5107653328)


@lru_cache(maxsize=144)
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


# Section 7 -------------------------------------------------------------------------------------

WIDTHS = {1: (24, 24, 2)}
CHANNELS = {1: 8}
NUM_PHASES = 4
LARGEST_WEIGHT = 2**26


def prior_shapes(prior: int) -> list[tuple[int, int]]:
    channels = CHANNELS[prior]
    return [*context_shapes(prior), (channels, 64), (2, 9 * channels + 1)]


def context_shapes(prior: int) -> list[tuple[int, int]]:
    shapes = []
    for phase in range(NUM_PHASES):
        columns = 9 * (phase + 2) + 7
        for width in WIDTHS[prior]:
            shapes.append((width, columns))
            columns = width + 1
    return shapes


def prior_checksum(prior: int) -> bytes:
    data = (PRIORS / f"{prior}.bin").read_bytes()
    return (zlib.crc32(data) % 2**16).to_bytes(2, "little")


@lru_cache
def shipped(prior: int) -> tuple[list[int], list[np.ndarray]]:
    """Step indices and levels of a prior's matrices."""
    data = (PRIORS / f"{prior}.bin").read_bytes()
    step_indices, _, levels, symbols = decode_matrices(data, prior_shapes(prior), by_words=True)
    symbols.finish()
    return step_indices, levels


def in_units(step_index: int, levels: np.ndarray) -> np.ndarray:
    """Levels -> integers in units of 2^-16."""
    unit = Fraction(8 + step_index % 8) * Fraction(2) ** (step_index // 8 - 11)
    if not levels.any():
        return levels
    if step_index < 88:
        raise Invalid(22, f"step index {step_index} of the context model")
    return levels * int(unit)


def with_differences(
    prior: int, step_indices: list[int], levels: list[np.ndarray]
) -> list[tuple[tuple[int, np.ndarray], tuple[int, np.ndarray]]]:
    """The last matrices of a file -> step index and levels of each shipped one, and of its own."""
    ours = shipped(prior)
    first = len(levels) - len(ours[1])
    theirs = zip(step_indices[first:], levels[first:], strict=True)
    return list(zip(zip(*ours, strict=True), theirs, strict=True))


def context_networks(
    prior: int, step_indices: list[int], levels: list[np.ndarray]
) -> list[list[np.ndarray]]:
    """The last matrices of a file, which are differences -> its networks, one a phase."""
    count = len(context_shapes(prior))
    matrices = [
        in_units(*base) + in_units(*change)
        for base, change in with_differences(prior, step_indices, levels)[:count]
    ]
    if max(int(np.abs(matrix).max()) for matrix in matrices) > LARGEST_WEIGHT:
        raise Invalid(23, "weight of the context model")
    depth = len(WIDTHS[prior])
    return [matrices[depth * phase : depth * (phase + 1)] for phase in range(NUM_PHASES)]


def refinement(prior: int, step_indices: list[int], levels: list[np.ndarray]) -> list[np.ndarray]:
    """The last matrices of a file, which are differences -> its refinement, A and B."""
    count = len(context_shapes(prior))
    matrices = [
        base * step(base_step) + change * step(change_step)
        for (base_step, base), (change_step, change) in with_differences(
            prior, step_indices, levels
        )[count:]
    ]
    if max(np.abs(matrix).max() for matrix in matrices) > 16:
        raise Invalid(25, "number of the refinement")
    return matrices


# Section 8 -------------------------------------------------------------------------------------

PHASES = ((0, 0), (1, 1), (0, 1), (1, 0))
RATES = (756387, 673864, 600345, 534846, 476494, 424508)
Source = dict[tuple[int, int], int]  # (i, j) -> integer; 0 where there is none


def grid_shape(size: tuple[int, int], exponent: int) -> tuple[int, int]:
    width, height = size
    return math.ceil(height / 2**exponent), math.ceil(width / 2**exponent)


def decode_latents(
    streams: list[Symbols | None],
    tiles: list[Tiles],
    networks: list[list[np.ndarray]],
    exponents: list[int],
    size: tuple[int, int],
) -> list[np.ndarray]:
    """Segments, None where all latents are 0, and their tiles -> grids, finest first."""
    grids = {k: np.zeros(grid_shape(size, k), dtype=np.int64) for k in exponents}
    for symbols, parts in zip(streams, tiles, strict=True):
        if symbols is None:
            continue
        for exponent, tile in parts:
            decode_tile(symbols, networks, grids, exponent, tile)
        symbols.finish()
        if not symbols.by_words and not any(
            grids[k][top:bottom, left:right].any() for k, (top, bottom, left, right) in parts
        ):
            raise Invalid(29, "segment of zeros")
    return [grids[exponent] for exponent in exponents]


def decode_tile(
    symbols: Symbols,
    networks: list[list[np.ndarray]],
    grids: dict[int, np.ndarray],
    exponent: int,
    tile: Rectangle,
) -> None:
    grid = grids[exponent]
    rows, columns = grid.shape
    top, bottom, left, right = tile
    places = [
        (i, j)
        for i in range(top // 2, (bottom + 1) // 2)
        for j in range(left // 2, (right + 1) // 2)
    ]
    # Coarser grids are seen beyond the tile, up to the edges of this grid's places.
    around = [
        (i, j)
        for i in range(max(top // 2 - 1, 0), min((bottom + 1) // 2 + 1, (rows + 1) // 2))
        for j in range(max(left // 2 - 1, 0), min((right + 1) // 2 + 1, (columns + 1) // 2))
    ]
    sources: list[Source] = [{}, {}]
    if exponent + 1 in grids:
        sources[0] = {(i, j): int(grids[exponent + 1][i, j]) for i, j in around}
    if exponent + 2 in grids:
        sources[1] = {(i, j): int(grids[exponent + 2][i >> 1, j >> 1]) for i, j in around}
    for (down, across), network in zip(PHASES, networks, strict=True):
        own = [(i, j) for i, j in places if 2 * i + down < rows and 2 * j + across < columns]
        predictions = [prediction(network, sources, place, exponent) for place in own]
        source: Source = {}
        # sorted() is stable: places of one table stay in their order
        for (table, whole_centre), place in sorted(
            zip(predictions, own, strict=True), key=lambda pair: pair[0][0]
        ):
            residual = int(symbols.take(residual_table(table), 1)[0]) - 255
            source[place] = whole_centre + residual
        for (i, j), latent in source.items():
            grid[2 * i + down, 2 * j + across] = latent
        sources.append(source)


def prediction(
    network: list[np.ndarray], sources: list[Source], place: tuple[int, int], exponent: int
) -> tuple[int, int]:
    """Table and whole centre of the latent at a place."""
    c, s = outputs(network, sources, place, exponent)
    part = limited((8 * c + 2**27) >> 28, -4096, 4096)
    whole = (part + 4) >> 3
    return 8 * limited(((6 * s + 2**27) >> 28) + 36, 0, 79) + part + 4 - 8 * whole, whole


def outputs(
    network: list[np.ndarray], sources: list[Source], place: tuple[int, int], exponent: int
) -> tuple[int, int]:
    inputs = np.array(
        [
            source.get((row, column), 0)
            for source in sources
            for row in range(place[0] - 1, place[0] + 2)
            for column in range(place[1] - 1, place[1] + 2)
        ],
        dtype=np.int64,
    )
    weights, biases = network[0][:, :-7], network[0][:, -7:]
    h = np.clip((weights @ inputs + 8 * biases[:, exponent]) >> 7, 0, 2**20)
    for matrix in network[1:-1]:
        h = np.clip((matrix[:, :-1] @ h + 4096 * matrix[:, -1]) >> 16, 0, 2**20)
    c, s = network[-1][:, :-1] @ h + 4096 * network[-1][:, -1]
    return int(c), int(s)


def limited(value: int, low: int, high: int) -> int:
    return min(max(value, low), high)


@lru_cache(maxsize=640)
def residual_table(table: int) -> np.ndarray:
    scale, eighths = divmod(table, 8)
    rate = RATES[scale % 6] >> (scale // 6)
    lower = 8 * np.arange(-255, 256, dtype=np.int64) - eighths
    upper = lower + 8
    a, b = exponential(np.abs(lower) * rate), exponential(np.abs(upper) * rate)
    a[0], b[-1] = 0, 0
    weights = np.where((lower < 0) & (upper > 0), 2**31 - a - b, np.abs(a - b))
    frequencies = 1 + (weights * (TABLE_SUM - 511) >> 31)
    frequencies[255] += TABLE_SUM - int(frequencies.sum())
    return frequencies


# Section 9 -------------------------------------------------------------------------------------


def evaluate(file: File, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Coordinates -> the function's values, shape (points, channels), not clamped."""
    matrices = [
        levels * step(index) for levels, index in zip(file.levels, file.step_indices, strict=True)
    ]
    network, others = matrices[: file.hidden_layers + 2], matrices[file.hidden_layers + 2 :]
    hidden = np.stack([x, y])
    if file.exponents:
        q_x, q_y = (x + 1) * file.width / 2, (y + 1) * file.height / 2
        pixels = pixel_features(file, others[0] if file.exponents[-1] else np.empty(0))
        features = [interpolated(feature, q_x, q_y) for feature in refined(file, pixels)]
        hidden = np.stack([x, y, *features])
    for matrix in network[:-1]:
        hidden = np.sin(matrix[:, :-1] @ hidden + matrix[:, -1:])
    return (network[-1][:, :-1] @ hidden + network[-1][:, -1:]).T


def pixel_features(file: File, kernels: np.ndarray) -> list[np.ndarray]:
    """Each grid at the resolution of pixels, finest first."""
    features = []
    for exponent, latents in zip(file.exponents, file.latents, strict=True):
        grid = np.pad(latents.astype(float), 4, mode="edge")  # always four samples on each side
        for octave in range(exponent - 1, -1, -1):
            grid = doubled(doubled(grid, kernels[octave]).T, kernels[octave]).T
        features.append(grid[4 : 4 + file.height, 4 : 4 + file.width])
    return features


def doubled(grid: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Twice the rows, but for the four that the margin of four takes on each side."""
    w0, w1, w2, w3 = kernel
    count = len(grid)
    before2, before1, at, after1, after2 = (grid[k : count - 4 + k] for k in range(5))
    fine = np.empty((2 * len(at), grid.shape[1]))
    fine[0::2] = w0 * before2 + w1 * before1 + w2 * at + w3 * after1
    fine[1::2] = w3 * before1 + w2 * at + w1 * after1 + w0 * after2
    return fine


def refined(file: File, features: list[np.ndarray]) -> list[np.ndarray]:
    """Features of each pixel, finest first -> the same, those of exponents 0 and 1 corrected."""
    first, second = refinement(file.prior, file.step_indices, file.levels)
    by_exponent = dict(zip(file.exponents, features, strict=True))
    # f two pixels beyond the image on each side, so that h is known one pixel beyond it
    around = {k: np.pad(feature, 2, mode="edge") for k, feature in by_exponent.items()}
    hidden = [np.maximum(neighbours(weights, around), 0) for weights in first]
    for k in (0, 1):
        if k in by_exponent:
            by_exponent[k] = by_exponent[k] + neighbours(second[k], dict(enumerate(hidden)))
    return list(by_exponent.values())


def neighbours(weights: np.ndarray, planes: dict[int, np.ndarray]) -> np.ndarray:
    """Row of a refinement's matrix, planes by number -> its sums, a pixel less on each side."""
    rows, columns = next(iter(planes.values())).shape
    total = np.full((rows - 2, columns - 2), weights[-1])
    for number, plane in planes.items():
        for r in range(3):
            for c in range(3):
                moved = plane[r : r + rows - 2, c : c + columns - 2]
                total += weights[9 * number + 3 * r + c] * moved
    return total


def interpolated(pixels: np.ndarray, q_x: np.ndarray, q_y: np.ndarray) -> np.ndarray:
    """Feature of each pixel -> feature at positions in pixels."""
    height, width = pixels.shape
    total = np.zeros(len(q_x))
    for row, row_weight in taps(q_y, height):
        for column, column_weight in taps(q_x, width):
            total += pixels[row, column] * row_weight * column_weight
    return total


def taps(q: np.ndarray, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Positions along an axis -> six pixels and their weights."""
    q = np.clip(q, 0, count) - 0.5
    n = np.floor(q).astype(int)
    kernel = [np.sinc(q - n - k) * np.sinc((q - n - k) / 3) for k in range(-2, 4)]
    weights = np.array(kernel) / np.sum(kernel, axis=0)
    return [(np.clip(n + k, 0, count - 1), weights[k + 2]) for k in range(-2, 4)]


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
    cells = sub_cells.reshape(height, k_y, width, k_x, file.channels)
    if file.channels % 2 or k_x * k_y == 1:
        return cells.mean(axis=(1, 3))
    alpha = np.clip(cells[..., -1:], 0, 1)
    weights = alpha + 2.0**-16
    colours = (cells[..., :-1] * weights).sum(axis=(1, 3)) / weights.sum(axis=(1, 3))
    return np.concatenate([colours, alpha.mean(axis=(1, 3))], axis=2)


def centres(cells: int, start: Fraction, length: Fraction, pixels: int) -> tuple[np.ndarray, int]:
    """Centres of all sub-cells along an axis, in [-1, 1], and how many there are in a cell."""
    k = math.ceil(length / cells)
    positions = [start + length * (2 * i + 1) / (2 * cells * k) for i in range(cells * k)]
    return np.array([float(2 * position / pixels - 1) for position in positions]), k


def samples(file: File, size: tuple[int, int] | None = None) -> np.ndarray:
    """Integers from 0 to 255 or 65535, shape (height, width, channels)."""
    peak = 2**file.bits - 1
    return np.floor(peak * np.clip(values(file, size), 0, 1) + 0.5).astype(np.int64)
