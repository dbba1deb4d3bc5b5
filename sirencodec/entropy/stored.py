"""`.siren` file -> what is stored in it: header, integers and metadata, each when it is wanted."""

from dataclasses import dataclass

from sirencodec.bitstream.container import Container, Header, parse_container
from sirencodec.bitstream.metadata_section import read_metadata
from sirencodec.entropy.payload import QuantizedPicture, decode_payload
from sirencodec.entropy.range_coder import OnSymbols
from sirencodec.image.metadata import Metadata
from sirencodec.limits import DEFAULT_LIMITS, Limits


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A file whose header, lengths and checksum of the picture are sound.

    Attributes:
        container: its parts.
        limits: what reading them may consume.
    """

    container: Container
    limits: Limits

    @property
    def header(self) -> Header:
        """Sizes and shapes."""
        return self.container.header

    def decode(self, on_symbols: OnSymbols | None = None, finest: int = 0) -> QuantizedPicture:
        """The integers of the payload. Arguments and errors as for ``decode_payload``."""
        header = self.header
        return decode_payload(
            self.container.payload,
            header.architecture,
            header.width,
            header.height,
            on_symbols,
            finest,
        )

    def read_metadata(self) -> Metadata:
        """ICC profile, EXIF and XMP.

        Raises:
            CorruptError: if they are damaged; the picture may be sound all the same.
            LimitError: if they inflate beyond the limits.
        """
        return read_metadata(self.container, self.limits)


def open_stored(data: bytes, limits: Limits = DEFAULT_LIMITS) -> StoredPicture:
    """The whole of a `.siren` file -> what is stored in it, nothing of it decoded yet.

    Raises:
        FormatError: if the bytes are not a valid file.
        LimitError: if the file asks for more than ``limits``.
    """
    return StoredPicture(parse_container(data, limits), limits)
