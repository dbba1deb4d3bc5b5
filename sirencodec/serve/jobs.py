"""Work for threads, each piece done once however many ask for it, and kept while there is room."""

import asyncio
import time
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar, cast

from sirencodec.serve.cache import ByteCache
from sirencodec.serve.refusal import RefusalError
from sirencodec.serve.turns import Turns

Result = TypeVar("Result")

MAX_WAITING: Final = 256  # requests of some kilobytes each; a browser sends six at once
_BUSY: Final = "the server is busy; try again in a moment"

ASKING: Final[ContextVar[str]] = ContextVar("ASKING", default="")
"""The client whose request is being answered: work waits in turn, client by client."""


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """Work that waits, what its result is awaited by, and when it must have begun."""

    work: Callable[[], object]
    awaited: asyncio.Future[object]
    last_start: float


class Jobs:
    """Threads that compute, and a cache of what they computed.

    A result that nobody waits for any more is kept all the same: who asks again finds it.
    """

    def __init__(
        self,
        cache: ByteCache,
        num_threads: int,
        timeout_s: float,
        *,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        """Compute in so many threads.

        Args:
            cache: of results.
            num_threads: that compute.
            timeout_s: after which nobody waits for a result any more.
            max_waiting: pieces of work that run or wait to; if there are more, the client who has
                most of them is sent away.
        """
        self._cache = cache
        self._timeout_s = timeout_s
        self._max_waiting = max_waiting
        self._free_threads = num_threads
        self._threads = ThreadPoolExecutor(num_threads, thread_name_prefix="sirencodec-serve")
        self._awaited: dict[Hashable, asyncio.Future[object]] = {}
        self._turns: Turns[_Piece] = Turns()

    async def result(
        self, key: Hashable, work: Callable[[], Result], weigh: Callable[[Result], int]
    ) -> Result:
        """Key and how to compute its value -> value.

        Args:
            key: two pieces of work with equal keys are the same.
            work: called in a thread.
            weigh: value -> bytes that it takes in the cache.

        Raises:
            RefusalError: 503, if too many wait, or it could not be begun in time.
            Exception: what ``work`` raises.
        """
        kept = self._cache.get(key)
        if kept is not None:
            return cast(Result, kept)
        awaited = self._awaited.get(key)
        if awaited is None:
            awaited = asyncio.get_running_loop().create_future()
            awaited.add_done_callback(lambda done: self._keep(key, done, weigh))
            self._awaited[key] = awaited
            last_start = time.monotonic() + self._timeout_s
            self._turns.add(ASKING.get(), _Piece(work, awaited, last_start))
            if len(self._awaited) > self._max_waiting and len(self._turns) > 0:
                _refuse(self._turns.send_away())
            self._begin()
        return cast(Result, await asyncio.shield(awaited))

    async def once(self, work: Callable[[], Result]) -> Result:
        """Work -> its result, not kept, for what must be asked each time. Errors as ``result``."""
        return await self.result(object(), work, lambda _: self._cache.max_bytes + 1)

    def close(self) -> None:
        """Start nothing any more. What runs is not waited for."""
        while self._turns:
            self._turns.take().awaited.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _begin(self) -> None:
        """Free threads take what waits."""
        while self._free_threads and self._turns:
            piece = self._turns.take()
            if time.monotonic() > piece.last_start:  # everyone has left
                _refuse(piece)
                continue
            self._free_threads -= 1
            loop = asyncio.get_running_loop()
            done = loop.run_in_executor(self._threads, piece.work)
            done.add_done_callback(partial(self._end, piece))

    def _end(self, piece: _Piece, done: asyncio.Future[object]) -> None:
        """A thread is free again."""
        self._free_threads += 1
        if done.cancelled():
            piece.awaited.cancel()
        elif (error := done.exception()) is not None:
            piece.awaited.set_exception(error)
        else:
            piece.awaited.set_result(done.result())
        self._begin()

    def _keep(
        self, key: Hashable, done: asyncio.Future[object], weigh: Callable[[Result], int]
    ) -> None:
        """A piece of work has ended; its error, if nobody waits for it, is no news."""
        del self._awaited[key]
        if not done.cancelled() and done.exception() is None:
            value = cast(Result, done.result())
            self._cache.put(key, value, weigh(value))


def _refuse(piece: _Piece) -> None:
    piece.awaited.set_exception(RefusalError(503, _BUSY))
