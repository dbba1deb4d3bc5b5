"""The page that opens a file without a server's help, as people use it: in a browser."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import sirencodec
from benchmarks.measuring.browser import CHROMIUM, Browser, Page, browser
from sirencodec.image.files import read_image
from tests.paths import INVALID, ROOT, VALID
from tests.project_files import ProjectFiles, served_project
from tests.served import serve

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

WEB = ROOT / "sirencodec" / "web"
PHOTO = VALID / "photograph.siren"
HOSTILE = "<img src=x onerror=document.title=1>.siren"
IS_READY = "!document.getElementById('save').disabled"
TROUBLE = (
    "document.getElementById('trouble').hidden ? '' : document.getElementById('trouble').innerText"
)
ZOOM = "document.getElementById('zoom').innerText"
WAS_DRAWN = """(() => {
  const canvas = document.querySelector('#viewer canvas');
  const context = new OffscreenCanvas(1, 1).getContext('2d');
  canvas && context.drawImage(canvas, -canvas.width / 2, -canvas.height / 2);
  return context.getImageData(0, 0, 1, 1).data[3] === 255;
})()"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("chromium")) as each:
        yield each


@pytest.fixture(scope="module")
def project() -> Iterator[str]:
    with served_project() as address:
        yield address


@pytest.fixture
def page(running: Browser, project: str) -> Iterator[Page]:
    """The page as any web server has it; nobody complains."""
    page = opened(running, f"{project}/sirencodec/web/index.html")
    yield page
    assert page.complaints() == []
    page.call("Page.close")


def opened(running: Browser, address: str) -> Page:
    page = running.page(address)
    page.wait_for("document.readyState === 'complete' && !!document.getElementById('start')")
    return page


def choose(page: Page, path: Path) -> None:
    page.choose_files("#file", [path])
    page.wait_for(IS_READY)


def press_button(page: Page, name: str) -> None:
    page.evaluate(f"document.getElementById({json.dumps(name)}).click()")


def zoom(page: Page) -> float:
    above, below = page.evaluate(ZOOM).split(" : ")
    return float(above) / float(below)


def settled_zoom(page: Page) -> float:
    before = -1.0
    while (now := zoom(page)) != before:
        before = now
        time.sleep(0.3)
    return now


def test_a_file_is_shown_and_told_of(page: Page) -> None:
    choose(page, PHOTO)
    page.wait_for(WAS_DRAWN)
    assert "40 × 30 pixels in 695 bytes" in page.evaluate("document.body.innerText")
    press_button(page, "facts")
    text = page.wait_for("document.getElementById('panel').innerText")
    info = sirencodec.read_info(PHOTO)
    assert f"{info.multiply_adds_per_pixel:,} multiply-adds a pixel" in text
    assert f"{info.num_parameters:,} weights" in text
    assert "RGB, 8 bits a sample" in text


def upright(path: Path) -> np.ndarray:
    """File -> samples as viewers show them."""
    return sirencodec.decode(path, strip="exif").samples


@pytest.mark.parametrize("name", ["photograph", "pyramid-rgb", "metadata"])
def test_what_is_seen_looks_like_the_picture(page: Page, name: str) -> None:
    """Four screen pixels for each of its own, upright, in the middle."""
    path = VALID / f"{name}.siren"
    choose(page, path)
    page.wait_for(WAS_DRAWN)
    image = upright(path)
    height, width = image.shape[:2]
    page.evaluate("document.querySelector('[data-zoom=\"4\"]').click()")
    assert settled_zoom(page) == 4
    place = page.evaluate(
        "(({left, top, width, height}) => [left + width / 2, top + height / 2])"
        "(document.getElementById('viewer').getBoundingClientRect())"
    )
    shown = np.array(PIL.Image.open(io.BytesIO(page.screenshot())).convert("RGB")).astype(float)
    left, top = (
        round(middle - 2 * side) for middle, side in zip(place, (width, height), strict=True)
    )
    large = sirencodec.decode(path, strip="exif", scale=4).samples[2:-2, 2:-2]
    errors = []
    for row in range(top + 1, top + 4):  # half a pixel more or less
        for column in range(left + 1, left + 4):
            seen = shown[row : row + large.shape[0], column : column + large.shape[1]]
            errors.append(np.abs(seen - large).mean())
    assert min(errors) < 0.25 * large.std()


