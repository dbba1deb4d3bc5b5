"""What was made from what -> a file of JSON lines, which no kill can spoil.

A line is written, and flushed to the disk, after its output is whole and before that has its name:
every output that is there has its line. A line without an output is that of a run which was killed
between the two. A kill within a line leaves a part of it; the next run ends that line, and readers
skip it.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sirencodec.batch.encode_files import Encoded
from sirencodec.batch.tasks import STREAM, Task
from sirencodec.config import EncodeConfig
from sirencodec.errors import ParameterError
from sirencodec.version import __version__


class Manifest:
    """A file that lines are added to."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open it, or make it.

        Raises:
            OSError: what the file system says.
            ParameterError: if there is a file, and it is no manifest.
        """
        self._path = Path(path)
        self._begin_line()

    def add_encoded(self, task: Task, encoded: Encoded, config: EncodeConfig) -> None:
        """An output is whole and about to get its name."""
        self._add(
            {
                "status": "encoded",
                **_names(task),
                "input_bytes": encoded.input_bytes,
                "input_modified": _modified(task.source),
                "bytes": len(encoded.data),
                "lossless_webp_bytes": encoded.lossless_webp_bytes,
                "sha256": hashlib.sha256(encoded.data).hexdigest(),
                "width": encoded.width,
                "height": encoded.height,
                "mode": encoded.mode,
                "bpp": encoded.bpp,
                "psnr_db": encoded.finite_psnr_db,
                "ssimulacra2": encoded.score,
                "profile": encoded.profile,
                "seconds": round(encoded.seconds, 3),
                "settings": {k: v for k, v in asdict(config).items() if v is not None},
            }
        )

    def add_failed(self, task: Task, reason: str) -> None:
        """An output was not made, or did not get its name."""
        self._add({"status": "failed", **_names(task), "reason": reason})

    def _add(self, record: dict[str, Any]) -> None:
        record |= {"version": __version__, "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z")}
        line = json.dumps(record, allow_nan=False) + "\n"
        with self._path.open("ab", buffering=0) as file:  # one write, so that runs do not mix
            file.write(line.encode())
            os.fsync(file.fileno())

    def _begin_line(self) -> None:
        """End the line that a kill has cut."""
        with self._path.open("a+b") as file:
            if file.seek(0, os.SEEK_END):
                file.seek(0)
                if file.read(1) != b"{":
                    raise ParameterError(f"{self._path} is there, and no manifest; name another")
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    file.write(b"\n")


def read_manifest(path: str | os.PathLike[str]) -> Iterator[dict[str, Any]]:
    """Manifest -> its whole lines, the oldest first; none if there is no such file."""
    with suppress(FileNotFoundError), open(path, "rb") as file:
        for line in file:
            with suppress(ValueError):
                record = json.loads(line)
                if isinstance(record, dict):
                    yield record


def _names(task: Task) -> dict[str, str]:
    return {"input": task.source, "output": task.output}


def _modified(source: str) -> str | None:
    """Path -> date of its last change."""
    if source == STREAM:
        return None
    with suppress(OSError):
        seconds = os.stat(source).st_mtime
        return time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(seconds))
    return None
