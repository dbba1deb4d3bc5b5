"""Names -> files of one folder, and of no other place."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from sirencodec.serve.refusal import RefusalError

SUFFIX: Final = ".siren"
# A pipe must not be waited for, and a link that took the file's place must not be followed.
_OPEN_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)

Stamp = tuple[int, int, int, int, int]  # changes whenever a file's contents do


@dataclass(frozen=True, slots=True)
class Listing:
    """What a folder shows.

    Attributes:
        folders: names of the folders in it.
        files: names and sizes in bytes of its .siren files.
    """

    folders: tuple[str, ...]
    files: tuple[tuple[str, int], ...]


class Folder:
    """The folder that is served, with all that is in it.

    Names are paths from there with "/" between their parts. Those beginning with a dot are not
    served, nor are symbolic links that lead outside.

    Attributes:
        root: its path, without links.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        """Serve ``root``.

        Raises:
            OSError: if it is no folder.
        """
        self.root = Path(root).resolve(strict=True)
        if not self.root.is_dir():
            raise NotADirectoryError(20, os.strerror(20), str(root))

    @contextmanager
    def open(self, name: str) -> Iterator[tuple[BinaryIO, Stamp]]:
        """Name of a .siren file -> the file, open for reading, and its stamp.

        Raises:
            RefusalError: 404, if there is no such file.
            OSError: what the file system says otherwise.
        """
        path = self._find(name)
        if path.suffix.lower() != SUFFIX:
            raise _missing(name)
        try:
            descriptor = os.open(path, _OPEN_FLAGS)
        except (FileNotFoundError, IsADirectoryError) as error:
            raise _missing(name) from error
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):  # such as a folder, which can be opened as well
            os.close(descriptor)
            raise _missing(name)
        with os.fdopen(descriptor, "rb") as file:
            # Looked up again: a folder of the path may have become a link meanwhile.
            if not os.path.samestat(facts, self._find(name).stat()):
                raise _missing(name)
            times = facts.st_mtime_ns, facts.st_ctime_ns
            yield file, (facts.st_dev, facts.st_ino, facts.st_size, *times)

    def list(self, name: str = "") -> Listing:
        """Name of a folder, "" for the one served -> what is in it, in order.

        Raises:
            RefusalError: 404, if there is no such folder.
            OSError: what the file system says otherwise.
        """
        path = self._find(name) if name else self.root
        folders, files = [], []
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    mode_size = self._look(entry)
                    if mode_size is not None and stat.S_ISDIR(mode_size[0]):
                        folders.append(entry.name)
                    elif mode_size is not None and entry.name.lower().endswith(SUFFIX):
                        files.append((entry.name, mode_size[1]))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise _missing(name) from error
        return Listing(tuple(sorted(folders)), tuple(sorted(files)))

    def _look(self, entry: os.DirEntry[str]) -> tuple[int, int] | None:
        """Entry of a folder -> type and size, None for what is not served."""
        if entry.name.startswith("."):
            return None
        try:
            if entry.is_symlink() and not self._is_inside(Path(entry.path).resolve(strict=True)):
                return None
            facts = entry.stat()
        except (OSError, RuntimeError):  # gone meanwhile; a link in circles
            return None
        kinds = (stat.S_ISDIR, stat.S_ISREG)
        return (facts.st_mode, facts.st_size) if any(is_(facts.st_mode) for is_ in kinds) else None

    def _find(self, name: str) -> Path:
        """Name -> path without links, inside the folder.

        Raises:
            RefusalError: 404, if it leads to nothing or outside.
        """
        parts = name.split("/")
        if any(not part or part.startswith(".") for part in parts) or "\0" in name:
            raise _missing(name)
        if os.sep != "/" and (os.sep in name or ":" in name):
            raise _missing(name)
        try:
            path = self.root.joinpath(*parts).resolve(strict=True)
        except (OSError, RuntimeError, ValueError) as error:  # a name too long; a link in circles
            raise _missing(name) from error
        if not self._is_inside(path):
            raise _missing(name)
        return path

    def _is_inside(self, path: Path) -> bool:
        """Whether a path without links is in the folder, and no part of it hidden."""
        if not path.is_relative_to(self.root):
            return False
        return not any(part.startswith(".") for part in path.relative_to(self.root).parts)


def _missing(name: str) -> RefusalError:
    return RefusalError(404, f"{name}: not found")
