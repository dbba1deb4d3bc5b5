"""What a file may ask of the machine that reads it.

A .siren file is a program of sorts: a few hundred bytes can ask for hours of arithmetic or
gigabytes of pixels.  Every figure here is checked against the parsed header *before* anything is
allocated.  All can be raised or lowered by the caller.
"""

from dataclasses import dataclass
from typing import BinaryIO

from sirencodec.errors import LimitError


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds on what decoding may consume.

    Attributes:
        max_file_bytes: size of the file itself.
        max_side_pixels: width and height of the decoded output.
        max_pixels: pixels of the decoded output (and of the stored image).
        max_parameters: weights and biases of the network.
        max_latents: samples of the latent grids that a decode needs.
        max_multiply_adds: arithmetic of one decode, in multiply-adds or what takes as long
            (``bitstream.work``); bounds time, since one core does some 2 * 10^10 a second.
        max_memory_bytes: samples and latents of one decode.
        max_metadata_bytes: ICC, EXIF and XMP together, after decompression.
    """

    max_file_bytes: int = 64 * 2**20  # far above any useful network; reading stops here
    max_side_pixels: int = 2**20  # one line of points is held at a time
    max_pixels: int = 2**27  # 16384 x 8192; in 8-bit colour, Pillow's copy included, 940 MB
    max_parameters: int = 2**22  # 4 M weights: a 3 MB file, a hundred times a usual one
    max_latents: int = 2**27  # a pyramid of 100 megapixels
    max_multiply_adds: int = 2**40  # 28 to 48 seconds of a core: measurements.md
    max_memory_bytes: int = 640 * 2**20
    max_metadata_bytes: int = 16 * 2**20

    def check(self, name: str, value: int) -> None:
        """Raise LimitError if ``value`` exceeds the limit ``name`` (an attribute of this class)."""
        limit = getattr(self, name)
        if value > limit:
            what = name.removeprefix("max_").replace("_", " ")
            raise LimitError(f"{value} {what} exceed the limit of {limit}", limit=name)

    def read(self, file: BinaryIO) -> bytes:
        """Open `.siren` file or pipe -> its bytes; of one that is too large, no more is read.

        Raises:
            LimitError: if there are more than ``max_file_bytes``.
            OSError: what the file system says.
        """
        data = file.read(self.max_file_bytes + 1)
        self.check("max_file_bytes", len(data))
        return data


DEFAULT_LIMITS = Limits()