def test_a_file_is_dropped(page: Page, tmp_path: Path) -> None:
    """Names are text, whatever they hold."""
    shutil.copy(PHOTO, tmp_path / HOSTILE)
    page.drop([tmp_path / HOSTILE], 300, 300)
    page.wait_for(IS_READY)
    assert page.evaluate("document.getElementById('name').textContent") == HOSTILE
    assert page.evaluate("document.title") == HOSTILE
    page.drop([VALID / "pyramid-rgb.siren"], 300, 400)
    page.wait_for("document.getElementById('name').textContent === 'pyramid-rgb.siren'")
    page.wait_for(IS_READY)
    assert "17 × 9" in page.evaluate("document.getElementById('progress').innerText")


def test_an_address_is_opened_and_a_link_to_the_page_with_one(
    running: Browser, project: str
) -> None:
    page = opened(running, f"{project}/sirencodec/web/index.html")
    address = f"{project}/tests/golden/valid/photograph.siren"
    page.evaluate(f"document.getElementById('address').value = {json.dumps(address)}")
    page.evaluate("document.querySelector('#open [type=submit]').click()")
    page.wait_for(IS_READY)
    assert page.evaluate("document.getElementById('name').textContent") == "photograph.siren"
    linked = opened(running, f"{project}/sirencodec/web/index.html#file={address}")
    linked.wait_for(IS_READY)
    assert page.complaints() == linked.complaints() == []


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("javascript:alert(1)", "an address begins with https://"),
        ("file:///etc/passwd", "an address begins with https://"),
        ("http://127.0.0.1:9/none.siren", "cannot be reached"),
        ("/none.siren", "404"),
        ("http://", "an address begins with https://"),
    ],
)
def test_an_address_that_leads_nowhere(
    running: Browser, project: str, address: str, said: str
) -> None:
    page = opened(running, f"{project}/sirencodec/web/index.html")
    page.evaluate(f"document.getElementById('address').value = {json.dumps(address)}")
    page.evaluate("document.querySelector('#open [type=submit]').click()")
    assert said in page.wait_for(TROUBLE)
    choose(page, PHOTO)


def test_the_example_is_shown(page: Page) -> None:
    press_button(page, "example")
    page.wait_for(IS_READY)
    page.wait_for(WAS_DRAWN)


@pytest.mark.parametrize("name", ["early end", "damage", "PNG", "nothing", "too large", "folder"])
def test_what_is_no_sound_file_is_said_to_be_none(page: Page, tmp_path: Path, name: str) -> None:
    """And the page goes on."""
    data = PHOTO.read_bytes()
    path = tmp_path / "a.siren"
    contents = {
        "early end": (data[:-9], "its end is missing"),
        "damage": (data[:99] + b"\x07" + data[100:], "is damaged"),
        "PNG": ((VALID / "photograph.png").read_bytes(), "not a .siren file"),
        "nothing": (b"", "not a .siren file"),
        "too large": (data + bytes(65 * 2**20), "more than a page should take"),
        "folder": (b"", ""),
    }
    if name == "folder":
        path.mkdir()
        page.drop([path], 300, 300)
        assert page.wait_for(TROUBLE)
    else:
        path.write_bytes(contents[name][0])
        page.choose_files("#file", [path])
        assert contents[name][1] in page.wait_for(TROUBLE)
    choose(page, PHOTO)
    assert not page.evaluate(TROUBLE)


def test_every_malformed_file_is_refused_or_shown(page: Page) -> None:
    for path in sorted(INVALID.glob("*.siren"))[::8]:
        page.evaluate("document.getElementById('trouble').textContent = ''")
        page.choose_files("#file", [path])
        page.wait_for(f"document.getElementById('trouble').textContent || {IS_READY}")


def test_a_file_that_asks_for_hours_is_refused(page: Page, tmp_path: Path) -> None:
    """65535 pixels a side: refused at its header, whatever follows."""
    header = bytes.fromhex("8953524e00 12 ffff03 ffff03 10 01 01 30 01 666f 40".replace(" ", ""))
    (tmp_path / "huge.siren").write_bytes(header + bytes(64))
    page.choose_files("#file", [tmp_path / "huge.siren"])
    assert "more than a page should take" in page.wait_for(TROUBLE)


