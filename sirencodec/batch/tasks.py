"""Inputs and a wish for the output -> which file is to become which."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from sirencodec.errors import ParameterError

SUFFIX = ".siren"
STREAM = "-"  # stdin as an input, stdout as an output

Wanted = Callable[[Path], bool]
_Place = Callable[["Found", bool], str]  # input, and whether to keep its suffix -> output


@dataclass(frozen=True, slots=True)
class Task:
    """One input and its output: paths, or ``STREAM``."""

    source: str
    output: str


@dataclass(frozen=True, slots=True)
class Found:
    """An input, and where it lies below the directory it was found in."""

    source: str
    relative: Path


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the user has named, directories gone through.

    Attributes:
        files: each once, in the order of the names, those of a directory by name.
        directories: that were gone through.
        empty: those of them in which nothing was wanted.
        passed_over: their files that were not wanted, hidden ones not counted.
        unreadable: what went wrong with directories that could not be read.
    """

    files: list[Found] = field(default_factory=list)
    directories: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    unreadable: list[OSError] = field(default_factory=list)

    @property
    def are_several(self) -> bool:
        """Whether outputs need a directory."""
        return len(self.files) > 1 or bool(self.directories)


def is_ours(path: Path) -> bool:
    """Whether a file of a directory is a .siren file, by its name."""
    return path.suffix.lower() == SUFFIX


def find_inputs(
    names: Sequence[str], *, recursive: bool, wanted: Wanted, ignore: Sequence[str] = ()
) -> Inputs:
    """Files, directories and ``STREAM`` -> inputs.

    Args:
        names: as the user gave them.
        recursive: whether directories are allowed.
        wanted: tells which files of a directory to take.
        ignore: patterns such as "*.cr2" of names in a directory that are not even looked at.

    Raises:
        ParameterError: if there is a directory and none is allowed.
    """
    inputs = Inputs()
    unique: dict[str, Found] = {}
    for name in names:
        if name == STREAM or not os.path.isdir(name):
            unique.setdefault(_identity(name), Found(name, Path(os.path.basename(name))))
            continue
        if not recursive:
            raise ParameterError(f"{name} is a directory; add -r to go through its files")
        found = list(_walk(name, wanted, ignore, inputs))
        inputs.directories.append(name)
        if not found:
            inputs.empty.append(name)
        for each in found:
            unique.setdefault(_identity(each.source), each)
    inputs.files.extend(unique.values())
    return inputs


def plan_tasks(
    inputs: Inputs, output: str | None, *, suffix: str, keep_suffix: bool = False
) -> tuple[list[Task], list[Task]]:
    """Inputs and the user's wish for the output -> tasks, before any work is done.

    Without a wish, each output lies beside its input. With several inputs or a directory among
    them, the wish is a directory, in which files of an input directory keep their places. ``a.jpg``
    becomes ``a.siren``; where ``a.png`` would, too, both keep their suffix: ``a.jpg.siren``,
    ``a.png.siren``.

    Args:
        inputs: what was found.
        output: file, directory, ``STREAM``, or None.
        suffix: extension of the outputs, such as ".png", unless a file is named.
        keep_suffix: always keep the suffix of the input, so that no name depends on another.

    Returns:
        The tasks, and those of them that keep their suffix for another.

    Raises:
        ParameterError: if that does not work out, or would write one file twice or over an input.
    """
    place = _find_place(output, inputs.are_several, suffix)
    tasks, twins = _separate_twins(inputs.files, place, keep_suffix)
    _check_collisions(tasks)
    return tasks, twins


def _walk(directory: str, wanted: Wanted, ignore: Sequence[str], inputs: Inputs) -> Iterator[Found]:
    """Directory -> the files wanted in and below it, by name; hidden ones never are."""

    def is_seen(name: str) -> bool:
        hidden = name.startswith(".")
        return not hidden and not any(fnmatch(name.lower(), each.lower()) for each in ignore)

    for folder, folders, files in os.walk(directory, onerror=inputs.unreadable.append):
        folders[:] = sorted(filter(is_seen, folders))
        for file in sorted(filter(is_seen, files)):
            path = Path(folder, file)
            if wanted(path):
                yield Found(str(path), path.relative_to(directory))
            else:
                inputs.passed_over.append(str(path))


def _find_place(output: str | None, several: bool, suffix: str) -> _Place:
    """The user's wish -> a function from an input to its output."""

    def renamed(path: Path, keep: bool) -> str:
        return str(path.with_name(path.name + suffix) if keep else path.with_suffix(suffix))

    def beside(found: Found, keep: bool) -> str:
        return STREAM if found.source == STREAM else renamed(Path(found.source), keep)

    def below(found: Found, keep: bool) -> str:
        if found.source == STREAM:
            raise ParameterError("an image from stdin has no name; name a file with -o")
        return renamed(Path(str(output), found.relative), keep)

    def there(_found: Found, _keep: bool) -> str:
        return str(output)

    if output is None:
        return beside
    if output == STREAM:
        if several:
            raise ParameterError("several files do not fit into stdout; name a directory with -o")
        return there
    is_directory = os.path.isdir(output) or output.endswith(os.sep)
    if several and os.path.exists(output) and not is_directory:
        raise ParameterError(f"{output} is no directory, and there are several inputs")
    return below if several or is_directory else there


def _separate_twins(
    found: Sequence[Found], place: _Place, keep_suffix: bool
) -> tuple[list[Task], list[Task]]:
    """Inputs, each once -> their tasks, and those of them that keep their suffix for the others.

    An output of one that keeps its suffix may be that of another which does not yet (``a.jpg`` and
    ``a.jpg.png`` beside ``a.png``), so it takes a few rounds.
    """
    keeps = [keep_suffix] * len(found)
    while True:
        outputs = [place(each, keep) for each, keep in zip(found, keeps, strict=True)]
        identities = [_identity(output) for output in outputs]
        shared = {name for name, count in Counter(identities).items() if count > 1}
        again = [keep or name in shared for keep, name in zip(keeps, identities, strict=True)]
        if again == keeps:
            break
        keeps = again
    tasks = [Task(each.source, output) for each, output in zip(found, outputs, strict=True)]
    twins = [task for task, keep in zip(tasks, keeps, strict=True) if keep and not keep_suffix]
    return tasks, twins


def _check_collisions(tasks: Sequence[Task]) -> None:
    """Refuse to write one file twice, or over an input."""
    sources = {_identity(task.source) for task in tasks}
    outputs: dict[str, Task] = {}
    for task in tasks:
        identity = _identity(task.output)
        if identity in sources and task.output != STREAM:
            raise ParameterError(
                f"{task.source} would become {task.output}, which is an input; choose with -o"
            )
        other = outputs.setdefault(identity, task)
        if other is not task:
            raise ParameterError(
                f"{other.source} and {task.source} would both become {task.output}; "
                "give each an -o of its own"
            )


def _identity(path: str) -> str:
    """Path -> one string for all ways to write it."""
    return path if path == STREAM else os.path.normcase(os.path.realpath(path))
