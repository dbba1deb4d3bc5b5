"""Whatever Pillow raises -> the package's errors."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

import PIL
import PIL.Image

from sirencodec.errors import ImageError, LimitError, SirenCodecError, SirenCodecWarning

PILLOW_HINT = ", PIL.Image.MAX_IMAGE_PIXELS"
_SIGNS_OF_AN_END = ("truncated", "not enough image data", "unexpected end")
_SIGNS_OF_DAMAGE = ("broken", "unrecognized data", "overrun", "decoder error", "cannot load this")


@contextmanager
def pillow_errors(what: str) -> Iterator[None]:
    """Turn any exception of Pillow into ImageError or LimitError; damaged files raise all sorts.

    Errors of the file system pass: they carry an error number, those that Pillow makes up do not.
    EINVAL is the exception, since it comes from seeking to where a damaged file points.

    Args:
        what: begins the message, such as "cannot read x.png".
    """
    try:
        yield
    except (SirenCodecError, SirenCodecWarning):
        raise
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning) as error:
        raise LimitError(f"{what}: {_too_many(error)}") from error
    except PIL.UnidentifiedImageError as error:
        raise ImageError(f"{what}: not an image, or of a format that is not known") from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        raise ImageError(f"{what}: {_in_our_words(error)}") from error


def _too_many(error: Exception) -> str:
    """Pillow's complaint about the size of an image -> ours."""
    numbers = re.findall(r"\d+", str(error))
    if len(numbers) < 2:
        return str(error)
    return f"{numbers[0]} pixels exceed the limit of {numbers[1]}{PILLOW_HINT}"


def _in_our_words(error: Exception) -> str:
    """What Pillow says of a file that it cannot decode -> what is wrong with it, and its words."""
    words = _one_line(error)
    lower = words.lower()
    if any(sign in lower for sign in _SIGNS_OF_AN_END):
        return f"the file ends early ({words})"
    if any(sign in lower for sign in _SIGNS_OF_DAMAGE):
        return f"the file is damaged ({words})"
    return words


def _one_line(error: Exception) -> str:
    """Error -> its message; its type as well where the message alone says little."""
    message = " ".join(str(error).split())
    if message and isinstance(error, OSError | SyntaxError | ValueError):
        return message
    return f"{type(error).__name__} {message}".strip()


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