def test_a_huge_picture_is_shown_whole(page: Page, tmp_path: Path) -> None:
    """24 bytes that mean 16384 x 16384 pixels: few points of each screen pixel are asked."""
    path = tmp_path / "huge.siren"
    head = bytes.fromhex("8953524e000080800180800101001e0400900090")
    path.write_bytes(head + zlib.crc32(head).to_bytes(4, "little"))
    choose(page, path)
    page.wait_for(WAS_DRAWN)


def test_what_is_transparent_lets_a_pattern_through(page: Page) -> None:
    background = "getComputedStyle(document.getElementById('view')).backgroundImage"
    choose(page, VALID / "rgba.siren")
    assert page.evaluate(background) != "none"
    choose(page, PHOTO)
    page.wait_for(f"{background} === 'none'")


def test_another_file_while_one_is_still_read(page: Page) -> None:
    data = (VALID / "pyramid-large.siren").read_bytes()
    ProjectFiles.slow["/slow.siren"] = data, 50
    page.evaluate("document.getElementById('address').value = '/slow.siren'")
    page.evaluate("document.querySelector('#open [type=submit]').click()")
    page.wait_for("/ read/.test(document.getElementById('progress').innerText)")
    choose(page, PHOTO)
    time.sleep(0.5)
    assert "40 × 30" in page.evaluate("document.getElementById('progress').innerText")


def test_a_file_is_shown_while_it_is_read(page: Page) -> None:
    """Coarse grids first."""
    ProjectFiles.slow["/arriving.siren"] = (VALID / "pyramid-large.siren").read_bytes(), 20
    page.evaluate("document.getElementById('address').value = '/arriving.siren'")
    page.evaluate("document.querySelector('#open [type=submit]').click()")
    page.wait_for("/sharp to 1.[24]/.test(document.getElementById('progress').innerText)")
    assert not page.evaluate(IS_READY)
    page.wait_for(WAS_DRAWN)
    page.wait_for(IS_READY)


def test_wheel_drag_and_keys(page: Page) -> None:
    choose(page, PHOTO)
    page.wait_for(WAS_DRAWN)
    page.evaluate("document.querySelector('[data-zoom=\"1\"]').click()")
    before = settled_zoom(page)
    page.mouse("mouseWheel", 450, 400, deltaX=0, deltaY=-240)
    after_wheel = settled_zoom(page)
    assert after_wheel > before
    page.evaluate("document.querySelector('#viewer .openseadragon-canvas').focus()")
    after_keys = after_wheel
    for code in ("Equal", "BracketRight"):  # of American and of German keyboards
        page.press("+", code)
        time.sleep(0.3)
        before, after_keys = after_keys, settled_zoom(page)
        assert after_keys > before
    still = page.screenshot()
    page.drag((450, 400), (520, 430))
    settled_zoom(page)
    assert page.screenshot() != still


