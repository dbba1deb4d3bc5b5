"""The latents of version 0: one stream, grid after grid (FORMAT.md, section 12)."""

from sirencodec.bitstream.tiling import Window
from sirencodec.entropy.grids import Grids, Windows
from sirencodec.entropy.latents import Networks, code_part, residual_decoder
from sirencodec.entropy.range_coder import SymbolDecoder
from sirencodec.entropy.range_decoder_native import NativeDecoder
from sirencodec.native.threads import thread_count


class OldStream:
    """A stream of all latents, decoded as far as it is needed."""

    def __init__(
        self, grids: Grids, networks: Networks, decoder: SymbolDecoder | NativeDecoder
    ) -> None:
        """Go on where ``decoder`` is, behind the matrices."""
        self._grids, self._networks, self._decoder = grids, networks, decoder
        self._left = sorted(grids)  # the coarsest last

    def require(self, windows: Windows) -> None:
        """Decode all grids down to the finest of these.

        Raises:
            CorruptError: if the stream is not a valid one. What it ends in is looked at when the
                finest grid of the file is needed.
        """
        coder = residual_decoder(self._decoder)
        while self._left and self._left[-1] >= min(windows):
            exponent = self._left[-1]
            part = ((exponent, Window.whole(self._grids.shapes[exponent])),)
            code_part(self._grids, part, self._networks, coder, thread_count())
            self._left.pop()
            if not self._left:
                self._decoder.finish()
