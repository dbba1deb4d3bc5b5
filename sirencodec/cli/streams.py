"""Paths, and ``-`` for stdin and stdout -> bytes in and out."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sirencodec.cli.tasks import STREAM
from sirencodec.limits import Limits


def read_siren_file(source: str, limits: Limits) -> bytes:
    """Path or ``STREAM`` -> bytes, no more than a `.siren` file may have.

    Raises:
        LimitError: if there are more.
        OSError: what the file system says.
    """
    if source == STREAM:
        return limits.read(sys.stdin.buffer)
    with Path(source).open("rb") as file:
        return limits.read(file)


@contextmanager
def open_output(output: str, *, overwrite: bool) -> Iterator[BinaryIO]:
    """Path or ``STREAM`` -> binary file. A path is there whole or not at all, its folders are made.

    Raises:
        OSError: as for ``sirencodec.files.open_atomically``; BrokenPipeError if nobody reads.
    """
    if output == STREAM:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    from sirencodec.files import open_atomically  # readers of headers need not wait for it

    Path(output).parent.mkdir(parents=True, exist_ok=True)
    with open_atomically(output, overwrite=overwrite) as file:
        yield file
