"""Integer symbols <-> range-coded bytes.

The coder is constriction's range coder (32-bit words, 64-bit state, 24-bit probabilities; Bamler
2022). Tables are integers that sum to exactly 2^24, which makes the library's conversion of
probabilities the identity: ``Categorical(perfect=False)`` gives every symbol one count and spreads
the remaining ``2^24 - n`` in proportion, and a table less one count a symbol sums to just that. So
no rounding takes part in what a symbol is (FORMAT.md, section 5).
"""

from collections.abc import Sequence

import constriction
import numpy as np
import numpy.typing as npt

from sirencodec.errors import CorruptError

PRECISION = 24  # bits of a probability, fixed in constriction's default coder
TOTAL = 1 << PRECISION
WORD_BYTES = 4

Symbols = npt.NDArray[np.int32]
Frequencies = npt.NDArray[np.int64]


def _model(frequencies: Frequencies) -> constriction.stream.model.Categorical:
    """Integer table -> the library's model of exactly these probabilities."""
    return constriction.stream.model.Categorical(
        (frequencies - 1).astype(np.float64), perfect=False
    )


def encode_symbols(groups: Sequence[tuple[Symbols, Frequencies]]) -> bytes:
    """Symbols with their tables -> one range-coded stream.

    Args:
        groups: pairs of symbols, (n,) int32 in [0, len(table)), and table, (m,) int64 with m >= 2,
            every entry >= 1, sum 2^24.

    Returns:
        Little-endian 32-bit words; empty if there are no symbols.
    """
    encoder = constriction.stream.queue.RangeEncoder()
    for symbols, frequencies in groups:
        encoder.encode(np.ascontiguousarray(symbols, dtype=np.int32), _model(frequencies))
    words: npt.NDArray[np.uint32] = encoder.get_compressed()
    return words.astype("<u4").tobytes()


def decode_symbols(stream: bytes, groups: Sequence[tuple[int, Frequencies]]) -> list[Symbols]:
    """Range-coded stream -> the symbols of each group.

    The stream must be exactly what ``encode_symbols`` makes of the result: a stream that decodes
    but is not the shortest form, or goes on after the last symbol, is refused.

    Args:
        stream: bytes from ``encode_symbols``.
        groups: pairs of symbol count (>= 1) and table, as given when encoding.

    Raises:
        CorruptError: if no symbols have this stream as their encoding.
    """
    if len(stream) % WORD_BYTES:
        raise CorruptError("coded stream is not a whole number of words", field="stream")
    words = np.frombuffer(stream, dtype="<u4").astype(np.uint32)
    decoder = constriction.stream.queue.RangeDecoder(words)
    decoded = []
    try:
        for count, frequencies in groups:
            decoded.append(decoder.decode(_model(frequencies), count))
    except AssertionError as error:  # constriction's word for bits that no symbol has
        raise CorruptError("coded stream holds an impossible symbol", field="stream") from error
    tables = [frequencies for _, frequencies in groups]
    if encode_symbols(list(zip(decoded, tables, strict=True))) != stream:
        raise CorruptError("coded stream is not canonical", field="stream")
    return decoded
