"""Bytes -> a file that is there whole or not at all.

A new file is written beside its destination under a hidden name, flushed to the disk and only
then given its real name. A crash, a full disk or Ctrl-C leaves the old file, or none, and no
debris.
"""

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

# What link(2) says on file systems without hard links: FAT, some network and Android mounts.
_NO_HARD_LINKS = {errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
_PERMISSIONS = 0o777  # of a file's mode; set-user-id and its kin are not handed on
_NAME_CHARACTERS = 50  # kept of the name: at most 200 bytes of UTF-8, where names end at 255


def write_atomically(
    path: str | os.PathLike[str], data: bytes | bytearray | memoryview, *, overwrite: bool
) -> None:
    """Bytes -> file, whole or not at all. Arguments and errors as for ``open_atomically``."""
    with open_atomically(path, overwrite=overwrite) as file:
        file.write(data)


@contextmanager
def open_atomically(path: str | os.PathLike[str], *, overwrite: bool) -> Iterator[BinaryIO]:
    """Path -> binary file, for writing and reading back, that takes the path's name on success.

    If the block raises anything, KeyboardInterrupt included, what was written is removed and
    ``path`` is as it was. The file's mode follows the umask, or the file it replaces. A symbolic
    link is followed when overwriting. A device or pipe, such as /dev/stdout, can be neither kept
    nor replaced: it is written straight.

    Args:
        path: where the file is to be.
        overwrite: replace a file of that name. If false, of two writers at most one succeeds.

    Raises:
        FileExistsError: if something has the name and ``overwrite`` is false; before the block runs
            if it is there already, after it if it came meanwhile.
        IsADirectoryError: if ``path`` is a directory.
        OSError: what the file system says; its ``filename`` is the path asked for.
    """
    target = Path(os.path.realpath(path) if overwrite else path)
    mode = _mode_of(target)
    if mode is not None and _is_device(mode):
        with target.open("wb") as device:
            yield device
        return
    _check_target(target, mode, overwrite)
    part = target.with_name(f".{target.name[:_NAME_CHARACTERS]}.{secrets.token_hex(8)}.part")
    try:
        with part.open("x+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            part.chmod(mode & _PERMISSIONS)
        _give_name(part, target, overwrite)
    except BaseException as error:
        with suppress(FileNotFoundError):
            part.unlink()
        if isinstance(error, OSError) and error.filename == str(part):
            error.filename, error.filename2 = str(target), None  # the part is nobody's business
        raise
    _flush_directory(target.parent)


def _mode_of(path: Path) -> int | None:
    """Type and permissions of what has this name, or None if nothing (or a dangling link) has."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def _is_device(mode: int) -> bool:
    return stat.S_ISCHR(mode) or stat.S_ISBLK(mode) or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _check_target(target: Path, mode: int | None, overwrite: bool) -> None:
    """Fail before the work is done rather than after it."""
    if mode is not None and stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    if not overwrite and os.path.lexists(target):
        raise _file_exists(target)


def _give_name(part: Path, target: Path, overwrite: bool) -> None:
    """Move the finished file to its name, which the file system does in one step."""
    if overwrite:
        part.replace(target)
        return
    try:
        target.hardlink_to(part)  # fails if the name is taken, which a rename does not
    except FileExistsError:
        raise _file_exists(target) from None
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        _claim_and_replace(part, target)
    else:
        part.unlink()


def _claim_and_replace(part: Path, target: Path) -> None:
    """Without hard links: create the name empty, which one writer alone can do, then replace it."""
    target.open("xb").close()
    try:
        part.replace(target)
    except BaseException:
        target.unlink()
        raise


def _file_exists(target: Path) -> FileExistsError:
    return FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))


def _flush_directory(directory: Path) -> None:
    """Make the new name itself survive a power cut, where directories can be opened for that."""
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
