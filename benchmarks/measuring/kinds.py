"""Pictures by kind of content, drawn here: from photographs to graphics, and with alpha."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import PIL.Image
from PIL import ImageDraw, ImageFont

from benchmarks.measuring.pixels import Pixels

SIDE: Final = 256
FINER: Final = 4  # shapes of logos are drawn so many times as large, so that edges are smooth
PHOTOGRAPH: Final = Path(__file__).parents[2] / "docs" / "images" / "chelsea.png"
WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def photograph() -> Pixels:
    """The middle of the cat in docs/images."""
    with PIL.Image.open(PHOTOGRAPH) as image:
        return np.asarray(image.convert("RGB").crop((100, 20, 100 + SIDE, 20 + SIDE)))


def screenshot() -> Pixels:
    """A window with lines of text, some red, a title bar and a button."""
    image = PIL.Image.new("RGB", (SIDE, SIDE), WHITE)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(11)
    draw.rectangle((0, 0, SIDE, 22), fill=(32, 60, 110))
    draw.text((8, 4), "File  Edit  View  Help", fill=WHITE, font=font)
    for line in range(14):
        text = f"{line + 1:2d}  line of ordinary text, {line * 37 % 101} items"
        colour = (20, 20, 20) if line % 3 else (190, 20, 20)
        draw.text((10, 32 + line * 15), text, fill=colour, font=font)
    draw.rectangle((180, 220, 246, 246), fill=(0, 120, 215))
    draw.text((196, 226), "OK", fill=WHITE, font=font)
    return np.asarray(image)


def text_page() -> Pixels:
    """A heading and sixteen lines of black text on white."""
    image = PIL.Image.new("L", (SIDE, SIDE), 255)
    draw = ImageDraw.Draw(image)
    draw.text((20, 14), "Of sines and pictures", fill=0, font=ImageFont.load_default(18))
    words = PHOTOGRAPH.parents[2].joinpath("LICENSE").read_text("utf-8").split()
    lines = [" ".join(words[first : first + 6]) for first in range(0, 96, 6)]
    draw.multiline_text((20, 44), "\n".join(lines), fill=0, font=ImageFont.load_default(9))
    return np.repeat(np.asarray(image)[..., None], 3, 2)


def gradient() -> Pixels:
    """A flat strip under a sky that goes from blue to orange, as slides have it."""
    share = (np.arange(SIDE) / (SIDE * 3 / 4 - 1)).clip(0, 1)[:, None, None]
    sky = (1 - share) * (20, 70, 160) + share * (250, 190, 120)
    pixels: Pixels = np.round(np.broadcast_to(sky, (SIDE, SIDE, 3))).astype(np.uint8)
    pixels[SIDE * 3 // 4 :] = (40, 44, 52)
    return pixels


def chart() -> Pixels:
    """Five bars and two axes."""
    image = PIL.Image.new("RGB", (SIDE, SIDE), (250, 250, 250))
    draw = ImageDraw.Draw(image)
    for bar, colour in enumerate(("#4c72b0", "#dd8452", "#55a868", "#c44e52", "#8172b3")):
        left = 20 + 45 * bar
        draw.rectangle((left, 230 - 35 * (bar + 1), left + 32, 230), fill=colour)
    draw.line((15, 230, 250, 230), fill=BLACK)
    draw.line((15, 10, 15, 230), fill=BLACK)
    return np.asarray(image)


def line_art() -> Pixels:
    """Black arcs, one or two pixels wide, without gray."""
    image = PIL.Image.new("RGB", (SIDE, SIDE), WHITE)
    draw = ImageDraw.Draw(image)
    for k in range(18):
        box = (10 + 6 * k, 10 + 3 * k, 246 - 3 * k, 246 - 6 * k)
        draw.arc(box, 20 * k, 20 * k + 250, fill=BLACK, width=1 + k % 2)
    return np.asarray(image)


def pixel_art() -> Pixels:
    """Four mirrored sprites of 12 colours, every pixel of theirs 8 x 8."""
    generator = np.random.default_rng(4)
    colours = generator.integers(0, 256, (12, 3)).astype(np.uint8)
    half = generator.integers(0, len(colours), (16, 8))
    sprites = np.tile(np.hstack([half, half[:, ::-1]]), (2, 2))
    sprites[16:, :16] = (sprites[16:, :16] + 3) % len(colours)
    pixels: Pixels = np.kron(colours[sprites], np.ones((8, 8, 1), np.uint8))
    return pixels


def disc() -> Pixels:
    """A white disc on transparent black, 128 x 128, RGBA."""
    side = SIDE // 2
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    alpha = np.round(255 * np.clip(48.5 - np.hypot(y, x), 0, 1))
    colour = np.where(alpha > 0, 255, 0)
    return np.stack([colour, colour, colour, alpha], 2).astype(np.uint8)


def logo() -> Pixels:
    """A plate with a word, a disc and a triangle that lets light through, RGBA."""
    side = SIDE * FINER
    image = PIL.Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    box = (side // 13, side // 9, side * 11 // 12, side * 3 // 5)
    draw.rounded_rectangle(box, side // 12, fill=(24, 90, 190, 255))
    font = ImageFont.load_default(side // 5)
    draw.text((side // 6, side // 5), "Siren", fill=WHITE, font=font)
    draw.ellipse((side // 10, side * 13 // 20, side * 3 // 8, side * 14 // 15), (230, 60, 40, 255))
    corners = [(side // 2, side * 9 // 10), (side * 7 // 10, side * 5 // 8)]
    draw.polygon([*corners, (side * 9 // 10, side * 9 // 10)], (240, 180, 0, 160))
    return _reduced(np.asarray(image))


def _reduced(pixels: Pixels) -> Pixels:
    """RGBA pixels -> means of FINER x FINER of them, colours counted by their alpha."""
    height, width = (side // FINER for side in pixels.shape[:2])
    cells = pixels.reshape(height, FINER, width, FINER, 4).astype(float)
    alpha = cells[..., 3:].sum((1, 3))
    colours = (cells[..., :3] * cells[..., 3:]).sum((1, 3)) / np.maximum(alpha, 1)
    return np.round(np.concatenate([colours, alpha / FINER**2], 2)).astype(np.uint8)


KINDS: Final[dict[str, Callable[[], Pixels]]] = {
    "photograph": photograph,
    "screenshot": screenshot,
    "text page": text_page,
    "chart": chart,
    "line art": line_art,
    "pixel art": pixel_art,
    "gradient": gradient,
    "white disc with alpha": disc,
    "logo with alpha": logo,
}
