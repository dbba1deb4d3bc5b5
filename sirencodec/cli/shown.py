"""`.siren` file -> how a viewer turns its picture."""

from sirencodec.bitstream.container import parse_container
from sirencodec.bitstream.metadata_section import read_metadata
from sirencodec.bitstream.source import Source
from sirencodec.errors import CorruptError, LimitError
from sirencodec.image.exif import TURNED, UPRIGHT, read_orientation
from sirencodec.limits import Limits

# By EXIF orientation; clockwise.
TURNS = {
    2: "mirrored",
    3: "turned by 180 degrees",
    4: "mirrored top to bottom",
    5: "mirrored and turned by 270 degrees",
    6: "turned by 90 degrees",
    7: "mirrored and turned by 90 degrees",
    8: "turned by 270 degrees",
}


def read_orientation_of(data: bytes | Source, limits: Limits, *, partial: bool = False) -> int:
    """File -> the orientation in its EXIF, 1 to 8; 1 if there is none, or it is damaged.

    Raises:
        FormatError: if the rest of the file is damaged.
    """
    container = parse_container(data, limits, partial=partial)
    try:
        return read_orientation(read_metadata(container, limits).exif)
    except (CorruptError, LimitError):
        return UPRIGHT


def shown_size(width: int, height: int, orientation: int) -> tuple[int, int]:
    """Stored size and orientation -> width and height as a viewer shows them."""
    return (height, width) if orientation in TURNED else (width, height)
