"""Samples and metadata of one image, checked."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt

from sirencodec.errors import ParameterError
from sirencodec.image.metadata import Metadata
from sirencodec.image.samples import Samples, mode_name


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """Samples and metadata of one image.

    Attributes:
        samples: (height, width, channels) uint8 or uint16, full range, C-contiguous, a read-only
            view of what was given; 1 to 4 channels: gray, gray and alpha, RGB, RGBA. Alpha is not
            premultiplied.
        metadata: ICC profile, EXIF and XMP.

    Raises:
        ParameterError: if the samples are not of that form; ``from_array`` is less strict.
    """

    samples: Samples
    metadata: Metadata = field(default_factory=Metadata)

    def __post_init__(self) -> None:
        """Check the samples and make them read-only, for this object only."""
        if not isinstance(self.metadata, Metadata):
            raise ParameterError(f"metadata is of type {type(self.metadata).__name__}")
        _check_samples(self.samples)
        view = self.samples.view()
        view.flags.writeable = False
        object.__setattr__(self, "samples", view)

    @classmethod
    def from_array(cls, array: npt.ArrayLike, metadata: Metadata | None = None) -> Self:
        """(height, width) or (height, width, 1 to 4) uint8 or uint16 array -> Image.

        Any memory layout and byte order. Copied only if one of them needs it.

        Raises:
            ParameterError: if it has another shape or type.
        """
        samples = np.asarray(array)
        if samples.ndim == 2:
            samples = samples[:, :, np.newaxis]
        samples = np.ascontiguousarray(samples, dtype=samples.dtype.newbyteorder("="))
        return cls(samples, metadata or Metadata())

    @property
    def height(self) -> int:
        """Pixels down."""
        return int(self.samples.shape[0])

    @property
    def width(self) -> int:
        """Pixels across."""
        return int(self.samples.shape[1])

    @property
    def channels(self) -> int:
        """Samples a pixel, 1 to 4."""
        return int(self.samples.shape[2])

    @property
    def bit_depth(self) -> int:
        """Bits a sample, 8 or 16."""
        return 8 * self.samples.itemsize

    @property
    def mode(self) -> str:
        """Channels by name: L, LA, RGB or RGBA, with ``;16`` behind if samples have 16 bits."""
        return mode_name(self.channels, self.bit_depth)

    def __repr__(self) -> str:
        """Size and mode; samples and profiles would fill the screen."""
        return f"<Image {self.width}x{self.height} {self.mode}>"


def _check_samples(samples: object) -> None:
    """Raise ParameterError unless these are samples as ``Image`` promises."""
    if not isinstance(samples, np.ndarray) or samples.dtype not in (np.uint8, np.uint16):
        kind = getattr(samples, "dtype", type(samples).__name__)
        raise ParameterError(f"samples must be a uint8 or uint16 array, not {kind}")
    if samples.ndim != 3 or not 1 <= samples.shape[2] <= 4 or 0 in samples.shape:
        raise ParameterError(
            f"samples must have shape (height, width, 1 to 4), none of them 0, not {samples.shape}"
        )
    if not samples.flags.c_contiguous:
        raise ParameterError("samples must be C-contiguous; Image.from_array makes them so")
