"""Paths, and ``-`` for stdin -> bytes."""

from pathlib import Path

from sirencodec.batch.streams import binary_stdin
from sirencodec.batch.tasks import STREAM
from sirencodec.bitstream.source import Source, open_source
from sirencodec.limits import Limits


def open_siren_file(source: str, limits: Limits) -> Source:
    """Path or ``STREAM`` -> bytes that are read as they are wanted. Errors as below."""
    return open_source(binary_stdin() if source == STREAM else source, limits)


def read_siren_file(source: str, limits: Limits) -> bytes:
    """Path or ``STREAM`` -> bytes, no more than a `.siren` file may have.

    Raises:
        LimitError: if there are more.
        OSError: what the file system says.
    """
    if source == STREAM:
        return limits.read(binary_stdin())
    with Path(source).open("rb") as file:
        return limits.read(file)
