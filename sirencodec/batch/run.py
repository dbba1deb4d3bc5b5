"""Tasks -> files, so that a run can be killed at any moment and started again.

Nothing is remembered but what lies in the folders: an output is whole or not there, and whoever is
at one holds a claim on it that ends with the process. So a second run over the same folders, after
the first or beside it, does what is left to do.
"""

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from typing import Protocol

from sirencodec.batch.encode_files import Encoded, Failed, Listener, Outcome, encode_in_turn, failed
from sirencodec.batch.manifest import Manifest
from sirencodec.batch.outputs import (
    Existing,
    check_namesakes,
    copy_date,
    is_due,
    make_folders,
    open_output,
    remove_leftovers_beside,
)
from sirencodec.batch.tasks import STREAM, Task
from sirencodec.config import EncodeConfig
from sirencodec.errors import ParameterError
from sirencodec.files import claim
from sirencodec.fitting.progress import FitProgress


@dataclass(frozen=True, slots=True)
class Skipped:
    """An output that was there already, or that another run is at."""


Result = Encoded | Skipped | Failed
Encoder = Callable[
    [Iterable[Task], EncodeConfig, Listener], Generator[tuple[Task, Outcome], None, None]
]


class BatchListener(Listener, Protocol):
    """Hears also what there is to do."""

    def on_start(self, tasks: Sequence[Task]) -> None:
        """These are to be done; the others are finished."""


class SilentListener:
    """Tells nobody."""

    def on_start(self, tasks: Sequence[Task]) -> None:
        """Nothing is said."""

    def on_step(self, task: Task, progress: FitProgress) -> None:
        """Nothing is said."""

    def on_warning(self, task: Task, text: str) -> None:
        """Nothing is said."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How outputs are written.

    Attributes:
        existing: what to do about those that are there already.
        keep_date: give them the date of their inputs.
        manifest: where to write down what was made, or None.
    """

    existing: Existing = Existing.REFUSE
    keep_date: bool = False
    manifest: Manifest | None = None


def run_batch(
    tasks: Sequence[Task],
    config: EncodeConfig,
    listener: BatchListener,
    rules: Rules,
    encoder: Encoder = encode_in_turn,
) -> Generator[tuple[Task, Result], None, None]:
    """Tasks -> what became of each, as it is finished; encoded means that the file is there.

    What can be known before the work comes first: outputs that are there, or cannot be written.
    One task that fails does not keep others from being done.

    Args:
        tasks: inputs and outputs.
        config: how to encode.
        listener: hears of progress and warnings.
        rules: how to write.
        encoder: takes tasks one by one as it gets to them, and yields each with its outcome.

    Raises:
        BrokenPipeError: if nobody reads stdout any more.
    """
    batch = _Batch(config, rules)
    due = yield from batch.look_ahead(tasks)
    make_folders(due)
    remove_leftovers_beside(tasks)
    if due:
        listener.on_start(due)
    with ExitStack() as stack:
        stack.callback(batch.drop_claims)
        outcomes = stack.enter_context(closing(encoder(batch.take(due), config, listener)))
        for task, outcome in outcomes:
            yield from batch.aside()
            yield task, batch.finish(task, outcome)
        yield from batch.aside()


class _Batch:
    """The tasks of a run that were taken, and what became of them."""

    def __init__(self, config: EncodeConfig, rules: Rules) -> None:
        self._config = config
        self._rules = rules
        self._claims: dict[Task, ExitStack] = {}
        self._aside: list[tuple[Task, Result]] = []  # not for the encoder

    def look_ahead(self, tasks: Sequence[Task]) -> Generator[tuple[Task, Result], None, list[Task]]:
        """Tasks -> those to be done; yields the others with the reason."""
        due = []
        for task in tasks:
            try:
                is_wanted = is_due(task, self._rules.existing)
            except (OSError, ParameterError) as error:
                yield task, self._fail(task, failed(task.source, error))
            else:
                if is_wanted:
                    due.append(task)
                else:
                    yield task, Skipped()
        return due

    def take(self, tasks: Iterable[Task]) -> Iterator[Task]:
        """Tasks -> those that are still to be done when their turn comes, claimed."""
        for task in tasks:
            try:
                is_ours = self._claim(task)
            except OSError as error:
                self._aside.append((task, self._fail(task, failed(task.source, error))))
            else:
                if is_ours:
                    yield task
                else:
                    self._aside.append((task, Skipped()))

    def aside(self) -> Iterator[tuple[Task, Result]]:
        """What became of tasks that the encoder never saw, since this was last asked."""
        while self._aside:
            yield self._aside.pop(0)

    def finish(self, task: Task, outcome: Outcome) -> Result:
        """Write what was encoded, and give up the claim."""
        try:
            if isinstance(outcome, Failed):
                return self._fail(task, outcome)
            return self._write(task, outcome)
        finally:
            self._claims.pop(task, ExitStack()).close()

    def drop_claims(self) -> None:
        """Give up those on tasks that were not finished."""
        for held in self._claims.values():
            held.close()
        self._claims.clear()

    def _claim(self, task: Task) -> bool:
        """Whether a task is this run's to do, from now on."""
        if not is_due(task, self._rules.existing, is_folder_made=True):
            return False
        if not self._goes_on or task.output == STREAM:
            return True
        with ExitStack() as stack:
            is_ours = stack.enter_context(claim(os.path.realpath(task.output)))
            # Between the two looks the run that had the claim may have finished.
            if is_ours and is_due(task, self._rules.existing, is_folder_made=True):
                self._claims[task] = stack.pop_all()
                return True
        return False

    @property
    def _goes_on(self) -> bool:
        """Whether outputs that are there are as good as made."""
        return self._rules.existing in (Existing.SKIP, Existing.NEWER)

    def _write(self, task: Task, encoded: Encoded) -> Result:
        """Encoded file -> file of its own."""
        rules = self._rules
        try:
            check_namesakes(task)
            with open_output(task.output, rules.existing) as file:
                file.write(encoded.data)
                file.flush()
                if rules.keep_date:
                    copy_date(task.source, file)
                if rules.manifest is not None:
                    rules.manifest.add_encoded(task, encoded, self._config)
        except BrokenPipeError:
            raise  # nothing that follows could be written either
        except OSError as error:
            if isinstance(error, FileExistsError) and self._goes_on:
                return Skipped()  # by someone who knows nothing of claims
            return self._fail(task, failed(task.source, error))
        return encoded

    def _fail(self, task: Task, why: Failed) -> Failed:
        """Write down a failure, if anything still can be written."""
        if self._rules.manifest is not None:
            with suppress(OSError):
                self._rules.manifest.add_failed(task, why.reason)
        return why
