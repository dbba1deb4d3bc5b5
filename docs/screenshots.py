"""Makes the screenshots of the docs: ``python docs/screenshots.py FOLDER``.

FOLDER is what `sirencodec serve` shows; chelsea.siren is in it, of the photograph in `docs/images`.
Needs Chromium and the extras ``dev`` and ``serve``.
"""

import io
import sys
import tempfile
import time
from pathlib import Path

import PIL.Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.measuring.browser import Browser, Page, browser  # noqa: E402 - from the checkout
from benchmarks.measuring.serving import served  # noqa: E402

IMAGES = ROOT / "docs" / "images"
PICTURE = "chelsea.siren"
EYE = (226, 150)  # its place in the picture
CACHE_BYTES = 2**26
SETTLED_S = 2.5  # tiles have come, and movements have ended
IS_READY = "!document.getElementById('save').disabled"


def main(folder: Path) -> None:
    """Take them all."""
    with (
        tempfile.TemporaryDirectory(prefix="screenshots-") as profile,
        served(folder, CACHE_BYTES) as (_, address),
        browser(Path(profile)) as chromium,
    ):
        take_served(chromium, address)
        take_dropped(chromium, address, folder / PICTURE)


def take_served(chromium: Browser, address: str) -> None:
    """The pages of a folder and of a picture."""
    keep(chromium.page(f"{address}/", 1000, 480), "serve/folder")
    for zoom in (1, 8):
        place = f"#zoom={zoom}&x={EYE[0]}&y={EYE[1]}"
        page = chromium.page(f"{address}/view/{PICTURE}{place}", 1000, 640)
        keep(page, f"serve/viewer-{zoom}")


def take_dropped(chromium: Browser, address: str, picture: Path) -> None:
    """The page that opens a file by itself: empty, compared, inside, on a telephone."""
    page = chromium.page(f"{address}/drop/", 1000, 640)
    keep(page, "drop/start")
    page.choose_files("#file", [picture])
    page.wait_for(IS_READY)
    keep(page, "drop/shown")
    page.evaluate("document.getElementById('compare').click()")
    page.evaluate("document.querySelector('[data-zoom=\"4\"]').click()")
    keep(page, "drop/compared")
    page.evaluate("document.getElementById('compare').click()")
    page.evaluate("document.querySelector('[data-zoom=\"fit\"]').click()")
    page.evaluate("document.getElementById('layers').click()")
    keep(page, "drop/inside")
    page.evaluate("document.getElementById('facts').click()")
    page.resize(390, 700, 2, is_mobile=True)
    page.evaluate("document.querySelector('[data-zoom=\"fit\"]').click()")
    keep(page, "drop/telephone")


def keep(page: Page, name: str) -> None:
    """Page, once nothing moves any more -> picture in the docs."""
    time.sleep(SETTLED_S)
    path = IMAGES / f"{name}.webp"
    path.parent.mkdir(exist_ok=True)
    PIL.Image.open(io.BytesIO(page.screenshot())).convert("RGB").save(path, quality=90, method=6)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
