from __future__ import annotations

import asyncio
import html
import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import PIL.Image
import pytest

from sirencodec.serve.app import create_app
from sirencodec.serve.folder import Folder
from sirencodec.serve.iiif import SizeLimits
from sirencodec.serve.settings import Settings
from tests.paths import INVALID, VALID

HOSTILE = (
    "<img src=x onerror=alert(1)>.siren",
    "\"'><script>alert(1)<!--.siren",
    "{{7*7}}{% raw %}.siren",
    "a b?c#d%41&amp;.siren",
    "javascript:alert(1).siren",
    "line\nbreak\x1b[31m.siren",
    "\N{RIGHT-TO-LEFT OVERRIDE}gpj.siren",
    "\udcff\udcfe.siren",  # no UTF-8
)
HOST = "http://pictures.example"

Get = Callable[..., httpx.Response]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    shutil.copy(VALID / "pyramid-rgb.siren", root / "a.siren")
    shutil.copy(VALID / "gray-4x4.siren", root / "sub" / "b c.siren")
    return root


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def get(root: Path, log: list[str]) -> Get:
    return getter(root, log)


def getter(root: Path, log: list[str] | None = None, **settings: Any) -> Get:
    """Folder -> function that asks its server."""
    lines: list[str] = [] if log is None else log
    app = create_app(Folder(root), Settings(num_threads=1, **settings), lines.append)

    def get(path: str, method: str = "GET", **headers: str) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app, raise_app_exceptions=True)
            async with httpx.AsyncClient(transport=transport) as client:
                named = {name.replace("_", "-"): value for name, value in headers.items()}
                return await client.request(method, HOST + path, headers=named)

        return asyncio.run(ask())

    return get


def test_the_bare_identifier_leads_to_its_facts(get: Get) -> None:
    for path in ("/iiif/a.siren", "/iiif/a.siren/", "/iiif/a%2Esiren"):
        answer = get(path)
        assert answer.status_code == 303
        assert answer.headers["location"] == f"{HOST}/iiif/a.siren/info.json"
    assert get("/iiif/none.siren").status_code == 404


def test_facts(get: Get) -> None:
    answer = get("/iiif/sub%2Fb%20c.siren/info.json")
    facts = answer.json()
    assert (facts["width"], facts["height"]) == (4, 4)
    assert facts["id"] == f"{HOST}/iiif/sub%2Fb%20c.siren"
    assert answer.headers["content-type"] == "application/json"
    assert "Accept" in answer.headers["vary"]
    linked = get("/iiif/a.siren/info.json", Accept="application/ld+json")
    assert linked.headers["content-type"].startswith("application/ld+json;profile=")


def test_an_image(get: Get) -> None:
    answer = get("/iiif/a.siren/0,0,8,8/%5E64,/0/default.webp")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/webp"
    assert (
        f'<{HOST}/iiif/a.siren/0,0,8,8/^64,64/0/default.webp>;rel="canonical"'
        in (answer.headers["link"])
    )
    assert PIL.Image.open(io.BytesIO(answer.content)).size == (64, 64)
    assert get("/iiif/a.siren/full/max/0/default.jpg", "HEAD").status_code == 200


@pytest.mark.parametrize(
    "path", ["/iiif/a.siren/info.json", "/iiif/a.siren/full/max/0/default.png"]
)
def test_what_is_known_is_not_sent_again(get: Get, root: Path, path: str) -> None:
    tag = get(path).headers["etag"]
    for known in (tag, f'"x", {tag}', f"W/{tag}", "*"):
        again = get(path, If_None_Match=known)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    assert get(path, If_None_Match='"other"').status_code == 200
    shutil.copy(VALID / "pyramid-wide.siren", root / "a.siren")
    assert get(path, If_None_Match=tag).status_code == 200
    assert get(path).headers["etag"] != tag


