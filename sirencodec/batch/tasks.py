"""Inputs and a wish for the output -> which file is to become which."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path

from sirencodec.errors import ParameterError

SUFFIX = ".siren"
STREAM = "-"  # stdin as an input, stdout as an output

Wanted = Callable[[Path], bool]
_Place = Callable[["Found", "_Kept"], str]  # input, and what its output keeps of it -> output


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

    def above(self) -> tuple[str, ...]:
        """Names of the folders that ``relative`` lies in, from the outermost."""
        return Path(os.path.abspath(self.source)).parts[1 : -len(self.relative.parts)]


@dataclass(frozen=True, slots=True)
class _Kept:
    """What an output's name has of its input, besides its own name.

    Attributes:
        suffix: whether the input's suffix.
        folders: how many of the folders that the input lies in, from the innermost.
    """

    suffix: bool
    folders: int = 0


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
    ``a.png.siren``. Where that does not tell them apart, for ``2024/a.jpg`` and ``2025/a.jpg``,
    they keep as many of their folders as do: ``out/2024/a.siren``, ``out/2025/a.siren``.

    Args:
        inputs: what was found.
        output: file, directory, ``STREAM``, or None.
        suffix: extension of the outputs, such as ".png", unless a file is named.
        keep_suffix: always keep the suffix of the input, so that no name depends on another.

    Returns:
        The tasks, and those of them that keep more of their input for another.

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

    def renamed(path: Path, kept: _Kept) -> str:
        return str(path.with_name(path.name + suffix) if kept.suffix else path.with_suffix(suffix))

    def beside(found: Found, kept: _Kept) -> str:
        return STREAM if found.source == STREAM else renamed(Path(found.source), kept)

    def below(found: Found, kept: _Kept) -> str:
        if found.source == STREAM:
            raise ParameterError("an image from stdin has no name; name a file with -o")
        folders = found.above()[-kept.folders :] if kept.folders else ()
        return renamed(Path(str(output), *folders, found.relative), kept)

    def there(_found: Found, _kept: _Kept) -> str:
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
    """Inputs, each once -> their tasks, and those of them that keep more of it for the others.

    An output of one that keeps its suffix may be that of another which does not yet (``a.jpg`` and
    ``a.jpg.png`` beside ``a.png``), so it takes a few rounds.
    """
    usual = _Kept(keep_suffix)
    outputs = [place(each, usual) for each in found]
    identities, kept = [_identity(output) for output in outputs], [usual] * len(found)
    while more := _more_kept(found, kept, identities):
        for number, keeps in more.items():
            kept[number], outputs[number] = keeps, place(found[number], keeps)
            identities[number] = _identity(outputs[number])
    tasks = [Task(each.source, output) for each, output in zip(found, outputs, strict=True)]
    return tasks, [task for task, keeps in zip(tasks, kept, strict=True) if keeps != usual]


def _more_kept(
    found: Sequence[Found], kept: Sequence[_Kept], identities: Sequence[str]
) -> dict[int, _Kept]:
    """Inputs, what their outputs keep of them, and which those are -> what some are to keep, too.

    Those that share an output: their suffix, if it differs; else one more folder, if there is one.
    """
    sharing: dict[str, list[int]] = {}
    for number, identity in enumerate(identities):
        sharing.setdefault(identity, []).append(number)
    more: dict[int, _Kept] = {}
    for numbers in (each for each in sharing.values() if len(each) > 1):
        unlike = len({found[number].relative.suffix for number in numbers}) > 1
        if unlike and not all(kept[number].suffix for number in numbers):
            more |= {number: replace(kept[number], suffix=True) for number in numbers}
            continue
        for number in numbers:
            folders = kept[number].folders + 1
            if folders <= len(found[number].above()):
                more[number] = replace(kept[number], folders=folders)
    return more


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
