"""Bytes -> a file that is there whole or not at all.

A new file is written beside its destination under a hidden name, flushed to the disk and only
then given its real name. A full disk or Ctrl-C leaves the old file, or none, and no debris. A
``kill -9`` or a power cut may leave the hidden file; ``remove_leftovers`` takes it away. It tells
those of the dead from those of the living by a lock that the system drops with its process.
"""

import errno
import hashlib
import os
import re
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

if sys.platform != "win32":  # there nobody can remove a file that is open, which serves as well
    import fcntl

# What link(2) says on file systems without hard links: FAT, some network and Android mounts.
_NO_HARD_LINKS = {errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
_PERMISSIONS = 0o777  # of a file's mode; set-user-id and its kin are not handed on
_NAME_CHARACTERS = 50  # kept of the name: at most 200 bytes of UTF-8, where names end at 255
_HIDDEN_NAME = re.compile(r"\..{1,50}\.[0-9a-f]{16}\.sirencodec-part", re.DOTALL)


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
        with _blamed_on(target, target), target.open("wb") as device:
            yield device
        return
    _check_target(target, mode, overwrite)
    file, part = _open_hidden(target)
    try:
        with _blamed_on(target, part), _kept_locked(file):
            with file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if mode is not None:
                part.chmod(mode & _PERMISSIONS)
            _give_name(part, target, overwrite)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
    _flush_directory(target.parent)


@contextmanager
def claim(path: str | os.PathLike[str]) -> Iterator[bool]:
    """Path -> whether it is for this block alone to make, in a hidden file beside it.

    False if another process, or another block of this one, is at it. What a killed process had
    claimed is free again. Where the file system has no locks, everyone is told true.

    Raises:
        OSError: what the file system says, such as that nothing can be written there.
    """
    target = Path(path)
    hidden = _hidden(target, hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16])
    while True:
        with _blamed_on(target, hidden):
            descriptor = os.open(hidden, os.O_RDWR | os.O_CREAT, 0o666)
        is_ours = _lock(descriptor) is not False
        if not is_ours or _is_still_there(hidden, descriptor):
            break
        os.close(descriptor)  # its owner removed it between our two steps
    try:
        yield is_ours
    finally:
        if is_ours:
            with suppress(OSError):  # the folder may have vanished
                hidden.unlink()
        os.close(descriptor)


def remove_leftovers(folder: str | os.PathLike[str]) -> list[str]:
    """Folder -> names of hidden files that processes left there as they were killed; now removed.

    Files of living processes stay. So do all where the file system has no locks.
    """
    removed = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _HIDDEN_NAME.fullmatch(entry.name) and _remove_if_left(Path(entry.path)):
                removed.append(entry.name)
    return removed


def _hidden(target: Path, token: str) -> Path:
    """File and 16 hexadecimal digits -> the hidden file beside it."""
    return target.with_name(f".{target.name[:_NAME_CHARACTERS]}.{token}.sirencodec-part")


def _open_hidden(target: Path) -> tuple[BinaryIO, Path]:
    """File -> a new hidden file beside it, open and locked."""
    while True:
        part = _hidden(target, secrets.token_hex(8))
        with _blamed_on(target, part):
            file = part.open("x+b")
        if _lock(file.fileno()) is not False and _is_still_there(part, file.fileno()):
            return file, part
        file.close()  # taken for a leftover before it was locked


@contextmanager
def _blamed_on(target: Path, part: Path) -> Iterator[None]:
    """Within the block, errors that name the hidden file, or none, name the one it is for."""
    try:
        yield
    except OSError as error:
        if error.errno and error.filename in (None, str(part)):
            error.filename, error.filename2 = str(target), None
        raise


@contextmanager
def _kept_locked(file: BinaryIO) -> Iterator[None]:
    """Within the block, a locked file stays so when it is closed."""
    if sys.platform == "win32":  # which renames no file that is open
        yield
        return
    descriptor = os.dup(file.fileno())
    try:
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool | None:
    """Lock an open file: true if that worked, false if another has it, None without locks."""
    if sys.platform == "win32":
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _is_still_there(path: Path, descriptor: int) -> bool:
    """Whether an open file still has this name."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _remove_if_left(path: Path) -> bool:
    """Remove a hidden file if its process is dead; whether it was."""
    try:
        if sys.platform == "win32":
            path.unlink()  # refused while it is open
            return True
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        try:
            is_left = _lock(descriptor) is True
            if is_left:
                path.unlink()
        finally:
            os.close(descriptor)
    except OSError:
        return False
    return is_left


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