def test_any_page_may_show_the_pictures_and_none_may_read_the_folder(get: Get) -> None:
    for path in ("/iiif/a.siren/info.json", "/iiif/a.siren/full/max/0/default.jpg", "/iiif/none"):
        assert get(path).headers["access-control-allow-origin"] == "*"
    asked = get("/iiif/a.siren/info.json", "OPTIONS", Access_Control_Request_Headers="accept")
    assert (asked.status_code, asked.headers["access-control-allow-headers"]) == (204, "*")
    for path in ("/", "/view/a.siren"):
        assert "access-control-allow-origin" not in get(path, Origin="http://other.example").headers


@pytest.mark.parametrize(
    "path",
    [
        "/iiif/..%2Fsecret.siren/info.json",
        "/iiif/%2E%2E%2Fsecret.siren/full/max/0/default.jpg",
        "/iiif/..%252Fsecret.siren/info.json",
        "/iiif/sub%2F..%2F..%2Fsecret.siren/info.json",
        "/iiif/%2Fetc%2Fpasswd/info.json",
        "/iiif/a.siren%00/info.json",
        "/iiif/%C0%AE%C0%AE%2Fsecret.siren/info.json",
        "/iiif/..%5Csecret.siren/info.json",
        "/iiif/sub/b%20c.siren/info.json",
        "/iiif//info.json",
        "/iiif/",
        "/view/..%2Fsecret.siren",
        "/view/%2E%2E/secret.siren",
        "/view/sub",
        "/folder/..%2F",
        "/folder/%2E%2E",
        "/folder/%00",
        "/static/..%2Fapp.py",
        "/static/%2E%2E/app.py",
        "/static/%00",
        "/nothing",
    ],
)
def test_no_path_leaves_the_folder(get: Get, root: Path, log: list[str], path: str) -> None:
    shutil.copy(VALID / "gray-4x4.siren", root.parent / "secret.siren")
    answer = get(path)
    assert answer.status_code == 404
    assert answer.text.count("\n") <= 1
    assert log == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/iiif/a.siren/full/full/0/default.jpg", 400),
        ("/iiif/a.siren/full/max/0/default.gif", 400),
        ("/iiif/a.siren/full/%5E9999999,/0/default.jpg", 400),
        ("/iiif/a.siren/full/max/default.jpg", 404),
    ],
)
def test_what_makes_no_sense_gets_one_line(get: Get, path: str, status: int) -> None:
    answer = get(path)
    assert answer.status_code == status
    assert answer.text.count("\n") == 1


@pytest.mark.parametrize("host", ['a"><b', "a b", "a/b", "a\\b"])
def test_a_host_that_is_none_is_not_repeated(get: Get, host: str) -> None:
    answer = get("/iiif/a.siren/info.json", Host=host)
    assert answer.status_code == 400
    assert host not in answer.text


def test_addresses_behind_a_proxy(root: Path) -> None:
    get = getter(root, base_url="https://example.org/pictures/")
    base = "https://example.org/pictures/iiif/a.siren"
    assert get("/iiif/a.siren/info.json").json()["id"] == base
    assert get("/iiif/a.siren").headers["location"] == f"{base}/info.json"
    assert 'src="/pictures/iiif/a.siren/' in get("/").text


def test_too_much_work_is_refused(root: Path) -> None:
    limits = Settings().limits.__class__(max_multiply_adds=10**7)
    get = getter(root, limits=limits, size_limits=SizeLimits(10**5, 10**8))
    answer = get("/iiif/a.siren/full/%5E3000,/0/default.jpg")
    assert (answer.status_code, answer.text.count("\n")) == (400, 1)
    assert get("/iiif/a.siren/full/max/0/default.jpg").status_code == 200


def test_what_takes_too_long_gets_an_answer_and_is_there_later(root: Path) -> None:
    get = getter(root, timeout_s=1e-6)
    answer = get("/iiif/a.siren/full/max/0/default.jpg")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


