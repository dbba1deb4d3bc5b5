"""Whatever Pillow raises -> the package's errors."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import PIL
import PIL.Image

from sirencodec.errors import ImageError, LimitError, SirenCodecError, SirenCodecWarning

_SIGNS_OF_AN_END: Final = ("truncated", "not enough image data", "unexpected end")
_SIGNS_OF_DAMAGE: Final = ("broken", "unrecognized data", "overrun", "sequence errors")
_DAMAGED: Final = "the file is damaged"
DAMAGED_OR_NOT_READ: Final = "the file is damaged, or of a kind that is not read"
_STDERR: Final = 2  # as C libraries know it


class UnknownImageError(PIL.UnidentifiedImageError):
    """No plugin opens the file; in our words."""


@contextmanager
def pillow_errors(what: str, otherwise: str = DAMAGED_OR_NOT_READ) -> Iterator[None]:
    """Turn any exception of Pillow into ImageError or LimitError; damaged files raise all sorts.

    What Pillow says is for programmers, so that it is left to the exception's cause. Errors of the
    file system pass: they carry an error number, those that Pillow makes up do not. EINVAL is the
    exception, since it comes from seeking to where a damaged file points.

    Args:
        what: begins the message, such as "cannot read x.png".
        otherwise: what is wrong if there is no sign of what it is.
    """
    try:
        yield
    except (SirenCodecError, SirenCodecWarning):
        raise
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning) as error:
        raise _too_many(what, error) from error
    except UnknownImageError as error:
        raise ImageError(f"{what}: {error}") from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        raise ImageError(f"{what}: {_in_our_words(error, otherwise)}") from error


def _too_many(what: str, error: Exception) -> LimitError:
    """Pillow's complaint about the size of an image -> ours."""
    numbers = [*re.findall(r"\d+", str(error)), "?", "?"]
    message = f"{what}: {numbers[0]} pixels exceed the limit of {numbers[1]}"
    return LimitError(message, limit="max_pixels", setting="PIL.Image.MAX_IMAGE_PIXELS")


def _in_our_words(error: Exception, otherwise: str) -> str:
    """What Pillow says of a file that it cannot decode -> what is wrong with it."""
    words = str(error).lower()
    if isinstance(error, MemoryError):
        return "there is not enough memory"
    if isinstance(error, EOFError) or any(sign in words for sign in _SIGNS_OF_AN_END):
        return "the file ends early"
    return _DAMAGED if any(sign in words for sign in _SIGNS_OF_DAMAGE) else otherwise


@contextmanager
def library_messages_dropped() -> Iterator[None]:
    """Within the block, drop what C libraries write to stderr about damaged files.

    It is the whole process that says nothing, so this is for programs, not for libraries.
    """
    try:
        kept = os.dup(_STDERR)
    except OSError:  # there is none
        yield
        return
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), _STDERR)
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)


@contextmanager
def pillow_limit(max_pixels: int) -> Iterator[None]:
    """Within the block, have Pillow refuse images of more pixels, and none for fewer.

    Its limit is one for the whole process, so this is for programs, not for libraries.
    """
    previous = PIL.Image.MAX_IMAGE_PIXELS
    PIL.Image.MAX_IMAGE_PIXELS = (max_pixels + 1) // 2  # it warns there, and refuses twice as much
    try:
        yield
    finally:
        PIL.Image.MAX_IMAGE_PIXELS = previous
