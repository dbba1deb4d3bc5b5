"""Pieces of a batch -> their results, one thread a core.

A sine layer of this size keeps a core busy from its own cache. PyTorch's way of using two cores, to
split every single operation, spends more on handing over than it gains; splitting the batch instead
is about 1.6 times as fast (benchmarks/LOG.md, entry 1).
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

Piece = TypeVar("Piece")
Result = TypeVar("Result")


class Workers:
    """Threads that each run PyTorch on one core."""

    def __init__(self, pool: ThreadPoolExecutor, count: int) -> None:
        """Use ``count`` threads of ``pool``."""
        self._pool = pool
        self.count = count

    def map(self, function: Callable[[Piece], Result], pieces: Sequence[Piece]) -> list[Result]:
        """Results in the order of the pieces, so that sums of them do not depend on timing."""
        if len(pieces) == 1:
            return [function(pieces[0])]
        return list(self._pool.map(function, pieces))


@contextmanager
def worker_threads(count: int) -> Iterator[Workers]:
    """Within the block, ``count`` workers, and PyTorch on one core in the calling thread as well.

    Were the caller to go on splitting its operations, PyTorch's threads would spin on the workers'
    cores between them.
    """
    threads_before = torch.get_num_threads()
    with ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        torch.set_num_threads(1)
        try:
            yield Workers(pool, count)
        finally:
            torch.set_num_threads(threads_before)
