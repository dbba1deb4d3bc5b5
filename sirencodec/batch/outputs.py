"""Tasks -> whether their outputs are to be made, and the files themselves."""

import errno
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from typing import BinaryIO, Final

from sirencodec.batch.streams import binary_stdin, binary_stdout
from sirencodec.batch.tasks import STREAM, Task
from sirencodec.errors import ParameterError
from sirencodec.files import open_atomically, remove_leftovers

DATE_GRAIN_NS: Final = 2_000_000_000  # FAT keeps dates to even seconds
LEAST_ROOM_BYTES: Final = 2**14  # on a disk with less, a minute's work is not begun


class Existing(Enum):
    """What is done about an output that is there already."""

    REFUSE = "refuse"  # it stays, and that is an error
    REPLACE = "replace"
    SKIP = "skip"  # it stays, and that is as it should be
    NEWER = "newer"  # it is replaced if the input is younger


def is_due(task: Task, existing: Existing, *, is_folder_made: bool = False) -> bool:
    """Whether the output is to be made; raises what writing it would raise later.

    Args:
        task: input and output.
        existing: what to do about an output that is there.
        is_folder_made: the output's folder is there already, or an error; else it will be made.

    Raises:
        ParameterError: if there can be no such output.
        FileExistsError: if it is there and that is an error.
        OSError: if it cannot be written: its folder is a file, not writable or not there, it is a
            folder itself, its name is too long, the disk is full; or if a standard stream that the
            task is about is closed.
    """
    if task.refusal is not None:
        raise ParameterError(task.refusal)
    if task.source == STREAM:
        binary_stdin()
    if task.output == STREAM:
        binary_stdout()
        return True
    check_namesakes(task)
    path = Path(task.output)
    status = _status(path)
    if status is not None and stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "is a directory", str(path))
    if status is not None and not stat.S_ISREG(status.st_mode) and not path.is_symlink():
        return True  # a device or pipe is neither kept nor replaced
    if status is not None or path.is_symlink():
        if existing is Existing.REFUSE:
            raise FileExistsError(errno.EEXIST, "exists", str(path))
        if status is not None and _is_finished(task, status, existing):
            return False
    _check_folder(path, is_folder_made)
    return True


def check_namesakes(task: Task) -> None:
    """Raise if the file system takes the output for one of another task.

    Raises:
        OSError: if so.
    """
    for other in task.namesakes:
        if _is_same_file(task.output, other):
            reason = f"is {other} as well, for case does not count there; see -o"
            raise OSError(errno.EINVAL, reason, task.output)


def make_folders(tasks: Sequence[Task]) -> None:
    """Make the folders of all outputs. What fails here is seen, with its reason, by ``is_due``.

    Once, before the work: a folder that vanishes meanwhile is on a disk that was taken away, and
    is not to be made anew wherever that disk was.
    """
    for folder in _folders(tasks):
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)


def remove_leftovers_beside(tasks: Sequence[Task]) -> int:
    """Take away what killed runs left in the folders of the outputs; how many files that were."""
    return sum(len(remove_leftovers(folder)) for folder in _folders(tasks))


@contextmanager
def open_output(output: str, existing: Existing) -> Iterator[BinaryIO]:
    """Path or ``STREAM`` -> binary file. A path is there whole or not at all.

    Raises:
        OSError: as for ``sirencodec.files.open_atomically``; BrokenPipeError if nobody reads.
    """
    if output == STREAM:
        stdout = binary_stdout()
        yield stdout
        stdout.flush()
        return
    if existing is Existing.SKIP:
        with suppress(OSError):
            if os.path.getsize(output) == 0:  # see ``_is_finished``
                os.unlink(output)
    overwrite = existing in (Existing.REPLACE, Existing.NEWER)
    with open_atomically(output, overwrite=overwrite) as file:
        yield file


def copy_date(source: str, file: BinaryIO) -> None:
    """Give an output, written and still open, the date of its input."""
    if source != STREAM and os.utime in os.supports_fd:  # not on Windows
        status = os.stat(source)
        os.utime(file.fileno(), ns=(status.st_atime_ns, status.st_mtime_ns))


def _folders(tasks: Sequence[Task]) -> list[Path]:
    """Tasks -> folders of their outputs, each once."""
    outputs = [task.output for task in tasks if task.output != STREAM]
    return [Path(folder) for folder in dict.fromkeys(os.path.dirname(each) for each in outputs)]


def _status(path: Path) -> os.stat_result | None:
    """What has this name, links followed; None if nothing has.

    Raises:
        OSError: if nothing can ever have it: the name is too long, or goes through a file.
    """
    try:
        return path.stat()
    except FileNotFoundError:
        return None
    except NotADirectoryError as error:
        raise NotADirectoryError(errno.ENOTDIR, "its folder is a file", str(path)) from error


def _is_same_file(path: str, other: str) -> bool:
    """Whether both names are there and mean one file."""
    try:
        return os.path.samefile(path, other)
    except OSError:
        return False


def _is_finished(task: Task, status: os.stat_result, existing: Existing) -> bool:
    """Whether the output that is there is the one wanted."""
    if existing is Existing.REPLACE or status.st_size == 0:
        return False  # empty is what a kill leaves on file systems without hard links
    if existing is Existing.SKIP or task.source == STREAM:
        return True
    return os.stat(task.source).st_mtime_ns <= status.st_mtime_ns + DATE_GRAIN_NS


def _check_folder(path: Path, is_made: bool) -> None:
    """Raise unless the folder, or the one that it will be made in, takes another file."""
    folder = Path(os.path.realpath(path)).parent
    if is_made and not folder.exists():
        raise FileNotFoundError(errno.ENOENT, "its folder has vanished", str(path))
    while not folder.exists():
        folder = folder.parent  # will be made
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "its folder is a file", str(path))
    if not os.access(folder, os.W_OK):
        raise PermissionError(errno.EACCES, "no permission to write there", str(path))
    if shutil.disk_usage(folder).free < LEAST_ROOM_BYTES:
        raise OSError(errno.ENOSPC, "no room on the disk", str(path))
