"""One file of ours -> a picture of what others do with the same bytes.

Crops are chosen by rule, not by hand: the tile where *our* error is largest, and the one where it
is the median. Rivals get the largest file that is not larger than ours; where even their smallest
is, that one, and the label says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont

from benchmarks.measuring.codecs import CODECS, OURS, Codec, Effort
from benchmarks.measuring.pixels import Pixels, read_pixels
from benchmarks.measuring.quality import psnr_db

RIVALS = ("jpeg-420", "webp", "avif-444")
QUALITIES = range(96)  # of Pillow's encoders
TILE = 96  # side of a crop
ENLARGED = 3
MARGIN = 8
LABEL_HEIGHT = 40
WHITE, BLACK, RED = (255, 255, 255), (20, 20, 20), (190, 20, 30)


@dataclass(frozen=True, slots=True)
class Entry:
    """A column of the sheet: name, size and pixels; the original has no size."""

    name: str
    pixels: Pixels
    size_bytes: int = 0


def make_sheet(
    image: Path, our_file: Path, output: Path, rivals: Sequence[str] = RIVALS
) -> list[str]:
    """Original, our file of it -> comparison picture.

    Returns:
        A line of text for each codec: name, bytes and PSNR.
    """
    original, data = read_pixels(image), our_file.read_bytes()
    ours = Entry(OURS, CODECS[OURS].decode(data, 1), len(data))
    entries = [Entry("original", original), ours]
    entries += [encode_within(original, len(data), CODECS[name]) for name in rivals]
    tiles = choose_tiles(original, ours.pixels)
    output.parent.mkdir(parents=True, exist_ok=True)
    _draw(entries, tiles).save(output)
    return [f"{entry.name}: {_caption(entry, original)}" for entry in entries[1:]]


def encode_within(pixels: Pixels, budget_bytes: int, codec: Codec) -> Entry:
    """Pixels -> the best that a codec does in a number of bytes, by bisection over its quality."""
    effort = Effort()
    lowest, highest = QUALITIES[0], QUALITIES[-1]
    best = codec.encode(pixels, lowest, effort)
    while lowest <= highest:
        middle = (lowest + highest) // 2
        data = codec.encode(pixels, middle, effort)
        if len(data) <= budget_bytes:
            best, lowest = data, middle + 1
        else:
            highest = middle - 1
    return Entry(codec.label, codec.decode(best, 1), len(best))


def choose_tiles(original: Pixels, ours: Pixels) -> list[tuple[int, int]]:
    """Original and our decode -> (left, top) of our worst tile and of our median one."""
    error = ((original.astype(np.float64) - ours) ** 2).mean(2)
    height, width = error.shape
    side = min(TILE, height, width)
    tiles = sorted(
        (float(error[top : top + side, left : left + side].mean()), left, top)
        for top in range(0, height - side + 1, max(1, side // 2))
        for left in range(0, width - side + 1, max(1, side // 2))
    )
    return [tile[1:] for tile in (tiles[-1], tiles[len(tiles) // 2])]


def _draw(entries: Sequence[Entry], tiles: Sequence[tuple[int, int]]) -> PIL.Image.Image:
    """One column an entry: label, the whole picture, then each tile enlarged."""
    original = entries[0].pixels
    height, width, _ = original.shape
    column = TILE * ENLARGED
    whole = max(1, round(column * height / width))
    rows = LABEL_HEIGHT + whole + len(tiles) * (column + MARGIN) + MARGIN
    sheet = PIL.Image.new("RGB", (len(entries) * (column + MARGIN) + MARGIN, rows), WHITE)
    canvas = PIL.ImageDraw.Draw(sheet)
    for index, entry in enumerate(entries):
        left = MARGIN + index * (column + MARGIN)
        canvas.text((left, 4), entry.name, BLACK, PIL.ImageFont.load_default(15))
        caption = _caption(entry, original)
        canvas.text((left, 22), caption, BLACK, PIL.ImageFont.load_default(12))
        picture = PIL.Image.fromarray(entry.pixels)
        sheet.paste(
            picture.resize((column, whole), PIL.Image.Resampling.LANCZOS), (left, LABEL_HEIGHT)
        )
        for row, (x, y) in enumerate(tiles):
            if index == 0:
                _frame(canvas, (left, LABEL_HEIGHT), column / width, (x, y))
            crop = picture.crop((x, y, x + TILE, y + TILE))
            top = LABEL_HEIGHT + whole + MARGIN + row * (column + MARGIN)
            sheet.paste(crop.resize((column, column), PIL.Image.Resampling.NEAREST), (left, top))
    return sheet


def _frame(
    canvas: PIL.ImageDraw.ImageDraw, corner: tuple[int, int], scale: float, tile: tuple[int, int]
) -> None:
    """Mark in the small picture where a tile is from."""
    left, top = corner[0] + tile[0] * scale, corner[1] + tile[1] * scale
    canvas.rectangle((left, top, left + TILE * scale, top + TILE * scale), outline=RED, width=2)


def _caption(entry: Entry, original: Pixels) -> str:
    if not entry.size_bytes:
        return f"{original.shape[1]} x {original.shape[0]}"
    return f"{entry.size_bytes:,} bytes, {psnr_db(original, entry.pixels):.2f} dB"
