"""What happened to a file -> words for its owner."""

import errno
import os
import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Final

from sirencodec.errors import (
    CorruptError,
    FormatError,
    LimitError,
    SirenCodecError,
    SirenCodecWarning,
    TruncatedError,
)

# Parts of a file, as FORMAT.md calls them, that a picture can be had without.
_METADATA: Final = ("metadata", "icc_profile", "exif", "xmp")
_BEHIND_THE_HEAD: Final = ("segment", "metadata", "metadata_bytes")
_LESS_AT_A_SMALLER_SIZE: Final = (
    "max_side_pixels",
    "max_latents",
    "max_multiply_adds",
    "max_memory_bytes",
)


def explain(name: str | None, error: Exception, options: Collection[str] | None = None) -> str:
    """File name and what happened to it -> "name: reason", in one line.

    Args:
        name: of the file, unless the error says it.
        error: what happened.
        options: parameters of the command, of which one may help; None where there is no command.
    """
    reason = _reason(error)
    if options is not None:
        reason += _advice(error, options)
    if isinstance(error, OSError) and isinstance(error.filename, str | bytes | os.PathLike):
        name = os.fsdecode(error.filename)
    reason = " ".join(reason.split())
    return reason if name is None else f"{name}: {without_name(reason, name)}"


def _reason(error: Exception) -> str:
    """Error -> what is wrong."""
    if isinstance(error, FileExistsError):
        return "exists already; --force replaces it"
    if isinstance(error, OSError) and error.errno == errno.ENXIO:
        return "it is a socket, or a device that is not there"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, MemoryError):
        return "not enough memory"
    if isinstance(error, ModuleNotFoundError) and error.name == "torch":
        return "this needs PyTorch: pip install torch"
    if isinstance(error, LimitError):
        return error.message
    if isinstance(error, CorruptError):
        return f"damaged: {error}"
    if isinstance(error, SirenCodecError | OSError):
        return str(error)
    return f"unexpected {type(error).__name__}: {error} (--debug shows more)"


def _advice(error: Exception, options: Collection[str]) -> str:
    """Error and options of the command -> the one that helps, here or in ``decode``; or nothing."""

    def option(name: str) -> str:
        return f"--{name}" if name in options else f"decode --{name}"

    if isinstance(error, FileExistsError):
        return ", --skip-existing leaves it" if "skip_existing" in options else ""
    if isinstance(error, LimitError) and error.limit is not None:
        if error.limit in options:
            return f"; see --{error.limit.replace('_', '-')}"
        return _way_around(error.limit, option)
    field = error.field if isinstance(error, FormatError) else None
    if isinstance(error, TruncatedError) and field in _BEHIND_THE_HEAD:
        return f"; {option('partial')} makes a picture of what there is"
    if isinstance(error, CorruptError) and field in _METADATA:
        return f"; {option('strip')} does without the metadata"
    if isinstance(error, CorruptError) and field == "segment":
        return f"; {option('partial')} makes a picture of the rest"
    return ""


def _way_around(limit: str, option: Callable[[str], str]) -> str:
    """A limit that no option of the command moves -> what does without, or what moves it."""
    if limit == "max_metadata_bytes":
        return f"; {option('strip')} does without the metadata"
    if limit in _LESS_AT_A_SMALLER_SIZE:
        return f"; {option('width')} makes it smaller"
    return f"; only Python moves that: sirencodec.Limits({limit}=...)"


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
