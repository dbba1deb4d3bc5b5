"""The decoder in `web/` against the Python package: in a browser, on every golden file."""

from __future__ import annotations

import base64
import functools
import http.server
import json
import shutil
import subprocess
import threading
import warnings
import zlib
from pathlib import Path
from typing import Any

import pytest

import sirencodec
from sirencodec.bitstream.prior_file import prior_bytes
from tests.paths import GOLDEN, ROOT, VALID
from tests.test_serve import CHROMIUM, CHROMIUM_OPTIONS

MANIFEST = json.loads((GOLDEN / "manifest.json").read_text())
METADATA_NUMBERS = (16, 17)  # of FORMAT.md's rules: damage of what this decoder passes over

PAGE = """<!doctype html><meta charset="utf-8"><script type="module">
import { Decoder, hasVectors } from "/web/src/index.js";
import { checksum } from "/web/src/container.js";
const bytes = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
const asked = JSON.parse(atob("ASKED"));
const found = { hasVectors: hasVectors() };
for (const kind of ["simd128", "plain"]) {
  const decoder = await Decoder.create(
    await bytes(`/web/dist/siren-${kind}.wasm`), await bytes("/web/dist/prior-1.bin"));
  found[kind] = { valid: {}, invalid: {} };
  for (const [name, cases] of Object.entries(asked.valid)) {
    const picture = decoder.open(await bytes(`/tests/golden/valid/${name}`));
    found[kind].valid[name] = cases.map(([width, height, crop]) => {
      const samples = picture.sample(width, height, crop ?? undefined);
      return checksum(new Uint8Array(samples.buffer));
    });
    picture.free();
  }
  for (const name of asked.invalid) {
    try {
      decoder.open(await bytes(`/tests/golden/invalid/${name}`)).free();
      found[kind].invalid[name] = null;
    } catch (error) {
      found[kind].invalid[name] = error.name;
    }
  }
}
await fetch("/found", { method: "POST", body: JSON.stringify(found) });
</script>"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Files of the project, and one page that is made here."""

    page = b""
    found = b""
    is_done = threading.Event()

    def log_message(self, *_arguments: object) -> None:
        pass

    def do_POST(self) -> None:
        Quiet.found = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        Quiet.is_done.set()

    def do_GET(self) -> None:
        if self.path != "/":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.page)


@pytest.fixture(scope="module")
def cases() -> dict[str, list[tuple[int, int, list[int] | None]]]:
    """Golden file -> sizes and crops to decode it at: its own, larger, and a part of it."""
    asked: dict[str, list[tuple[int, int, list[int] | None]]] = {}
    for path in sorted(VALID.glob("*.siren")):
        info = sirencodec.read_info(path)
        width, height = info.width, info.height
        asked[path.name] = [(width, height, None), (3 * width, 2 * height, None)]
        if min(width, height) >= 4:
            asked[path.name].append((24, 20, [1, 1, width - 2, height - 2]))
    return asked


@pytest.fixture(scope="module")
def found(cases: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the browser makes of all golden files."""
    asked = json.dumps({"valid": cases, "invalid": sorted(MANIFEST["invalid"])})
    Quiet.page = PAGE.replace("ASKED", base64.b64encode(asked.encode()).decode()).encode()
    handler = functools.partial(Quiet, directory=str(ROOT))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        profile = tmp_path_factory.mktemp("chromium")
        options = [each for each in CHROMIUM_OPTIONS if "virtual-time" not in each]
        command = [str(CHROMIUM), *options, "--remote-debugging-port=0"]  # or it ends at once
        command += [f"--user-data-dir={profile}", f"http://127.0.0.1:{server.server_port}/"]
        browser = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        came = Quiet.is_done.wait(200)
        browser.terminate()
        _, said = browser.communicate()
        server.shutdown()
        thread.join()
    assert came, said
    return json.loads(Quiet.found)


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize("kind", ["simd128", "plain"])
def test_samples_are_those_of_the_compiled_decoder(
    found: Any, cases: dict[str, Any], kind: str
) -> None:
    """To the last bit, with vectors and without."""
    for name, asked in cases.items():
        wanted = []
        for width, height, crop in asked:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                image = sirencodec.decode(VALID / name, width=width, height=height, crop=crop)
            wanted.append(zlib.crc32(image.samples.tobytes()))
        assert found[kind]["valid"][name] == wanted, name


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize("kind", ["simd128", "plain"])
def test_damage_is_found_as_in_python(found: Any, kind: str) -> None:
    assert found["hasVectors"]
    assert found[kind]["invalid"] == {
        name: None if entry["number"] in METADATA_NUMBERS else entry["error"]
        for name, entry in MANIFEST["invalid"].items()
    }


def test_the_prior_is_the_one_that_is_shipped() -> None:
    assert (ROOT / "web" / "dist" / "prior-1.bin").read_bytes() == prior_bytes(1)


def test_it_is_small() -> None:
    """Compressed, as servers send it: less than 150 kB with the prior."""
    files = [*(ROOT / "web" / "src").glob("*.js"), *(ROOT / "web" / "dist").glob("*128.wasm")]
    files.append(ROOT / "web" / "dist" / "prior-1.bin")
    assert sum(len(zlib.compress(path.read_bytes(), 9)) for path in files) < 150_000


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_it_runs_outside_of_browsers(tmp_path: Path) -> None:
    script = tmp_path / "decode.mjs"
    script.write_text(
        f"""import fs from "node:fs";
import {{ Decoder }} from {json.dumps((ROOT / "web" / "src" / "index.js").as_uri())};
const read = (path) => new Uint8Array(fs.readFileSync(path));
const dist = {json.dumps(str(ROOT / "web" / "dist"))};
const decoder = await Decoder.create(
  read(`${{dist}}/siren-simd128.wasm`), read(`${{dist}}/prior-1.bin`));
const picture = decoder.open(read({json.dumps(str(VALID / "photograph.siren"))}));
const {{ width, height }} = picture.header;
process.stdout.write(Buffer.from(picture.sample(width, height)));
"""
    )
    done = subprocess.run(["node", str(script)], capture_output=True, check=True)
    assert done.stdout == sirencodec.decode(VALID / "photograph.siren").samples.tobytes()
