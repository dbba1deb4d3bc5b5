"""What happened to a file -> words for its owner."""

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sirencodec.errors import SirenCodecError, SirenCodecWarning


def explain(name: str | None, error: Exception) -> str:
    """File name and what happened to it -> "name: reason", in one line."""
    reason = str(error)
    if isinstance(error, FileExistsError):
        reason = "exists already; --force replaces it"
    elif isinstance(error, OSError) and error.strerror:
        reason = error.strerror
    elif isinstance(error, MemoryError):
        reason = "not enough memory"
    elif isinstance(error, ModuleNotFoundError) and error.name == "torch":
        reason = "this needs PyTorch: pip install torch"
    elif not isinstance(error, SirenCodecError | OSError):
        reason = f"unexpected {type(error).__name__}: {reason} (--debug shows more)"
    if isinstance(error, OSError) and isinstance(error.filename, str | bytes | os.PathLike):
        name = os.fsdecode(error.filename)
    reason = " ".join(reason.split())
    return reason if name is None else f"{name}: {without_name(reason, name)}"


def without_name(text: str, name: str) -> str:
    """Message of the library -> without the file name it may begin with, which is said already."""
    for beginning in (f"cannot read {name}: ", "cannot read image: ", f"{name}: ", "image: "):
        text = text.removeprefix(beginning)
    return text


@contextmanager
def package_warnings(show: Callable[[str], None]) -> Iterator[None]:
    """Within the block, hand the package's warnings to ``show``, and drop all others."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", SirenCodecWarning)
        warnings.showwarning = lambda message, *_args, **_kwargs: show(str(message))
        yield
