"""The latents of a file that is cut into segments (FORMAT.md, section 8).

A tile needs the coarser latents under and around it, and nothing else of its own grid. So what a
crop needs is in few segments, and those of a grid are shared among threads.
"""

from collections.abc import Sequence

from sirencodec.bitstream.container import Container
from sirencodec.bitstream.tiling import Layout, Part, Tiling, Window
from sirencodec.entropy.grids import Grids, Windows
from sirencodec.entropy.latents import Networks, code_part, residual_decoder
from sirencodec.entropy.range_coder import OnSymbols
from sirencodec.entropy.range_decoder_native import open_stream
from sirencodec.errors import CorruptError
from sirencodec.native.threads import share, thread_count

Numbered = dict[int, Part]  # parts by the number of their segment


class SegmentDecoder:
    """Segments, each decoded once, when it is needed."""

    def __init__(
        self,
        container: Container,
        tiling: Tiling,
        grids: Grids,
        networks: Networks,
        on_symbols: OnSymbols | None = None,
    ) -> None:
        """Decode into ``grids``; on one thread if ``on_symbols`` is to be called."""
        self._container, self._layout = container, Layout(tiling, grids.shapes)
        self._grids, self._networks, self._on_symbols = grids, networks, on_symbols
        self._done: set[int] = set()

    def require(self, windows: Windows) -> None:
        """Decode the segments that these windows need, and have not been decoded.

        Raises:
            TruncatedError: if the file ends before one of them.
            CorruptError: if one of them is damaged.
        """
        threads = 1 if self._on_symbols else thread_count()
        for parts in self.needed(windows):
            left = [number for number in parts if number not in self._done]
            inner = max(1, threads // max(1, len(left)))

            def decode(number: int, parts: Numbered = parts, inner: int = inner) -> None:
                if not self._container.table.is_zero(number):
                    self._decode(number, parts[number], inner)
                self._done.add(number)

            share(decode, left, min(len(left), threads))

    def needed(self, windows: Windows) -> list[Numbered]:
        """Windows of grids -> the segments that they need, coarse ones first, grid by grid."""
        wanted, layout = dict(windows), self._layout
        found: list[Numbered] = []
        for exponent in reversed(layout.tiled):
            if exponent not in wanted:
                continue
            tiles = layout.tiles(exponent, wanted[exponent])
            found.append({number: ((exponent, tile),) for number, tile in tiles.items()})
            seen = _around(list(tiles.values())).places().grown(1)
            for coarser, window in ((exponent + 1, seen), (exponent + 2, seen.halved())):
                if coarser in layout.shapes:
                    window = window.common(Window.whole(layout.shapes[coarser]))
                    wanted[coarser] = _around([window, *filter(None, [wanted.get(coarser)])])
        if any(exponent in layout.shared for exponent in wanted):
            found.append({0: layout.shared_part()})
        return found[::-1]

    def _decode(self, number: int, part: Part, threads: int) -> None:
        """Segment -> latents of the grids."""
        data = self._container.sound_segment(number)
        decoder = open_stream(data, self._on_symbols)
        code_part(self._grids, part, self._networks, residual_decoder(decoder), threads)
        decoder.finish()
        if not any(self._grids[exponent][window.slices].any() for exponent, window in part):
            raise CorruptError("a segment of zeros is written out", field="segment")


def _around(windows: Sequence[Window]) -> Window:
    """Windows, one at least -> the smallest that holds all."""
    first, *others = windows
    for other in others:
        first = first.around(other)
    return first