def test_two_fingers(running: Browser, project: str) -> None:
    page = opened(running, f"{project}/sirencodec/web/index.html")
    page.resize(390, 780, 2, is_mobile=True)
    page.call("Emulation.setTouchEmulationEnabled", enabled=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    choose(page, PHOTO)
    page.wait_for(WAS_DRAWN)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.evaluate("document.querySelector('[data-zoom=\"1\"]').click()")
    before = settled_zoom(page)
    x, y = page.evaluate(
        "(({left, top, width, height}) => [left + width / 2, top + height / 2])"
        "(document.getElementById('viewer').getBoundingClientRect())"
    )
    page.pinch((x, y), 20, 120)
    assert settled_zoom(page) > 1.5 * before
    for name in ("facts", "layers"):
        press_button(page, name)
        page.wait_for("document.getElementById('panel').innerText.length > 40")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.complaints() == []


def test_lanczos_is_beside_it(page: Page) -> None:
    """By mouse and by keys; left of the divider the pixels are enlarged."""
    choose(page, PHOTO)
    page.wait_for(WAS_DRAWN)
    time.sleep(1)
    alone = page.screenshot()
    press_button(page, "compare")
    page.wait_for("!document.getElementById('divider').hidden")
    page.wait_for("document.getElementById('divider').getAttribute('aria-valuenow') === '50'")
    time.sleep(1)
    both = page.screenshot()
    assert both != alone
    page.evaluate("document.getElementById('divider').focus()")
    for key in ("ArrowLeft", "ArrowLeft", "PageUp"):
        page.press(key, key)
    assert page.evaluate("document.getElementById('divider').getAttribute('aria-valuenow')") == "60"
    y = page.evaluate("document.getElementById('divider').getBoundingClientRect().top") + 200
    page.drag((540, y), (180, y))
    assert page.evaluate("document.getElementById('divider').getAttribute('aria-valuenow')") == "20"
    press_button(page, "compare")
    time.sleep(1)
    assert page.evaluate("document.getElementById('divider').hidden")


REMOTE = """(async () => {
  const { RemotePicture } = await import("/sirencodec/web/src/viewer.js");
  const data = Uint8Array.from(atob("DATA"), (letter) => letter.charCodeAt());
  const picture = new RemotePicture({ blob: new Blob([data]) });
  await picture.whole;
  const pixels = async (wish) => {
    const bitmap = await picture.bitmap(wish);
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext("2d");
    context.drawImage(bitmap, 0, 0);
    return [...context.getImageData(0, 0, bitmap.width, bitmap.height).data];
  };
  const base64 = async (blob) => {
    let text = "";
    new Uint8Array(await blob.arrayBuffer()).forEach((byte) => (text += String.fromCharCode(byte)));
    return btoa(text);
  };
  const found = await (async () => { WORK })();
  picture.close();
  return found;
})()"""


def remote(page: Page, path: Path, work: str) -> Any:
    """File and what to do with its ``picture`` -> what comes of it."""
    data = base64.b64encode(path.read_bytes()).decode()
    return page.evaluate(REMOTE.replace("DATA", data).replace("WORK", work))


@pytest.mark.parametrize("name", ["photograph", "pyramid-rgb", "metadata", "pyramid-metadata"])
def test_a_tile_is_what_the_package_decodes(page: Page, name: str) -> None:
    """To the last bit: a part of the upright picture, eight times as large."""
    path = VALID / f"{name}.siren"
    large = sirencodec.decode(path, scale=8, strip="exif").samples
    height, width = upright(path).shape[:2]
    wish = {
        "width": 8 * (width - 1),
        "height": 8 * (height - 2),
        "crop": [1, 2, width - 1, height - 2],
    }
    found = remote(page, path, f"return pixels({json.dumps(wish)});")
    tile = np.array(found).reshape(wish["height"], wish["width"], 4)
    colours = large[16:, 8:]
    assert (tile[:, :, :3] == colours if colours.shape[2] > 2 else tile[:, :, :1] == colours).all()
    assert (tile[:, :, 3] == 255).all()


def test_lanczos_is_that_of_pillow(page: Page) -> None:
    """In floating point, and away from edges, where Pillow leaves weights out."""
    image = sirencodec.decode(PHOTO).samples.astype(np.float32)
    lanczos, box = PIL.Image.Resampling.LANCZOS, (9, 7, 29, 22)
    channels = [PIL.Image.fromarray(image[:, :, channel]) for channel in range(3)]
    wanted = np.stack([np.array(each.resize((160, 120), lanczos, box)) for each in channels], 2)
    wish = {"width": 160, "height": 120, "crop": [9, 7, 20, 15], "isLanczos": True}
    found = np.array(remote(page, PHOTO, f"return pixels({json.dumps(wish)});"))
    errors = np.abs(found.reshape(120, 160, 4)[:, :, :3] - np.clip(wanted, 0, 255))
    assert errors.max() < 0.51


@pytest.mark.parametrize(
    "name", ["photograph", "rgba-16", "gray-alpha", "gray-16", "metadata", "pyramid-rgba-16"]
)
def test_a_saved_png_holds_the_very_samples(page: Page, tmp_path: Path, name: str) -> None:
    """Of 16 bits and transparent ones as well, upright and with its colours' profile."""
    path = VALID / f"{name}.siren"
    wanted = sirencodec.decode(path, scale=2, strip="exif")
    height, width = wanted.samples.shape[:2]
    found = remote(page, path, f"return base64(await picture.png({width}, {height}));")
    (tmp_path / "saved.png").write_bytes(base64.b64decode(found))
    saved = read_image(tmp_path / "saved.png")
    assert saved.samples.dtype == wanted.samples.dtype
    assert (saved.samples == wanted.samples).all()
    assert saved.metadata.icc_profile == wanted.metadata.icc_profile


@pytest.mark.parametrize("name", ["photograph", "pyramid-rgb", "deep"])
def test_layers_are_those_that_inspect_shows(page: Page, name: str) -> None:
    path = VALID / f"{name}.siren"
    found = remote(page, path, "return picture.inspect();")
    layers = sirencodec.inspect(path.read_bytes()).layers
    assert len(found) == len(layers)
    for ours, theirs in zip(found, layers, strict=True):
        pairs = [
            (ours["phases"], theirs.pre_activations),
            (ours["activations"], theirs.activations),
        ]
        for mine, wanted in pairs:
            if wanted is None:
                assert mine is None
                continue
            assert mine["mean"] == pytest.approx(wanted.mean, abs=1e-4)
            assert mine["deviation"] == pytest.approx(wanted.standard_deviation, abs=1e-4)
            assert [mine["low"], mine["high"]] == pytest.approx(
                [wanted.edges[0], wanted.edges[-1]], rel=1e-4
            )
            moved = np.abs(np.array(mine["density"]) - wanted.density).sum() / sum(wanted.density)
            assert moved < 0.02  # rounding moves some from one bin to the next
            if wanted.prediction is not None:
                assert mine["theory"]["deviation"] == pytest.approx(
                    wanted.prediction.standard_deviation, rel=1e-5
                )


def test_the_readme_shows_a_picture_in_a_viewer(running: Browser, project: str) -> None:
    """Its example, as it stands there; OpenSeadragon is that of its package."""
    text = (WEB / "README.md").read_text()
    example = re.findall(r"```js\n(.*?)```", text, re.DOTALL)[0]
    example = example.replace('"sirencodec-web/viewer"', '"/sirencodec/web/src/viewer.js"')
    example = example.replace('"photo.siren"', '"/tests/golden/valid/photograph.siren"')
    body = f"""<!doctype html><link rel="icon" href="data:,">
<style>#viewer {{ width: 600px; height: 400px }}</style><div id="viewer"></div>
<script src="/sirencodec/web/openseadragon/openseadragon.min.js"></script>
<script type="module">{example}
  window.failures = 0;
  viewer.addHandler("tile-load-failed", () => window.failures++);
  Object.assign(window, {{ shown: viewer, facts, picture }});</script>"""
    ProjectFiles.made["/example.html"] = body.encode()
    page = running.page(f"{project}/example.html")
    page.wait_for("window.shown?.world.getItemAt(0)?.getFullyLoaded()")
    assert page.evaluate("[facts.width, facts.height]") == [40, 30]
    page.evaluate("void shown.viewport.zoomTo(shown.world.getItemAt(0).imageToViewportZoom(1))")
    time.sleep(0.2)
    page.wait_for("shown.world.getItemAt(0).getFullyLoaded()")
    page.wait_for(WAS_DRAWN)
    page.evaluate("picture.close()")
    assert page.evaluate("failures") == 0
    assert page.complaints() == []


def test_the_server_has_it_too(running: Browser, tmp_path: Path) -> None:
    """Under its policy, which forbids scripts of others; a link leads there."""
    with serve(tmp_path) as server:
        page = running.page(f"{server.address}/")
        page.wait_for("!!document.querySelector('a[href=\"/drop/\"]')")
        page.evaluate("document.querySelector('a[href=\"/drop/\"]').click()")
        page.wait_for("!!document.getElementById('start') && document.readyState === 'complete'")
        choose(page, PHOTO)
        page.wait_for(WAS_DRAWN)
        press_button(page, "compare")
        press_button(page, "layers")
        page.wait_for("!!document.querySelector('#panel svg')")
        assert page.complaints() == []
        page.call("Page.close")
