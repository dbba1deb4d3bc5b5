"""Bytes of a file, read as they are wanted: all at once, or some of a path or an open file."""

import io
import os
from pathlib import Path
from threading import Lock
from typing import BinaryIO, Protocol

from sirencodec.errors import CorruptError
from sirencodec.limits import Limits


class Source(Protocol):
    """A file.

    Attributes:
        size: its bytes.
    """

    @property
    def size(self) -> int:
        """How many bytes there are."""

    def read(self, start: int, end: int) -> bytes:
        """Bytes ``start`` to ``end``, or as many of them as there are."""


class Bytes:
    """A file in memory."""

    def __init__(self, data: bytes) -> None:
        """Hold ``data``."""
        self._data = data

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return len(self._data)

    def read(self, start: int, end: int) -> bytes:
        """Bytes ``start`` to ``end``, or as many of them as there are."""
        return self._data if start == 0 and end >= len(self._data) else self._data[start:end]


class PathSource:
    """A file by its path, opened for each read: nothing has to be closed."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Note what is at ``path`` now.

        Raises:
            OSError: what the file system says.
        """
        self._path = Path(path)
        self._stamp = _stamp(self._path.stat())

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self._stamp[0]

    def read(self, start: int, end: int) -> bytes:
        """Bytes ``start`` to ``end``, or as many of them as there are.

        Raises:
            CorruptError: if the file is another one than it was.
            OSError: what the file system says.
        """
        with self._path.open("rb", buffering=0) as file:
            if _stamp(os.fstat(file.fileno())) != self._stamp:
                raise CorruptError("file has been changed since it was opened")
            return _read_from(file, start, min(end, self.size))


class FileSource:
    """An open file that can seek; its position is moved."""

    def __init__(self, file: BinaryIO) -> None:
        """Take what lies behind the file's position as the whole."""
        self._file, self._lock = file, Lock()
        self._start = file.tell()
        self._size = file.seek(0, io.SEEK_END) - self._start
        file.seek(self._start)

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self._size

    def read(self, start: int, end: int) -> bytes:
        """Bytes ``start`` to ``end``, or as many of them as there are."""
        with self._lock:
            return _read_from(self._file, self._start + start, self._start + min(end, self._size))


def open_source(
    given: bytes | bytearray | memoryview | str | os.PathLike[str] | BinaryIO,
    limits: Limits,
) -> Source:
    """Bytes, path or binary stream -> source; of a stream that cannot seek, all of it.

    Raises:
        LimitError: if it has more than ``limits.max_file_bytes``.
        OSError: what the file system says.
    """
    source: Source
    if isinstance(given, bytes | bytearray | memoryview):
        source = Bytes(bytes(given))
    elif isinstance(given, str | os.PathLike):
        source = _open_path(given, limits)
    elif _can_seek(given):
        source = FileSource(given)
    else:
        source = Bytes(limits.read(given))
    limits.check("max_file_bytes", source.size)
    return source


def _open_path(path: str | os.PathLike[str], limits: Limits) -> Source:
    if Path(path).is_file():
        return PathSource(path)
    with Path(path).open("rb") as file:  # a pipe, or an error that says what is wrong
        return Bytes(limits.read(file))


def _can_seek(file: BinaryIO) -> bool:
    seekable = getattr(file, "seekable", None)
    return hasattr(file, "seek") and hasattr(file, "tell") and (seekable is None or seekable())


def _stamp(stat: os.stat_result) -> tuple[int, ...]:
    return stat.st_size, stat.st_mtime_ns, stat.st_ino


def _read_from(file: BinaryIO | io.FileIO, start: int, end: int) -> bytes:
    """Bytes of an open file, however few it gives at a time."""
    file.seek(start)
    data = bytearray()
    while len(data) < end - start:
        more = file.read(end - start - len(data))
        if not more:
            break
        data += more
    return bytes(data)
