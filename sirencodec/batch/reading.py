"""Image files -> what a program wants of them, in peace."""

import os
import stat
import warnings

from sirencodec.batch.messages import package_warnings
from sirencodec.errors import SirenCodecWarning
from sirencodec.image.failures import library_messages_dropped, pillow_limit
from sirencodec.image.files import read_image
from sirencodec.image.image import Image
from sirencodec.image.reader import read_size
from sirencodec.limits import Limits


def read_picture(source: str | bytes, max_pixels: int) -> Image:
    """Image file, by name or contents -> Image; Pillow refuses more pixels than that, and no fewer.

    Raises:
        ImageError, LimitError, OSError: as for ``sirencodec.image.files.read_image``.

    Warns:
        SirenCodecWarning: as it does, when stderr is no longer closed to C libraries; shown before,
            it would be dropped with what they say.
    """
    held: list[str] = []
    try:
        with package_warnings(held.append), pillow_limit(max_pixels), library_messages_dropped():
            return read_image(source, Limits(max_pixels=max_pixels))
    finally:
        for text in held:
            warnings.warn(text, SirenCodecWarning, stacklevel=2)


def count_pixels(path: str) -> int | None:
    """Image file -> pixels, from its header; None if there is no telling.

    What is not a file is not opened: a pipe can be read once.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
    except OSError:
        return None
    with package_warnings(lambda _text: None), library_messages_dropped():
        size = read_size(path)
    return None if size is None else size[0] * size[1]
