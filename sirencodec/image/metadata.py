"""What an image carries beside its samples."""

import re
from dataclasses import dataclass

from sirencodec.errors import ParameterError


@dataclass(frozen=True, slots=True)
class Metadata:
    """ICC profile, EXIF and XMP, each as bytes or None. True if any is there.

    Bytes pass through unread, but for one thing: JPEG writes a marker, "Exif" and two zero bytes,
    before EXIF, PNG and WebP do not, and Pillow is of two minds. Here it is always off, so that
    metadata compares equal whichever file it came from.

    Attributes:
        icc_profile: an ICC profile.
        exif: a TIFF stream, beginning with ``II`` or ``MM``.
        xmp: an XMP packet, XML in UTF-8.

    Raises:
        ParameterError: if one is neither bytes nor None. Empty bytes count as None.
    """

    icc_profile: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None

    def __post_init__(self) -> None:
        """Check types; bring EXIF and absence to their one form."""
        for name in ("icc_profile", "exif", "xmp"):
            value = getattr(self, name)
            if not isinstance(value, bytes | None):
                raise ParameterError(f"{name} must be bytes or None, not {type(value).__name__}")
            if name == "exif" and value is not None:
                value = re.sub(rb"\A(Exif\0\0)+", b"", value)
            object.__setattr__(self, name, value or None)

    def __bool__(self) -> bool:
        """Whether there is anything to keep."""
        return any((self.icc_profile, self.exif, self.xmp))
