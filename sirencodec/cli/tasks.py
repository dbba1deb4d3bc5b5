"""Arguments of the command line -> which file is to become which."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from sirencodec.cli.report import Report, is_terminal, say

STREAM = "-"  # stdin as an input, stdout as an output

Wanted = Callable[[Path], bool]


@dataclass(frozen=True, slots=True)
class Task:
    """One input and its output: paths, or ``STREAM``."""

    source: str
    output: str


@dataclass(frozen=True, slots=True)
class _Found:
    """An input, and where it lies below the directory it was found in."""

    source: str
    relative: Path


def plan_tasks(
    inputs: Sequence[str],
    output: str | None,
    *,
    recursive: bool,
    wanted: Wanted,
    suffix: str,
) -> list[Task]:
    """Inputs and the user's wish for the output -> tasks, before any work is done.

    Without a wish, each output lies beside its input. With several inputs or a directory among
    them, the wish is a directory, in which files of an input directory keep their places.

    Args:
        inputs: files, directories, ``STREAM``.
        output: file, directory, ``STREAM``, or None.
        recursive: whether directories are allowed.
        wanted: tells which files of a directory to take.
        suffix: extension of the outputs, such as ".png", unless a file is named.

    Raises:
        click.UsageError: if that does not work out, or would write one file twice or over an input.
        OSError: if a directory cannot be read.
    """
    found = [each for name in inputs for each in _find(name, recursive, wanted)]
    several = len(found) > 1 or any(os.path.isdir(name) for name in inputs)
    place = _find_place(output, several, suffix)
    tasks = [Task(each.source, place(each)) for each in found]
    _check_terminal(tasks)
    return _check_collisions(tasks)


def leave_existing(tasks: Sequence[Task], force: bool, report: Report) -> list[Task]:
    """Tasks -> those whose output can be written; the others are reported as failed.

    Done before the work, which may take minutes; that a file appears meanwhile is found when
    writing.
    """
    writable = []
    for task in tasks:
        with report.guarding(task.source):
            if task.output != STREAM:
                _check_output(Path(task.output), force)
            writable.append(task)
    return writable


def _find(name: str, recursive: bool, wanted: Wanted) -> Iterator[_Found]:
    """An input -> itself, or if it is a directory, the files wanted in and below it, by name."""
    if name == STREAM or not os.path.isdir(name):
        yield _Found(name, Path(os.path.basename(name)))
        return
    if not recursive:
        raise click.UsageError(f"{name} is a directory; add -r to go through its files")
    count = 0
    for folder, folders, files in os.walk(name, onerror=_raise):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for file in sorted(files):
            path = Path(folder, file)
            if not file.startswith(".") and wanted(path):
                count += 1
                yield _Found(str(path), path.relative_to(name))
    if count == 0:
        say(f"sirencodec: warning: {name}: nothing to do in this directory")


def _raise(error: OSError) -> None:
    """Not to read a directory is an error; ``os.walk`` would skip it."""
    raise error


def _find_place(output: str | None, several: bool, suffix: str) -> Callable[[_Found], str]:
    """The user's wish -> a function from an input to its output."""

    def beside(found: _Found) -> str:
        return STREAM if found.source == STREAM else str(Path(found.source).with_suffix(suffix))

    def below(found: _Found) -> str:
        if found.source == STREAM:
            raise click.UsageError("an image from stdin has no name; name a file with -o")
        return str(Path(str(output), found.relative).with_suffix(suffix))

    def there(_found: _Found) -> str:
        return str(output)

    if output is None:
        return beside
    if output == STREAM:
        if several:
            raise click.UsageError("several files do not fit into stdout; name a directory with -o")
        return there
    is_directory = os.path.isdir(output) or output.endswith(os.sep)
    if several and os.path.exists(output) and not is_directory:
        raise click.UsageError(f"{output} is no directory, and there are several inputs")
    return below if several or is_directory else there


def _check_terminal(tasks: Sequence[Task]) -> None:
    """Refuse to read an image from a keyboard or to write one to a screen."""
    if any(task.source == STREAM for task in tasks) and is_terminal(sys.stdin):
        raise click.UsageError("stdin is a terminal; name a file or use a pipe")
    if any(task.output == STREAM for task in tasks) and is_terminal(sys.stdout):
        raise click.UsageError("stdout is a terminal; name a file with -o or use a pipe")


def _check_collisions(tasks: Sequence[Task]) -> list[Task]:
    """Refuse to write one file twice, or over an input. An input named twice counts once."""
    sources = {_identity(task.source) for task in tasks}
    outputs: dict[str, Task] = {}
    for task in tasks:
        identity = _identity(task.output)
        if identity in sources and task.output != STREAM:
            raise click.UsageError(
                f"{task.source} would become {task.output}, which is an input; choose with -o"
            )
        other = outputs.setdefault(identity, task)
        if _identity(other.source) != _identity(task.source):
            raise click.UsageError(
                f"{other.source} and {task.source} would both become {task.output}"
            )
    return list(outputs.values())


def _identity(path: str) -> str:
    """Path -> one string for all ways to write it."""
    return path if path == STREAM else os.path.normcase(os.path.realpath(path))


def _check_output(path: Path, force: bool) -> None:
    """Raise what writing this file would raise later."""
    if path.is_dir():
        raise IsADirectoryError(0, "is a directory", str(path))
    if path.exists() and not path.is_file():
        return  # a device or pipe is neither kept nor replaced
    if os.path.lexists(path) and not force:
        raise FileExistsError(0, "exists", str(path))
    folder = path.parent
    while not folder.exists():
        folder = folder.parent  # will be made
    if not os.access(folder, os.W_OK):
        raise PermissionError(0, "no permission to write there", str(path))
