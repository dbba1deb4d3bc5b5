"""Whatever Pillow raises -> the package's errors."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import PIL
import PIL.Image

from sirencodec.errors import ImageError, LimitError, SirenCodecError, SirenCodecWarning


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
        raise LimitError(f"{what}: {error} (see PIL.Image.MAX_IMAGE_PIXELS)") from error
    except PIL.UnidentifiedImageError as error:
        raise ImageError(f"{what}: not an image, or of a format that is not known") from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        raise ImageError(f"{what}: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    """Error -> its message; its type as well where the message alone says little."""
    message = " ".join(str(error).split())
    if message and isinstance(error, OSError | SyntaxError | ValueError):
        return message
    return f"{type(error).__name__} {message}".strip()
