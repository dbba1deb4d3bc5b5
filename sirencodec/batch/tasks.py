"""What the user has named -> the files that it comes to."""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from sirencodec.errors import ParameterError

SUFFIX = ".siren"
STREAM = "-"  # stdin as an input, stdout as an output

Wanted = Callable[[Path], bool]

_LINK = "a link to a folder, which -r does not follow; name it to have it read"
_NO_FILE = "a pipe, socket or device; name it to have it read"


@dataclass(frozen=True, slots=True)
class Task:
    """One input and its output: paths, or ``STREAM``.

    Attributes:
        source, output: the two.
        refusal: why there can be no such output, or None.
        namesakes: outputs of other tasks, to be written before, that differ from this one in case
            alone. Some file systems take them for the same file.
    """

    source: str
    output: str
    refusal: str | None = None
    namesakes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """An input, and where it lies below the directory it was found in."""

    source: str
    relative: Path

    def above(self) -> tuple[str, ...]:
        """Names of the folders that ``relative`` lies in, from the outermost."""
        return Path(os.path.abspath(self.source)).parts[1 : -len(self.relative.parts)]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the user has named, directories gone through.

    Attributes:
        files: each once, in the order of the names, those of a directory by name.
        directories: that were gone through.
        empty: those of them in which nothing was wanted.
        passed_over: their files that were not wanted, hidden ones not counted.
        strange: what else they hold, and why it was left alone.
        unreadable: what went wrong with directories that could not be read.
        are_several: whether outputs need a directory, as those of one file named twice do.
    """

    files: list[Found] = field(default_factory=list)
    directories: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    strange: list[tuple[str, str]] = field(default_factory=list)
    unreadable: list[OSError] = field(default_factory=list)
    are_several: bool = False


def is_ours(path: Path) -> bool:
    """Whether a file of a directory is a .siren file, by its name."""
    return path.suffix.lower() == SUFFIX


def find_inputs(
    names: Sequence[str], *, recursive: bool, wanted: Wanted, ignore: Sequence[str] = ()
) -> Inputs:
    """Files, directories and ``STREAM`` -> inputs.

    A link to a file is an input of its own; a file that is named in two ways counts once.

    Args:
        names: as the user gave them.
        recursive: whether directories are allowed.
        wanted: tells which files of a directory to take.
        ignore: patterns such as "*.cr2" of names in a directory that are not even looked at.

    Raises:
        ParameterError: if there is a directory and none is allowed.
    """
    are_directories = [name != STREAM and os.path.isdir(name) for name in names]
    inputs = Inputs(are_several=len(names) > 1 or any(are_directories))
    unique: dict[str, Found] = {}
    for name, is_directory in zip(names, are_directories, strict=True):
        if not is_directory:
            unique.setdefault(_place(name), Found(name, Path(os.path.basename(name))))
            continue
        if not recursive:
            raise ParameterError(f"{name} is a directory; add -r to go through its files")
        found = list(_walk(name, wanted, ignore, inputs))
        inputs.directories.append(name)
        if not found:
            inputs.empty.append(name)
        for each in found:
            unique.setdefault(_place(each.source), each)
    inputs.files.extend(unique.values())
    return inputs


def identity_of(path: str) -> str:
    """Path -> one string for all ways to write it, links followed."""
    return path if path == STREAM else os.path.normcase(os.path.realpath(path))


def _place(path: str) -> str:
    """Path -> one string for all ways to write it; a link is itself, not what it points at."""
    if path == STREAM:
        return path
    folder, name = os.path.split(os.path.abspath(path))
    return os.path.normcase(os.path.join(os.path.realpath(folder), name))


def _walk(directory: str, wanted: Wanted, ignore: Sequence[str], inputs: Inputs) -> Iterator[Found]:
    """Directory -> the files wanted in and below it, by name; hidden ones never are."""

    def is_seen(name: str) -> bool:
        hidden = name.startswith(".")
        return not hidden and not any(fnmatch(name.lower(), each.lower()) for each in ignore)

    for folder, folders, files in os.walk(directory, onerror=inputs.unreadable.append):
        folders[:] = sorted(filter(is_seen, folders))
        links = [path for path in (Path(folder, each) for each in folders) if path.is_symlink()]
        inputs.strange.extend((str(path), _LINK) for path in links)
        for file in sorted(filter(is_seen, files)):
            path = Path(folder, file)
            if not wanted(path):
                inputs.passed_over.append(str(path))
            elif _may_be_file(path):
                yield Found(str(path), path.relative_to(directory))
            else:
                inputs.strange.append((str(path), _NO_FILE))


def _may_be_file(path: Path) -> bool:
    """Whether opening it neither waits nor talks to a device; what cannot be told is true."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return True  # what is wrong with it is told when it is read
