"""Integer symbols <-> range-coded bytes.

The coder is constriction's range coder (32-bit words, 64-bit state, 24-bit probabilities; Bamler
2022). Tables are integers that sum to exactly 2^24, which makes the library's conversion of
probabilities the identity: ``Categorical(perfect=False)`` gives every symbol one count and spreads
the remaining ``2^24 - n`` in proportion, and a table less one count a symbol sums to just that. So
no rounding takes part in what a symbol is (FORMAT.md, section 5).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sirencodec.errors import CorruptError

if TYPE_CHECKING:  # compiled decoders do without it
    import constriction

STATE_BITS = 64
STATE_WORDS = 2  # that a decoder has taken before the first symbol
PRECISION = 24  # bits of a probability, fixed in constriction's default coder
TOTAL = 1 << PRECISION
WORD_BYTES = 4
# Words that the encoder may hold at a time beyond those the finished stream has.
WORDS_PENDING = 2

Symbols = npt.NDArray[np.int32]
Frequencies = npt.NDArray[np.int64]
OnSymbols = Callable[[Symbols, Frequencies], None]  # called with symbols and the table they had


def _model(frequencies: Frequencies) -> "constriction.stream.model.Categorical":
    """Integer table -> the library's model of exactly these probabilities."""
    import constriction

    return constriction.stream.model.Categorical(
        (frequencies - 1).astype(np.float64), perfect=False
    )


class SymbolEncoder:
    """Symbols with their tables -> one range-coded stream."""

    def __init__(self) -> None:
        """Start an empty stream."""
        import constriction

        self._encoder = constriction.stream.queue.RangeEncoder()

    def encode(self, symbols: Symbols, frequencies: Frequencies) -> None:
        """Append symbols.

        Args:
            symbols: (n,) int32 in [0, len(frequencies)).
            frequencies: (m,) int64 with m >= 2, every entry >= 1, sum 2^24.
        """
        self.encode_by(_model(frequencies), symbols)

    def encode_by(self, model: "constriction.stream.model.Categorical", symbols: Symbols) -> None:
        """Append symbols under a table that is a model already."""
        self._encoder.encode(np.ascontiguousarray(symbols, dtype=np.int32), model)

    @property
    def num_words(self) -> int:
        """Length of the stream so far."""
        return int(self._encoder.num_words())

    @property
    def num_shifted_out(self) -> int:
        """Words that no further symbol can change, but for a carry."""
        return int(self._encoder.pos()[0])

    def words(self) -> bytes:
        """All symbols so far as a stream that ends on little-endian 32-bit words.

        That of version 0 and of shipped priors; empty if there are no symbols.
        """
        words: npt.NDArray[np.uint32] = self._encoder.get_compressed()
        return words.astype("<u4").tobytes()

    def stream(self) -> bytes:
        """All symbols so far as a stream that ends on bytes, the highest first.

        The library's words are a number within the last interval. Of those the first that needs the
        fewest bytes behind the words shifted out already is what the stream is to be.
        """
        words: npt.NDArray[np.uint32] = self._encoder.get_compressed()
        shifted_out, (lower, width) = self._encoder.pos()
        size = WORD_BYTES * int(shifted_out)
        whole = int.from_bytes(words.astype(">u4").tobytes(), "big")
        whole <<= 8 * (size + STATE_BITS // 8 - words.nbytes)
        whole -= (whole - lower) % (1 << STATE_BITS)  # where the interval begins
        for more in range(STATE_BITS // 8 + 1):
            unused = STATE_BITS - 8 * more
            up = -lower % (1 << unused)
            if up < width:
                break
        return int(whole + up >> unused).to_bytes(size + more, "big")


def check_whole_words(stream: bytes) -> None:
    """Raise CorruptError if a stream is not a whole number of words."""
    if len(stream) % WORD_BYTES:
        raise CorruptError("coded stream is not a whole number of words", field="stream")


class SymbolDecoder:
    """A range-coded stream -> its symbols, asked for in the order they were encoded in."""

    def __init__(
        self,
        stream: bytes,
        on_symbols: OnSymbols | None = None,
        *,
        by_words: bool = False,
        may_end: bool = False,
    ) -> None:
        """Start at the beginning of a stream.

        Args:
            stream: what ``SymbolEncoder`` has made.
            on_symbols: called with everything that is decoded.
            by_words: whether it is made of little-endian words, by ``SymbolEncoder.words``.
            may_end: whether it is only the first part of one.

        Raises:
            CorruptError: if it is then not a whole number of words.
        """
        if by_words:
            check_whole_words(stream)
        import constriction

        padded = stream + bytes(-len(stream) % WORD_BYTES)
        words = np.frombuffer(padded, dtype="<u4" if by_words else ">u4").astype(np.uint32)
        self._decoder = constriction.stream.queue.RangeDecoder(words)
        self._stream, self._num_words = stream, len(words)
        self._by_words, self._may_end = by_words, may_end
        self._again = SymbolEncoder()
        self._on_symbols = on_symbols

    def decode(self, count: int, frequencies: Frequencies) -> Symbols:
        """The next ``count`` (>= 1) symbols, under the table they were encoded with.

        Fewer, of a stream that may end: those that do not need bytes beyond its last.

        Raises:
            CorruptError: if no symbols have this stream as their encoding.
        """
        model = _model(frequencies)
        if not self._may_end:
            return self._take(count, model, frequencies)
        parts = [np.empty(0, np.int32)]
        while count and (safe := min(count, self._certain_symbols())):
            parts.append(self._take(safe, model, frequencies))
            count -= safe
        return np.concatenate(parts)

    def _certain_symbols(self) -> int:
        """Symbols that the bytes left are enough for, whatever these are; 0 at their end.

        All but the last of them take so many words at most, at 24 bits a symbol and what rounding
        loses.
        """
        left = len(self._stream) - WORD_BYTES * (self._again.num_shifted_out + STATE_WORDS)
        words = left // WORD_BYTES
        return 0 if left < 0 else 1 + 8 * WORD_BYTES * words // (PRECISION + 1)

    def _take(
        self,
        count: int,
        model: "constriction.stream.model.Categorical",
        frequencies: Frequencies,
    ) -> Symbols:
        try:
            symbols: Symbols = self._decoder.decode(model, count)
        except AssertionError as error:  # constriction's word for bits that no symbol has
            raise CorruptError("coded stream holds an impossible symbol", field="stream") from error
        self._again.encode_by(model, symbols)
        if self._again.num_words > self._num_words + WORDS_PENDING:
            raise CorruptError("coded stream ends early", field="stream")
        if self._on_symbols is not None:
            self._on_symbols(symbols, frequencies)
        return symbols

    def finish(self) -> None:
        """Check that the stream is just what encoding the decoded symbols makes.

        Raises:
            CorruptError: if it is not their shortest form, or goes on after the last of them.
        """
        again = self._again.words() if self._by_words else self._again.stream()
        if again != self._stream:
            raise CorruptError("coded stream is not canonical", field="stream")
