"""Pieces of work, shared among threads as each becomes free.

Compiled loops and NumPy let go of the interpreter's lock, so threads are enough. They live for one
call: nothing is left behind for a fork to lose.
"""

import os
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Final, TypeVar

Piece = TypeVar("Piece")

MOST_THREADS: Final = 64


def thread_count() -> int:
    """Threads for a decode: as many as PyTorch has, where it is loaded, else as there are cores.

    Who loaded PyTorch may have said how many threads their program is to use.
    """
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_num_threads"):
        return max(1, min(MOST_THREADS, int(torch.get_num_threads())))
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if wanted.isdecimal() and int(wanted):
        return min(MOST_THREADS, int(wanted))
    if hasattr(os, "sched_getaffinity"):
        return min(MOST_THREADS, len(os.sched_getaffinity(0)))
    return min(MOST_THREADS, os.cpu_count() or 1)


def share(function: Callable[[Piece], object], pieces: Iterable[Piece], threads: int) -> None:
    """Call ``function`` with every piece, on so many threads, the caller's among them.

    Raises:
        Exception: the first of those that calls raised, after all threads have ended.
    """
    remaining, lock = iter(pieces), Lock()
    done = object()

    def work() -> None:
        while True:
            with lock:
                piece = next(remaining, done)
            if piece is done:
                return
            try:
                function(piece)  # type: ignore[arg-type]  # not ``done``
            except BaseException:
                with lock:
                    for _ in remaining:  # the others stop at what they are doing
                        pass
                raise

    if threads < 2:
        work()
        return
    with ThreadPoolExecutor(threads - 1) as pool:
        others = [pool.submit(work) for _ in range(threads - 1)]
        work()
    for other in others:
        other.result()
