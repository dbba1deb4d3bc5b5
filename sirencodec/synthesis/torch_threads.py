"""Pieces of work -> their results, on several threads.

A sine layer of this size keeps a core busy from its own cache. PyTorch's way of using two cores, to
split every single operation, spends more on handing over than it gains; splitting the batch instead
is 1.6 to 2 times as fast (benchmarks/LOG.md, entry 1).
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

Piece = TypeVar("Piece")
Result = TypeVar("Result")


class Workers:
    """The calling thread and a pool's.

    Attributes:
        count: threads altogether.
    """

    def __init__(self, pool: ThreadPoolExecutor | None = None, count: int = 1) -> None:
        """Use ``count - 1`` threads of ``pool`` besides the caller's own."""
        self._pool = pool
        self.count = count

    def map(self, function: Callable[[Piece], Result], pieces: Sequence[Piece]) -> list[Result]:
        """Results in the order of the pieces, so that sums of them do not depend on timing."""
        if self._pool is None:
            return [function(piece) for piece in pieces]
        # The caller takes every count-th piece itself: a thread that only waits has to be woken.
        others = [index for index in range(len(pieces)) if index % self.count]
        futures = {index: self._pool.submit(function, pieces[index]) for index in others}
        own = {index: function(pieces[index]) for index in range(0, len(pieces), self.count)}
        return [
            futures[index].result() if index in futures else own[index]
            for index in range(len(pieces))
        ]


@contextmanager
def worker_threads(count: int, cores_each: int = 1) -> Iterator[Workers]:
    """Within the block, ``count`` workers, and PyTorch on so many cores in each.

    In the calling thread as well: were it to go on splitting its operations among all cores,
    PyTorch's threads would spin on the workers' between them.
    """
    threads_before = torch.get_num_threads()
    others = max(1, count - 1)
    with ThreadPoolExecutor(
        others, initializer=torch.set_num_threads, initargs=(cores_each,)
    ) as pool:
        torch.set_num_threads(cores_each)
        try:
            yield Workers(pool, count) if count > 1 else Workers()
        finally:
            torch.set_num_threads(threads_before)