@pytest.mark.parametrize("case", sorted(INVALID.glob("*.siren")), ids=lambda path: path.stem)
def test_damaged_files_get_one_line(root: Path, case: Path) -> None:
    shutil.copy(case, root / "damaged.siren")
    log: list[str] = []
    get = getter(root, log)
    for path in ("/iiif/damaged.siren/info.json", "/iiif/damaged.siren/full/max/0/default.png"):
        answer = get(path)
        # Damage that shows only in the payload, or only in the metadata, leaves the header good.
        assert answer.status_code in (200, 400, 500)
        assert answer.status_code == 200 or answer.text.count("\n") == 1
        assert "Traceback" not in answer.text
    assert not any("unexpected" in line for line in log)
    assert get("/iiif/a.siren/full/max/0/default.png").status_code == 200


def test_damage_is_logged_with_the_name_once(root: Path, log: list[str], get: Get) -> None:
    (root / "b.siren").write_bytes(b"nothing")
    assert get("/view/b.siren").status_code == 500
    assert log == ["b.siren: not a .siren file (magic at byte 0) (asked as /view/b.siren)"]


def test_a_file_that_vanishes_is_gone(get: Get, root: Path) -> None:
    path = "/iiif/a.siren/full/max/0/default.png"
    assert get(path).status_code == 200
    (root / "a.siren").unlink()
    assert get(path).status_code == 404
    assert get("/view/a.siren").status_code == 404


def test_what_nobody_expects_is_logged_in_one_line(
    get: Get, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise RuntimeError("first\nsecond")

    monkeypatch.setattr("sirencodec.serve.images.render", fail)
    answer = get("/iiif/a.siren/full/max/0/default.png")
    assert answer.status_code == 500
    assert "first" not in answer.text
    assert len(log) == 1
    assert "\n" not in log[0]
    assert "first second" in log[0]


def test_pages_run_nothing_but_what_we_wrote(get: Get) -> None:
    for path in ("/", "/view/a.siren", "/static/viewer.js", "/iiif/a.siren/info.json", "/nothing"):
        headers = get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
    for page in (get("/").text, get("/view/a.siren").text):
        assert not re.search(r"<script(?![^>]*\bsrc=)", page)
        assert not re.search(r"\s(on\w+|style)=", page)
        assert not re.search(r"(src|href)=\"(?!/)", page)


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_files_are_text(get: Get, root: Path, name: str) -> None:
    (root / name).write_bytes((VALID / "gray-4x4.siren").read_bytes())
    before = re.findall(r"<[^>]*>", get("/folder/sub").text)
    page = get("/").text
    assert set(tags(page)) == {*map(tag_name, before), "li"} | set(tags(page)) & {"nav", "span"}
    assert "<script>alert" not in page
    assert "onerror=alert" not in re.sub(r">[^<]*<", "><", page)
    address = quote(name.encode("utf-8", "surrogateescape"), safe="")
    assert f'src="/iiif/{address}/full/' in html.unescape(page)
    view = get(f"/view/{address}")
    assert view.status_code == 200
    assert "<script>alert" not in view.text
    assert json.loads(get(f"/iiif/{address}/info.json").text)["id"].endswith(address)
    assert get(f"/iiif/{address}/full/max/0/default.png").status_code == 200


def tag_name(tag: str) -> str:
    return re.split(r"[\s>]", tag.strip("<>/"))[0]


def tags(page: str) -> list[str]:
    return [tag_name(tag) for tag in re.findall(r"<[^>]*>", page)]


def test_folders_lead_to_folders(get: Get) -> None:
    page = get("/").text
    assert 'href="/folder/sub"' in page
    assert 'href="/view/sub/b%20c.siren"' in get("/folder/sub").text
    assert 'href="/"' in get("/folder/sub").text
    assert get("/folder/none").status_code == 404


def test_many_files_are_shown_page_by_page(get: Get, root: Path) -> None:
    for number in range(250):
        (root / "sub" / f"{number:03}.siren").write_bytes(b"")
    names = [
        name
        for page in (1, 2, 3)
        for name in re.findall(r"<bdi>(\d+\.siren)</bdi>", get(f"/folder/sub?page={page}").text)
    ]
    assert names == [f"{number:03}.siren" for number in range(250)]
    assert "Page 3 of 3" in get("/folder/sub?page=99").text
    assert get("/folder/sub?page=-1%27").status_code == 200
