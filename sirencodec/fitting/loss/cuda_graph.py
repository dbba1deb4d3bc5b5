"""A function of tensors -> the same, on a GPU recorded once and replayed from then on.

An update of a fit is a thousand small operations. Starting them one by one takes a computer several
times as long as doing them takes a GPU; a recording (a CUDA graph) starts them all at once.
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain

import torch
from torch import Tensor

# What a GPU's libraries set up at their first calls must not be recorded with the rest.
REHEARSALS = 2

# Of lists of tensors, and to such lists.
Function = Callable[..., list[list[Tensor]]]


class Recording:
    """A function that is called many times over, with tensors of the same shapes.

    It must compute the same from the same tensors at every call, and never wait for a result.
    Tensors that it reads beside those it is given may be overwritten between calls, never replaced.
    """

    def __init__(self, function: Function) -> None:
        """Nothing is recorded before the first call."""
        self._function = function
        self._graph: torch.cuda.CUDAGraph | None = None
        self._given: Sequence[Sequence[Tensor]] = ()
        self._results: list[list[Tensor]] = []

    def __call__(self, *given: Sequence[Tensor]) -> list[list[Tensor]]:
        """The function's results, on a GPU in memory that the next call will overwrite."""
        if not given[0][0].is_cuda:
            return self._function(*given)
        if self._graph is None:
            self._graph = self._record(given)
        for kept, new in zip(chain(*self._given), chain(*given), strict=True):
            kept.copy_(new)
        self._graph.replay()
        return self._results

    def _record(self, given: Sequence[Sequence[Tensor]]) -> torch.cuda.CUDAGraph:
        """Tensors like those to come -> what is to be replayed."""
        self._given = [[tensor.clone() for tensor in tensors] for tensors in given]
        with torch.cuda.device(given[0][0].device):
            stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                for _ in range(REHEARSALS):
                    self._function(*self._given)
            torch.cuda.current_stream().wait_stream(stream)
            graph = torch.cuda.CUDAGraph()
            # Other threads may use the GPU meanwhile.
            with (
                _without_garbage(),
                torch.cuda.graph(graph, capture_error_mode="thread_local"),
            ):
                self._results = self._function(*self._given)
        return graph


@contextmanager
def _without_garbage() -> Iterator[None]:
    """A while in which nothing is collected; what lies about is collected before.

    A recording of an earlier fit that dies while another is made would spoil that one: a GPU does
    not let go of anything meanwhile.
    """
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
