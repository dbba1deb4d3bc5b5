"""`sirencodec serve` as others meet it: over a socket."""

from __future__ import annotations

import http.client
import io
import random
import shutil
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import PIL.Image
import pytest
import pyvips
from iiif_validator.tests import size_up
from iiif_validator.tests import test as iiif_validator  # what its tests share

from benchmarks.measuring.browser import CHROMIUM, browser
from tests.command import run
from tests.paths import INVALID, ROOT, VALID
from tests.served import Served, serve

HOSTILE = "<img src=x onerror=document.title=1>.siren"

V3 = iiif_validator.IIIFVersion.V3
# Of the validator's tests: what level 2 leaves open and is not offered.
NOT_OFFERED = {"gif", "jp2", "pdf", "tif", "bitonal"}
VALIDATIONS = [
    each for each in iiif_validator.get_tests(V3) if str(each.extra_name) not in NOT_OFFERED
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests that do not end it."""
    root = tmp_path_factory.mktemp("served")
    shutil.copy(ROOT / "tests" / "iiif" / "validation.siren", root)
    for name in ("photograph", "pyramid-rgb", "gray-4x4"):
        shutil.copy(VALID / f"{name}.siren", root)
    shutil.copy(VALID / "gray-alpha.siren", root / HOSTILE)
    shutil.copy(sorted(INVALID.glob("*.siren"))[0], root / "damaged.siren")
    with serve(root, "--threads", "2") as server:
        yield server
        assert server.end() == 0
        assert "Traceback" not in server.said


def fetch(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - our own address
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.mark.parametrize("validation", VALIDATIONS, ids=lambda each: each.__name__)
def test_the_validator_of_the_api(
    served: Served,
    validation: type[iiif_validator.ValidationTest],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In two places it contradicts the API (4.2), which we follow.

    For ``^max``, "scaled to the maximum size permitted by maxWidth, maxHeight, or maxArea", it
    wants the picture's own size: it is given ``max``. For ``!w,h``, "as large as possible but not
    larger than the extracted region", it wants an error where both are larger.
    """
    monkeypatch.setattr(size_up, "get_image", get_max_for_upscaled_max)
    random.seed(3)  # some of its tests choose regions and angles
    server = iiif_validator.TargetServer(f"{served.address}/iiif", "validation.siren", V3)
    results = validation.run(server)
    failures = [
        each for each in (results if isinstance(results, list) else [results]) if not each.success
    ]
    if validation.__name__ == "SizeNoUpTest":
        failures = [each for each in failures if "/full/!2000,3000/" not in each.url]
    assert failures == []


def get_max_for_upscaled_max(
    server: iiif_validator.TargetServer, request: iiif_validator.ImageAPIRequest
) -> pyvips.Image:
    wanted = request._replace(size="max") if request.size == "^max" else request
    return iiif_validator.get_image(server, wanted)


def test_the_validator_asks_for_all_that_is_offered(served: Served) -> None:
    server = iiif_validator.TargetServer(f"{served.address}/iiif", "validation.siren", V3)
    facts = server.feature_set()
    assert facts.compliance_level == iiif_validator.ComplianceLevel.LEVEL_2
    offered = {*facts.extra_features, *facts.extra_formats, *facts.extra_qualities}
    assert not offered & NOT_OFFERED
    names = [each.extra_name for each in VALIDATIONS]
    asked = {name for each in names for name in (each if isinstance(each, list) else [each])}
    assert offered - asked == set()


def test_where_the_validator_is_not_followed(served: Served) -> None:
    address = f"{served.address}/iiif/validation.siren/full"
    for size, sides in (("!2000,3000", (1000, 1000)), ("^max", (4096, 4096))):
        status, body = fetch(f"{address}/{size}/0/default.jpg")
        assert status == 200
        assert PIL.Image.open(io.BytesIO(body)).size == sides


def test_many_at_once_get_what_one_gets(served: Served) -> None:
    """Tiles of several pictures from 32 clients, while others ask for nonsense and hang up."""
    paths = [
        f"/iiif/{name}.siren/{left},{top},3,3/^{side},/0/default.png"
        for name in ("photograph", "pyramid-rgb")
        for left in range(4)
        for top in range(4)
        for side in (48, 64)
    ]
    paths += ["/iiif/damaged.siren/full/max/0/default.png", "/iiif/none/info.json", "/", "/%00"] * 4
    wanted = {path: fetch(served.address + path) for path in paths}
    stop = threading.Event()
    rude = threading.Thread(target=hang_up, args=(served.address, stop))
    rude.start()
    try:
        with ThreadPoolExecutor(32) as clients:
            asked = paths * 5
            got = clients.map(lambda path: fetch(served.address + path), asked)
            assert [
                path for path, answer in zip(asked, got, strict=True) if answer != wanted[path]
            ] == []
    finally:
        stop.set()
        rude.join()
    assert all(status in (200, 404, 500) for status, _ in wanted.values())


def hang_up(address: str, stop: threading.Event) -> None:
    """Send half of a request, or no HTTP, or go before the answer comes."""
    host, port = address.removeprefix("http://").split(":")
    texts = (
        b"GET /iiif/photograph.siren/full/^900,/0/default.png HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /iiif/photo",
        b"\x16\x03\x01\x00\xff" * 50,
        b"GET /" + b"a" * 70_000,
    )
    while not stop.is_set():
        for text in texts:
            with socket.create_connection((host, int(port))) as connection:
                connection.sendall(text)
        time.sleep(0.01)


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_browser_shows_the_folder(served: Served, tmp_path: Path) -> None:
    are_there = (
        "document.images.length === 6 && [...document.images].every((each) => each.complete)"
    )
    page, complaints = browse(f"{served.address}/", tmp_path, are_there)
    # A damaged file's thumbnail is answered by a status, which the browser tells of.
    assert [line for line in complaints if "damaged.siren" not in line] == []
    assert page.count("<li>") == 6
    assert "<title>1</title>" not in page  # what the hostile name would do
    assert "&lt;img src=x onerror" in page


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize("name", ["photograph.siren", HOSTILE])
def test_a_browser_zooms_beyond_the_pixels(served: Served, tmp_path: Path, name: str) -> None:
    """No inline script or style is refused either, for there is none."""
    address = f"{served.address}/view/{urllib.parse.quote(name)}#zoom=8&x=9&y=7"
    is_there = "document.getElementById('zoom')?.textContent === '8 : 1'"
    page, complaints = browse(address, tmp_path, is_there)
    assert complaints == []
    assert "<canvas" in page


def browse(address: str, profile: Path, until: str) -> tuple[str, list[str]]:
    """Address -> the page once something is true of it, and what the browser complains of."""
    with browser(profile) as chromium:
        page = chromium.page(address)
        page.wait_for(f"document.readyState === 'complete' && {until}")
        return page.evaluate("document.documentElement.outerHTML"), page.complaints()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(tmp_path: Path, number: int) -> None:
    shutil.copy(VALID / "photograph.siren", tmp_path)
    with serve(tmp_path) as server:
        host = server.address.removeprefix("http://")
        idle = http.client.HTTPConnection(host)  # a browser keeps its connection open
        idle.request("GET", "/iiif/photograph.siren/info.json")
        assert idle.getresponse().read()
        assert server.end(number) == 0
        assert server.said == ""
        idle.close()


def test_what_is_under_way_is_answered_at_the_end(tmp_path: Path) -> None:
    shutil.copy(VALID / "photograph.siren", tmp_path)
    with serve(tmp_path) as server, ThreadPoolExecutor(1) as client:
        url = f"{server.address}/iiif/photograph.siren/full/^900,/0/default.png"
        answer = client.submit(fetch, url)
        while fetch(f"{server.address}/iiif/photograph.siren/info.json")[0] != 200:
            pass
        assert server.end() == 0
        assert answer.result()[0] == 200


def test_files_may_change_vanish_and_come_while_they_are_asked_for(tmp_path: Path) -> None:
    contents = [(VALID / f"{name}.siren").read_bytes() for name in ("photograph", "pyramid-rgb")]
    wanted = {}
    with serve(tmp_path) as server:
        for data in contents:
            (tmp_path / "a.siren").write_bytes(data)
            tile = f"{server.address}/iiif/a.siren/0,0,8,8/^32,32/0/default.png"
            wanted[fetch(tile)] = data
        stop = threading.Event()

        def change() -> None:
            while not stop.is_set():
                for data in contents:
                    (tmp_path / "new").write_bytes(data)
                    (tmp_path / "new").replace(tmp_path / "a.siren")
                (tmp_path / "a.siren").unlink()
                (tmp_path / "a.siren").write_bytes(data[:9])
                time.sleep(0.002)

        writer = threading.Thread(target=change)
        writer.start()
        try:
            with ThreadPoolExecutor(8) as clients:
                got = set(clients.map(lambda _: fetch(tile), range(300)))
        finally:
            stop.set()
            writer.join()
        assert {answer for answer in got if answer[0] == 200} <= set(wanted)
        assert {status for status, _ in got} <= {200, 404, 500}
        assert server.process.poll() is None
        assert server.end() == 0
        assert "Traceback" not in server.said


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("serve", tmp_path, "--port", str(taken.getsockname()[1]))
    assert result.exit_code == 1
    assert result.output.endswith("ddress already in use; see --host and --port\n")
    assert result.output.count("\n") == 1


def test_what_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name, reason in (("none", "No such file or directory"), ("file", "Not a directory")):
        result = run("serve", tmp_path / name)
        assert result.exit_code == 1
        assert result.output == f"sirencodec: {tmp_path / name}: {reason}\n"


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sirencodec.serve.app", None)
    result = run("serve", tmp_path)
    assert result.exit_code == 1
    assert "sirencodec[serve]" in result.output
