"""Image files -> encoded files, several at a time, each in a process of its own.

Every process takes one task after the other and answers, through its pipe, with progress, warnings
and at last the outcome. Only the process that the user started writes files, so the others can be
stopped at any time. Should it be killed, they notice when they next report progress.
"""

import signal
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait

from sirencodec.batch.encode_files import (
    Encoded,
    Failed,
    Listener,
    Outcome,
    encode_file,
    read_stdin,
)
from sirencodec.batch.tasks import Task
from sirencodec.config import EncodeConfig
from sirencodec.fitting.progress import FitProgress

# Forking would copy PyTorch's threads in whatever state they are.
_CONTEXT = get_context("spawn")


def encode_in_processes(
    tasks: Iterable[Task], config: EncodeConfig, listener: Listener, *, jobs: int
) -> Generator[tuple[Task, Outcome], None, None]:
    """Tasks -> their outcomes, as they are finished. Each is taken when a process is free for it.

    Nothing is written.

    Args:
        tasks: what to encode.
        config: how.
        listener: called in this process.
        jobs: number of processes; they share the cores.
    """
    waiting = iter(tasks)
    workers: dict[Connection, _Worker] = {}
    try:
        while True:
            for task in islice(waiting, jobs - len(workers)):
                worker = _Worker(jobs, task, config)
                workers[worker.connection] = worker
            if not workers:
                return
            for connection in wait(list(workers)):
                worker = workers[connection]  # type: ignore[index]  # wait() gives what it got
                task, message = worker.task, worker.receive()
                if isinstance(message, str):
                    listener.on_warning(task, message)
                elif not isinstance(message, Encoded | Failed):
                    listener.on_step(task, message)
                else:
                    yield task, message
                    next_task = next(waiting, None) if worker.is_alive else None
                    if next_task is not None:
                        worker.give(next_task, config)
                    else:
                        workers.pop(worker.connection).stop()
    finally:
        for worker in workers.values():
            worker.stop()


class _Worker:
    """A process and the task it is at.

    Attributes:
        connection: readable when there is something to receive.
        task: what that will be about.
        is_alive: whether it can be given another.
    """

    def __init__(self, jobs: int, task: Task, config: EncodeConfig) -> None:
        """Start a process, one of ``jobs``, on its first task."""
        self.connection, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_serve, args=(theirs, jobs), daemon=True)
        with _interrupts_held():
            self._process.start()
        theirs.close()
        self.is_alive = True
        self.give(task, config)

    def give(self, task: Task, config: EncodeConfig) -> None:
        """Set it to work."""
        self.task = task
        with suppress(OSError):  # it has died; receiving will tell
            self.connection.send((task.source, read_stdin(task), config))

    def receive(self) -> FitProgress | str | Outcome:
        """Progress, a warning's text or the outcome: the next of them."""
        try:
            message: FitProgress | str | Outcome = self.connection.recv()
        except (EOFError, OSError):
            self.is_alive = False
            return Failed(f"{self.task.source}: its process died; is there enough memory?")
        return message

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        self._process.terminate()
        self._process.join()
        self.connection.close()


def _serve(connection: Connection, jobs: int) -> None:
    """In the new process: encode what comes until nothing comes any more."""
    import torch

    torch.set_num_threads(max(1, torch.get_num_threads() // jobs))
    with suppress(EOFError, BrokenPipeError):
        while True:
            name, contents, config = connection.recv()
            send = connection.send
            send(encode_file(name, contents, config, on_step=send, on_warning=send))


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Within the block, Ctrl-C waits; processes started there never get to see it.

    The terminal sends it to all of them. They are to be stopped by this one, without a word.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # starting it later would end the block
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)
