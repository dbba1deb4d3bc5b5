"""Files of a folder -> those to encode, and what the others are."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import PIL.Image

from sirencodec.batch.tasks import SUFFIX
from sirencodec.image.plugins import HEIC_ADVICE, JPEG_XL_ADVICE, register_plugins

# Formats whose files Pillow identifies, but cannot turn into pixels, or only by running a program
# (which ``read_image`` refuses); and our own, which needs no encoding.
_NOT_FROM_DIRECTORIES: Final = {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF", "SIREN"}

_OPENED_AS: Final = {"MPO": "JPEG"}  # formats that another one's plugin opens

_RAW: Final = "a camera's raw data, which has to be developed first"
_UNREAD: Final = {  # suffixes of pictures that nothing here reads, and what would
    **dict.fromkeys((".heic", ".heif", ".heics", ".heifs", ".hif"), HEIC_ADVICE),
    ".jxl": JPEG_XL_ADVICE,
    **dict.fromkeys((".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dng", ".erf", ".kdc"), _RAW),
    **dict.fromkeys((".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2"), _RAW),
    **dict.fromkeys((".rwl", ".sr2", ".srw", ".x3f"), _RAW),
}


def is_picture(path: Path) -> bool:
    """Whether Pillow, with the plugins that are installed, reads files of this suffix."""
    suffix = path.suffix.lower()
    if suffix in _UNREAD:
        register_plugins()
    name = PIL.Image.registered_extensions().get(suffix, "")
    name = _OPENED_AS.get(name, name)
    return name in PIL.Image.OPEN and name not in _NOT_FROM_DIRECTORIES


def describe_passed_over(paths: Iterable[str]) -> tuple[list[str], int]:
    """Files of folders that are not encoded -> a line for each kind, and how many are pictures.

    Our own files are not counted.
    """
    suffixes = Counter(Path(path).suffix.lower() for path in paths)
    del suffixes[SUFFIX]
    unread = {suffix: count for suffix, count in suffixes.items() if suffix in _UNREAD}
    lines = [
        f"{count} {suffix} not read: {_UNREAD[suffix]}" for suffix, count in sorted(unread.items())
    ]
    others = [
        f"{count} {suffix or 'without suffix'}"
        for suffix, count in sorted(suffixes.items())
        if suffix not in unread
    ]
    if others:
        lines.append(f"no pictures, passed over: {', '.join(others)}")
    return lines, sum(unread.values())
