"""Pieces of work -> their results, on the threads of a fit."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

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
