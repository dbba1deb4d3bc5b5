"""The latents of a file that is cut into segments (FORMAT.md, section 8).

A tile needs the coarser latents under and around it, and nothing else of its own grid. So what a
crop needs is in few segments, and those of a grid are shared among threads.
"""

from sirencodec.bitstream.container import Container
from sirencodec.bitstream.tiling import Layout, Part
from sirencodec.entropy.grids import Grids, Windows
from sirencodec.entropy.latents import Networks, code_part, residual_decoder
from sirencodec.entropy.range_coder import OnSymbols
from sirencodec.entropy.range_decoder_native import open_stream
from sirencodec.errors import CorruptError, FormatError, TruncatedError
from sirencodec.native.threads import share, thread_count

Parts = dict[int, Part]  # by the number of their segment


class SegmentDecoder:
    """Segments, each decoded once, when it is needed.

    Attributes:
        missing: numbers of segments that were needed and could not be had, or not wholly; none
            unless that is put up with.
    """

    def __init__(
        self,
        container: Container,
        layout: Layout,
        grids: Grids,
        networks: Networks,
        on_symbols: OnSymbols | None = None,
        *,
        partial: bool = False,
    ) -> None:
        """Decode into ``grids``.

        Args:
            container: the file.
            layout: of its segments.
            grids: zeros.
            networks: the context model.
            on_symbols: called with all symbols; one thread decodes then.
            partial: whether to leave zeros where a segment cannot be had.
        """
        self._container, self._layout = container, layout
        self._grids, self._networks, self._on_symbols = grids, networks, on_symbols
        self._partial = partial
        self._done: set[int] = set()
        self.missing: set[int] = set()

    def require(self, windows: Windows) -> None:
        """Decode the segments that these windows need, and have not been decoded.

        Raises:
            TruncatedError: if the file ends before one of them.
            CorruptError: if one of them is damaged.
        """
        threads = 1 if self._on_symbols else thread_count()
        decode = self._decode_if_possible if self._partial else self._decode
        for parts in self._layout.needed(windows):
            is_zero = self._container.table.is_zero
            left = [n for n in parts if n not in self._done and not is_zero(n)]
            inner = max(1, threads // max(1, len(left)))

            def decode_one(number: int, parts: Parts = parts, inner: int = inner) -> None:
                decode(number, parts[number], inner)
                self._done.add(number)

            share(decode_one, left, min(len(left), threads))

    def _decode(self, number: int, part: Part, threads: int) -> None:
        """Segment -> latents of the grids."""
        decoder = open_stream(self._container.sound_segment(number), self._on_symbols)
        code_part(self._grids, part, self._networks, residual_decoder(decoder), threads)
        decoder.finish()
        if not any(self._grids[exponent][window.slices].any() for exponent, window in part):
            raise CorruptError("a segment of zeros is written out", field="segment")

    def _decode_if_possible(self, number: int, part: Part, threads: int) -> None:
        """As ``_decode``, but that latents which cannot be had stay 0.

        Nor can those that build on others which are missing. A segment that the file ends in gives
        its first latents, in the order of coding.
        """
        try:
            self._check_what_is_under(part)
            self._decode(number, part, threads)
        except FormatError as error:
            self.missing.add(number)
            self._clear(part)
            if isinstance(error, TruncatedError):
                self._decode_cut(number, part, threads)

    def _check_what_is_under(self, part: Part) -> None:
        """Raise CorruptError if the part builds on a segment that is missing."""
        exponent, window = part[0]
        if exponent in self._layout.tiled:
            for under in self._layout.under(exponent, window).items():
                if not self.missing.isdisjoint(self._layout.segments_at(*under)):
                    raise CorruptError("a segment that this one needs is missing", field="segment")

    def _decode_cut(self, number: int, part: Part, threads: int) -> None:
        """Segment that the file ends in -> as many of its latents as can be had."""
        decoder = open_stream(self._container.segment(number), may_end=True)
        try:
            code_part(self._grids, part, self._networks, residual_decoder(decoder), threads)
        except CorruptError:
            self._clear(part)

    def _clear(self, part: Part) -> None:
        for exponent, window in part:
            self._grids[exponent][window.slices] = 0
