"""What the user is told: errors, warnings and results, one line each."""

import json
import os
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NoReturn, TextIO

import click

from sirencodec.errors import SirenCodecError, SirenCodecWarning

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
    """

    def __init__(self) -> None:
        self.say: Callable[[str], None] = say
        self._failures = 0

    def fail(self, name: str | None, error: Exception) -> None:
        """Report that the file of this name could not be dealt with."""
        self.fail_with(explain(name, error), "".join(traceback.format_exception(error)))

    def fail_with(self, reason: str, details: str) -> None:
        """Report a failure that was put into words already, ``details`` being its traceback."""
        self._failures += 1
        if click.get_current_context().meta.get(_DEBUG):
            for line in details.splitlines():
                self.say(line)
        self.say(f"sirencodec: {reason}")

    def warn(self, name: str, text: str) -> None:
        """Report something odd about the file of this name."""
        self.say(f"sirencodec: warning: {name}: {_without_name(text, name)}")

    @contextmanager
    def guarding(self, name: str) -> Iterator[None]:
        """Report warnings and failures of the block as those of one file, and carry on after it."""
        try:
            with package_warnings(lambda text: self.warn(name, text)):
                yield
        except (click.ClickException, BrokenPipeError):
            raise  # not about this file: nothing that follows could work either
        except Exception as error:
            self.fail(name, error)

    def exit(self) -> NoReturn:
        """Leave the program with the exit code that all of this comes to."""
        raise click.exceptions.Exit(1 if self._failures else 0)


def say(line: str) -> None:
    """Write a line to stderr."""
    click.echo(printable(line), err=True)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether someone watches this stream; it is None if the program was started without."""
    return stream is not None and stream.isatty()


def emit_json(record: Mapping[str, object]) -> None:
    """Write an object to stdout, on a line of its own."""
    click.echo(json.dumps(record, allow_nan=False))


def printable(text: str) -> str:
    """Text -> the same in one line, control characters escaped; file names may hold anything."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def explain(name: str | None, error: Exception) -> str:
    """File name and what happened to it -> "name: reason"."""
    reason = str(error)
    if isinstance(error, FileExistsError):
        reason = "exists already; --force replaces it"
    elif isinstance(error, OSError) and error.strerror:
        reason = error.strerror
    elif isinstance(error, MemoryError):
        reason = "not enough memory"
    elif not isinstance(error, SirenCodecError | OSError):
        reason = f"unexpected {type(error).__name__}: {reason} (--debug shows more)"
    if isinstance(error, OSError) and error.filename is not None:
        name = os.fsdecode(error.filename)
    reason = " ".join(reason.split())
    return reason if name is None else f"{name}: {_without_name(reason, name)}"


def _without_name(text: str, name: str) -> str:
    """Message of the library -> without the file name it may begin with, which is said already."""
    for beginning in (f"cannot read {name}: ", "cannot read image: ", f"{name}: ", "image: "):
        text = text.removeprefix(beginning)
    return text


@contextmanager
def package_warnings(show: Callable[[str], None]) -> Iterator[None]:
    """Within the block, hand the package's warnings to ``show``, and drop all others."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", SirenCodecWarning)
        warnings.showwarning = lambda message, *_args, **_kwargs: show(str(message))
        yield
