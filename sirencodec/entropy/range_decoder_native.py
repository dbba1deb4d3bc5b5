"""Range-coded bytes -> symbols, by compiled loops: what ``range_coder.SymbolDecoder`` does."""

import ctypes

import numpy as np

from sirencodec.entropy.prediction import Indices, Levels
from sirencodec.entropy.range_coder import (
    Frequencies,
    OnSymbols,
    SymbolDecoder,
    Symbols,
    check_whole_words,
)
from sirencodec.errors import CorruptError
from sirencodec.native.arrays import address
from sirencodec.native.entropy import (
    ENDS_EARLY,
    IMPOSSIBLE,
    NO_MEMORY,
    NONE,
    RangeDecoder,
    ResidualTask,
    StreamLoops,
    stream_loops,
)


def open_stream(
    stream: bytes,
    on_symbols: OnSymbols | None = None,
    *,
    by_words: bool = False,
    may_end: bool = False,
) -> "SymbolDecoder | NativeDecoder":
    """Stream -> the fastest decoder of it there is. Arguments and errors as ``SymbolDecoder``."""
    loops = stream_loops()
    if loops is None or on_symbols is not None:
        return SymbolDecoder(stream, on_symbols, by_words=by_words, may_end=may_end)
    return NativeDecoder(stream, loops, by_words=by_words, may_end=may_end)


class NativeDecoder:
    """A range-coded stream -> its symbols, asked for in the order they were encoded in."""

    def __init__(
        self, stream: bytes, loops: StreamLoops, *, by_words: bool = False, may_end: bool = False
    ) -> None:
        """Start at the beginning of a stream. Arguments and errors as for ``SymbolDecoder``.

        Residuals that come after a stream that ``may_end`` are 0.
        """
        if by_words:
            check_whole_words(stream)
        self._stream = np.frombuffer(stream, np.uint8)  # kept: the state has its address
        self._loops = loops
        self._state = RangeDecoder(
            bytes=address(self._stream), size=len(stream), by_words=by_words, may_end=may_end
        )
        loops.begin(ctypes.byref(self._state))

    def decode(self, count: int, frequencies: Frequencies) -> Symbols:
        """The next symbols. See ``SymbolDecoder``."""
        cumulative = np.zeros(len(frequencies) + 1, np.uint32)
        np.cumsum(frequencies, out=cumulative[1:])
        symbols = np.empty(count, np.int32)
        _check(
            self._loops.decode_symbols(
                ctypes.byref(self._state),
                ctypes.c_void_p(address(cumulative)),
                ctypes.c_long(len(frequencies)),
                ctypes.c_long(count),
                ctypes.c_void_p(address(symbols)),
            )
        )
        return symbols

    def code_residuals(self, wholes: Indices, tables: Indices, samples: Levels) -> None:
        """Decode samples. See ``latents.ResidualCoder``; overwrites ``wholes``."""
        row, step = (stride // samples.itemsize for stride in samples.strides)
        task = ResidualTask(
            decoder=ctypes.addressof(self._state),
            cumulative=address(self._loops.residual_tables),
            wholes=address(wholes),
            tables=address(tables),
            rows=samples.shape[0],
            columns=samples.shape[1],
            first=address(samples),
            row=row,
            step=step,
        )
        _check(self._loops.decode_residuals(ctypes.byref(task)))

    def finish(self) -> None:
        """Check that the stream ends as its encoder ends it. See ``SymbolDecoder``."""
        if self._loops.finish(ctypes.byref(self._state)) != NONE:
            raise CorruptError("coded stream is not canonical", field="stream")


def _check(fault: int) -> None:
    """Raise what a loop found wrong."""
    if fault == IMPOSSIBLE:
        raise CorruptError("coded stream holds an impossible symbol", field="stream")
    if fault == ENDS_EARLY:
        raise CorruptError("coded stream ends early", field="stream")
    if fault == NO_MEMORY:
        raise MemoryError("no room for a phase of latents")
