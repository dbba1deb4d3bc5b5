"""Image files -> encoded files, by the machines of a cluster (dask.distributed).

An image goes to a worker as a message, and its file comes back as one; where a worker sees the same
file on a disk that both share, its name is enough. Workers write nothing. One that dies is replaced
by the scheduler, which hands what it was at to another.
"""

import os
import threading
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from sirencodec.batch.encode_files import Failed, Listener, Outcome, encode_file, failed, read_stdin
from sirencodec.batch.run import Encoder
from sirencodec.batch.tasks import STREAM, Task
from sirencodec.config import EncodeConfig
from sirencodec.errors import DependencyError, ParameterError
from sirencodec.fitting.progress import FitProgress
from sirencodec.version import __version__

if TYPE_CHECKING:
    from distributed import Client, Future

IMAGES_PER_THREAD: Final = 2  # sent ahead, so that no worker waits for the next; they take memory

_one_at_a_time = threading.Lock()  # in a worker: warnings and PyTorch's threads are a process's


@dataclass(frozen=True, slots=True)
class _Sight:
    """A file as this machine sees it; another that sees the same is taken to share the disk."""

    path: str
    num_bytes: int
    modified_ns: int

    @classmethod
    def of(cls, name: str) -> "_Sight":
        status = os.stat(name)
        return cls(os.path.abspath(name), status.st_size, status.st_mtime_ns)

    def is_shared(self) -> bool:
        """Whether it is seen here as well."""
        try:
            return _Sight.of(self.path) == self
        except OSError:
            return False


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a worker sends: no outcome if it does not see the file."""

    outcome: Outcome | None
    warnings: tuple[str, ...] = ()


def connect(address: str) -> "Client":
    """Address of a scheduler -> client of its cluster.

    Raises:
        DependencyError: if dask.distributed is not installed.
        OSError: if nobody answers there.
        ParameterError: if a worker has another version of this package, whose files may differ.
    """
    try:
        from distributed import Client
    except ImportError as error:
        advice = "pip install 'sirencodec[cluster]'"
        raise DependencyError(f"a cluster needs dask.distributed: {advice}") from error
    try:
        client = Client(address)
    except (OSError, ValueError) as error:
        raise OSError(f"no cluster answers at {address}: {error}") from error
    versions = set(client.run(_version).values())
    if not versions <= {__version__}:
        raise ParameterError(
            f"workers have sirencodec {', '.join(sorted(versions))}, this machine {__version__}"
        )
    return client


def cluster_encoder(client: "Client") -> Encoder:
    """Client of a cluster -> what ``run_batch`` takes to encode with it."""

    def encode(
        tasks: Iterable[Task], config: EncodeConfig, listener: Listener
    ) -> Generator[tuple[Task, Outcome], None, None]:
        return encode_on_cluster(tasks, config, client, listener)

    return encode


def encode_on_cluster(
    tasks: Iterable[Task], config: EncodeConfig, client: "Client", listener: Listener
) -> Generator[tuple[Task, Outcome], None, None]:
    """Tasks -> their outcomes, as they are finished. Each is taken when it can be sent.

    Nothing is written. Updates of single fits are not told.
    """
    from distributed import as_completed

    waiting = iter(tasks)
    work = _Work(client, config)
    completed = as_completed()
    try:
        while True:
            for task in islice(waiting, work.room):
                try:
                    completed.add(work.send(task))
                except OSError as error:  # the image cannot be read
                    yield task, failed(task.source, error)
            if not work.running:
                return
            future = next(completed)
            task = work.running.pop(future)
            answer = _receive(future, task)
            if answer.outcome is None:
                work.has_shared_disk = False
                completed.add(work.send(task))
                continue
            for text in answer.warnings:
                listener.on_warning(task, text)
            yield task, answer.outcome
    finally:
        client.cancel(list(work.running))


class _Work:
    """What the cluster is at.

    Attributes:
        running: what will come back, and what it will be about.
        has_shared_disk: whether workers have seen every file so far.
    """

    def __init__(self, client: "Client", config: EncodeConfig) -> None:
        self._client = client
        self._config = config
        self.running: dict[Future, Task] = {}
        self.has_shared_disk = True

    @property
    def room(self) -> int:
        """How many more to send; workers come and go."""
        num_threads = sum(self._client.nthreads().values())
        return max(0, IMAGES_PER_THREAD * max(1, int(num_threads)) - len(self.running))

    def send(self, task: Task) -> "Future":
        """Task -> what will come back.

        Raises:
            OSError: if the image cannot be read.
        """
        sight, contents = None, read_stdin(task)
        if task.source != STREAM:
            sight = _Sight.of(task.source)
            if not self.has_shared_disk:
                with open(task.source, "rb") as file:
                    contents = file.read()
        future: Future = self._client.submit(
            _encode, task.source, sight, contents, self._config, pure=False
        )
        self.running[future] = task
        return future


def _receive(future: "Future", task: Task) -> _Answer:
    """What has come back -> answer; that the worker died too often is one as well."""
    try:
        answer: _Answer = future.result()
    except Exception as error:
        details = failed(task.source, error).details
        reason = f"{task.source}: given up by the cluster: {error}"
        return _Answer(Failed(" ".join(reason.split()), details))
    return answer


def _version() -> str:
    """In a worker: the package's version."""
    return __version__


def _encode(
    name: str, sight: _Sight | None, contents: bytes | None, config: EncodeConfig
) -> _Answer:
    """In a worker: an image, by contents or by name -> answer."""
    if contents is None and sight is not None:
        if not sight.is_shared():
            return _Answer(None)
        with open(sight.path, "rb") as file:
            contents = file.read()
    warnings: list[str] = []
    with _one_at_a_time:
        outcome = encode_file(name, contents, config, _ignore, warnings.append)
    return _Answer(outcome, tuple(warnings))


def _ignore(_progress: FitProgress) -> None:
    """Updates stay in the worker."""
