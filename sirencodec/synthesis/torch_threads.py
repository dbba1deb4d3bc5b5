"""Threads for pieces of work in PyTorch.

A sine layer of this size keeps a core busy from its own cache. PyTorch's way of using two cores, to
split every single operation, spends more on handing over than it gains; splitting the batch instead
is 1.6 to 2 times as fast (benchmarks/LOG.md, entry 1).
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch

from sirencodec.synthesis.threads import Workers


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
