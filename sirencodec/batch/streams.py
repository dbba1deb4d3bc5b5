"""Standard input and output, as bytes."""

import errno
import sys
from typing import BinaryIO, TextIO


def binary_stdin() -> BinaryIO:
    """Where a pipe is read.

    Raises:
        OSError: if the program was started without it.
    """
    return _binary(sys.stdin, "stdin")


def binary_stdout() -> BinaryIO:
    """Where a pipe is written; see ``binary_stdin``."""
    return _binary(sys.stdout, "stdout")


def _binary(stream: TextIO | None, name: str) -> BinaryIO:
    if stream is None:  # what Python makes of a stream that is closed when it starts
        raise OSError(errno.EBADF, "it is closed", name)
    return stream.buffer
