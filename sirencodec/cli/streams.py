"""Paths, and ``-`` for stdin -> bytes."""

import sys
from pathlib import Path

from sirencodec.batch.tasks import STREAM
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
