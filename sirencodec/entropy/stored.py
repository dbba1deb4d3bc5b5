"""`.siren` file -> what is stored in it: header, integers and metadata, each when it is wanted."""

import math
from dataclasses import replace
from threading import Lock

import numpy as np

from sirencodec.bitstream.container import Container, parse_container
from sirencodec.bitstream.format import OLD_VERSION
from sirencodec.bitstream.header import Header
from sirencodec.bitstream.metadata_section import read_metadata
from sirencodec.bitstream.source import Source
from sirencodec.bitstream.tiling import Layout, Shapes
from sirencodec.bitstream.work import LATENT_BYTES
from sirencodec.entropy.grids import Grids, Windows, whole_windows
from sirencodec.entropy.latents import phase_networks
from sirencodec.entropy.old_stream import OldStream
from sirencodec.entropy.payload import QuantizedPicture, open_matrices
from sirencodec.entropy.prior import adapted_context
from sirencodec.entropy.range_coder import OnSymbols
from sirencodec.entropy.segment_decoder import SegmentDecoder
from sirencodec.image.metadata import Metadata
from sirencodec.limits import DEFAULT_LIMITS, Limits

NOT_LOOKED_AT = np.zeros((1, 1), np.int32)  # stands for a grid of which nothing is needed


class StoredPicture:
    """A file whose header and lengths are sound. Any number of threads may ask for its integers.

    Attributes:
        container: its parts.
        limits: what reading them may consume.
    """

    def __init__(
        self, container: Container, limits: Limits = DEFAULT_LIMITS, *, partial: bool = False
    ) -> None:
        """Decode nothing yet; if ``partial``, put up with segments that cannot be had."""
        self.container, self.limits = container, limits
        header = container.header
        self._shapes = header.architecture.grid_shapes(header.width, header.height)
        tiling = container.tiling
        self._layout = None if tiling is None else Layout(tiling, self._shapes)
        self._partial = partial
        self._lock = Lock()
        self._opened: _Opened | None = None

    @property
    def header(self) -> Header:
        """Sizes and shapes."""
        return self.container.header

    def decode(
        self, windows: Windows | None = None, on_symbols: OnSymbols | None = None
    ) -> QuantizedPicture:
        """The integers of the file; what was decoded before is not decoded again.

        Args:
            windows: of grids by exponent, within which latents must be right; elsewhere they may be
                0. All of every grid if None.
            on_symbols: called with symbols as they are decoded, if that is done here: those of each
                matrix but the ones of zeros, then those of latents, from the coarsest grid, in any
                number of parts.

        Raises:
            CorruptError: if what is needed is damaged: there are fewer bytes than matrices need, a
                model index is unknown, the context model, the kernels or the refinement are out of
                range, a stream is not a valid one, or a checksum does not match.
            TruncatedError: if the file ends before what is needed.
        """
        with self._lock:
            if self._opened is None:
                self._opened = self._open(on_symbols)
            return self._opened.decode(windows)

    def check_latents(self, windows: Windows | None) -> int:
        """Windows as for ``decode`` -> how many latents it decodes.

        Raises:
            LimitError: if they are too many, or grids too large.
        """
        windows = whole_windows(self._shapes) if windows is None else windows
        in_grids = sum(math.prod(self._shapes[exponent]) for exponent in windows)
        self.limits.check("max_latents", in_grids)
        decoded = in_grids
        if self._layout is not None:
            parts = (part for each in self._layout.needed(windows) for part in each.values())
            decoded = sum(window.size for part in parts for _, window in part)
        elif windows:
            decoded = self.header.architecture.num_latents(
                self.header.width, self.header.height, min(windows)
            )
        self.limits.check("max_memory_bytes", decoded * LATENT_BYTES)
        return decoded

    @property
    def num_missing(self) -> int:
        """Segments that were needed so far and could not be had; 0 unless that is put up with."""
        return 0 if self._opened is None else self._opened.num_missing

    def read_metadata(self) -> Metadata:
        """ICC profile, EXIF and XMP.

        Raises:
            CorruptError: if they are damaged; the picture may be sound all the same.
            LimitError: if they inflate beyond the limits.
        """
        return read_metadata(self.container, self.limits)

    def _open(self, on_symbols: OnSymbols | None) -> "_Opened":
        return _Opened(self.container, self._layout, self._shapes, on_symbols, self._partial)


class _Opened:
    """A file whose matrices are decoded."""

    def __init__(
        self,
        container: Container,
        layout: Layout | None,
        shapes: Shapes,
        on_symbols: OnSymbols | None,
        partial: bool,
    ) -> None:
        header = container.header
        architecture, old = header.architecture, header.version == OLD_VERSION
        weights, stream = open_matrices(container.matrices, architecture, on_symbols, by_words=old)
        self._picture = QuantizedPicture(weights)
        self._grids = Grids(shapes)
        self._decoder: OldStream | SegmentDecoder | None = None
        if layout is not None or not self._grids:
            stream.finish()
        if self._grids:
            context = adapted_context(architecture.prior, weights)
            networks = phase_networks(context, architecture.grids)
            self._decoder = (
                OldStream(self._grids, networks, stream)
                if layout is None
                else SegmentDecoder(
                    container, layout, self._grids, networks, on_symbols, partial=partial
                )
            )

    def decode(self, windows: Windows | None) -> QuantizedPicture:
        """As ``StoredPicture.decode``."""
        if self._decoder is None:
            return self._picture
        windows = whole_windows(self._grids.shapes) if windows is None else windows
        if windows:
            self._decoder.require(windows)
        latents = tuple(
            self._grids[each] if each in windows else NOT_LOOKED_AT for each in self._grids
        )
        return replace(self._picture, latents=latents)

    @property
    def num_missing(self) -> int:
        """As of ``StoredPicture``."""
        return len(self._decoder.missing) if isinstance(self._decoder, SegmentDecoder) else 0


def open_stored(
    data: bytes | Source, limits: Limits = DEFAULT_LIMITS, *, partial: bool = False
) -> StoredPicture:
    """A `.siren` file -> what is stored in it, nothing of it decoded yet.

    Args:
        data: the file.
        limits: what reading it may consume.
        partial: whether it may end early or be damaged behind its head. Latents that cannot be had
            are 0 then.

    Raises:
        FormatError: if the bytes are not a valid file.
        LimitError: if the file asks for more than ``limits``.
    """
    return StoredPicture(parse_container(data, limits, partial=partial), limits, partial=partial)
