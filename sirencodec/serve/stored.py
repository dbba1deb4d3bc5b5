"""`.siren` file -> what the server needs to know of it before it decodes it."""

import hashlib
from dataclasses import dataclass
from typing import Final

from sirencodec.bitstream.container import parse_container, without_metadata
from sirencodec.bitstream.info import Info, describe
from sirencodec.bitstream.metadata_section import read_metadata
from sirencodec.errors import CorruptError, LimitError
from sirencodec.image.metadata import Metadata
from sirencodec.limits import Limits
from sirencodec.serve.orientation import read_orientation, upright_size
from sirencodec.version import __version__

_CHECKSUM_BYTES: Final = 12  # 96 bits: no two files of a folder share them
_OVERHEAD_BYTES: Final = 4096  # of the objects about the bytes


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is sound as far as its checksums tell, not decoded yet.

    Attributes:
        data: its bytes, without the metadata section, which the rest takes from it.
        info: its facts.
        orientation: from EXIF, 1 to 8.
        icc_profile: the colours its samples mean, None for sRGB.
        etag: changes whenever what the server answers may: of the file's bytes and our version.
            Not the file's own CRC-32: that of bytes which end in their CRC-32 is always the same.
    """

    data: bytes
    info: Info
    orientation: int
    icc_profile: bytes | None
    etag: str

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, upright."""
        return upright_size(self.info.width, self.info.height, self.orientation)

    @property
    def is_colour(self) -> bool:
        """Whether it is more than shades of gray."""
        return self.info.mode.startswith("RGB")

    @property
    def has_alpha(self) -> bool:
        """Whether it may be transparent."""
        return self.info.mode.endswith("A")

    @property
    def num_bytes(self) -> int:
        """Memory that it takes, about."""
        return len(self.data) + len(self.icc_profile or b"") + _OVERHEAD_BYTES


def read_stored(data: bytes, limits: Limits) -> StoredFile:
    """`.siren` file -> what is known of it without decoding.

    Damaged metadata is left out: it must not cost the picture.

    Raises:
        FormatError: one of its kinds, if the bytes are not a valid file.
        LimitError: if the file asks for more than ``limits``.
    """
    info = describe(data, limits)
    container = parse_container(data, limits)
    try:
        metadata = read_metadata(container, limits)
    except (CorruptError, LimitError):
        metadata = Metadata()
    checksum = hashlib.sha256(data)
    checksum.update(__version__.encode())
    return StoredFile(
        without_metadata(container),
        info,
        read_orientation(metadata.exif),
        metadata.icc_profile,
        f'"{checksum.hexdigest()[: 2 * _CHECKSUM_BYTES]}"',
    )
