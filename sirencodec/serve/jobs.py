"""Work for threads, each piece done once however many ask for it, and kept while there is room."""

import asyncio
import time
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar, cast

from sirencodec.serve.cache import ByteCache
from sirencodec.serve.refusal import RefusalError

Result = TypeVar("Result")

MAX_WAITING: Final = 256  # requests of some kilobytes each; a browser sends six at once
_BUSY: Final = "the server is busy; try again in a moment"


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
            max_waiting: pieces of work that run or wait to; more are sent away.
        """
        self._cache = cache
        self._timeout_s = timeout_s
        self._max_waiting = max_waiting
        self._threads = ThreadPoolExecutor(num_threads, thread_name_prefix="sirencodec-serve")
        self._running: dict[Hashable, asyncio.Future[object]] = {}

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
        running = self._running.get(key)
        if running is None:
            if len(self._running) >= self._max_waiting:
                raise RefusalError(503, _BUSY)
            running = asyncio.ensure_future(self._compute(key, work, weigh))
            self._running[key] = running
            running.add_done_callback(lambda done: self._forget(key, done))
        return cast(Result, await asyncio.shield(running))

    async def once(self, work: Callable[[], Result]) -> Result:
        """Work -> its result, not kept, for what must be asked each time. Errors as ``result``."""
        return await self.result(object(), work, lambda _: self._cache.max_bytes + 1)

    def close(self) -> None:
        """Start nothing any more. What runs is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _compute(
        self, key: Hashable, work: Callable[[], Result], weigh: Callable[[Result], int]
    ) -> object:
        """Compute a value in a thread and keep it."""
        last_start = time.monotonic() + self._timeout_s

        def work_if_awaited() -> Result:
            if time.monotonic() > last_start:  # it waited so long that everyone has left
                raise RefusalError(503, _BUSY)
            return work()

        value = await asyncio.get_running_loop().run_in_executor(self._threads, work_if_awaited)
        self._cache.put(key, value, weigh(value))
        return value

    def _forget(self, key: Hashable, done: asyncio.Future[object]) -> None:
        """A piece of work has ended; its error, if nobody waits for it, is no news."""
        del self._running[key]
        if not done.cancelled():
            done.exception()
