"""What the user is told: errors, warnings and results, one line each."""

import json
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NoReturn, TextIO

import click

from sirencodec.batch.messages import explain, package_warnings, without_name
from sirencodec.batch.tasks import Task

_DEBUG = "sirencodec.debug"  # in the context that all commands of one call share


def _remember_debug(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    ctx.meta[_DEBUG] = value or ctx.meta.get(_DEBUG, False)


debug_option = click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    callback=_remember_debug,
    help="Show where errors come from.",
)


class Report:
    """Says what happens on stderr, and remembers whether anything failed.

    Attributes:
        say: writes a line; a progress display puts its own in place.
        num_failures: files that could not be dealt with, so far.
    """

    def __init__(self) -> None:
        self.say: Callable[[str], None] = say
        self.num_failures = 0
        self._lacks_some = False

    def fail(self, name: str | None, error: Exception) -> None:
        """Report that the file of this name could not be dealt with."""
        self.fail_with(_explain(name, error), "".join(traceback.format_exception(error)))

    def fail_with(self, reason: str, details: str) -> None:
        """Report a failure that was put into words already, ``details`` being its traceback."""
        self.num_failures += 1
        if click.get_current_context().meta.get(_DEBUG):
            for line in details.splitlines():
                self.say(line)
        self.say(f"sirencodec: {reason}")

    def warn(self, name: str, text: str) -> None:
        """Report something odd about the file of this name."""
        self.say(f"sirencodec: warning: {name}: {without_name(text, name)}")

    def mark_failed(self) -> None:
        """Something that was said already is to make the exit code that of a failure."""
        self._lacks_some = True

    @contextmanager
    def guarding(self, name: str, task: Task | None = None) -> Iterator[None]:
        """Report warnings and failures of the block as those of one file, and carry on after it.

        Args:
            name: of the file.
            task: that the file is about, to print a JSON object if it fails; or None.
        """
        try:
            with package_warnings(lambda text: self.warn(name, text)):
                yield
        except (click.ClickException, BrokenPipeError):
            raise  # not about this file: nothing that follows could work either
        except Exception as error:
            self.fail(name, error)
            if task is not None:
                emit_json(outcome_record("failed", task) | {"reason": _explain(name, error)})

    def exit(self) -> NoReturn:
        """Leave the program with the exit code that all of this comes to."""
        raise click.exceptions.Exit(1 if self.num_failures or self._lacks_some else 0)


def _explain(name: str | None, error: Exception) -> str:
    """What happened to a file -> words, with the option of this command that may help."""
    command = click.get_current_context().command
    return explain(name, error, [each.name or "" for each in command.params])


def say(line: str) -> None:
    """Write a line to stderr."""
    click.echo(printable(line), err=True)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether someone watches this stream; it is None if the program was started without."""
    return stream is not None and stream.isatty()


def emit_json(record: Mapping[str, object]) -> None:
    """Write an object to stdout, on a line of its own."""
    click.echo(json.dumps(record, allow_nan=False))


def outcome_record(status: str, task: Task) -> dict[str, object]:
    """What became of a task -> how its JSON object begins; "skipped" needs no more."""
    return {"status": status, "input": task.source, "output": task.output}


def printable(text: str) -> str:
    """Text -> the same in one line, control characters escaped; file names may hold anything."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
