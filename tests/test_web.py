"""The decoder of `sirencodec/web` against the Python package: in a browser, on golden files."""

from __future__ import annotations

import base64
import json
import random
import shutil
import subprocess
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sirencodec
from benchmarks.measuring.browser import CHROMIUM, Page, browser
from sirencodec.bitstream.architecture import grid_shape
from sirencodec.bitstream.prior_file import prior_bytes
from sirencodec.entropy.stored import open_stored
from tests.broken_files import join, old_payload, take_apart
from tests.paths import GOLDEN, ROOT, VALID
from tests.project_files import ProjectFiles, served_project
from tests.test_golden import ERRORS_SINCE

WEB = ROOT / "sirencodec" / "web"
MANIFEST = json.loads((GOLDEN / "manifest.json").read_text())
METADATA_NUMBERS = (16, 17)  # of FORMAT.md's rules: damage of what this decoder passes over

# The decoder's names, and what the tests ask of it.
SCRIPT = """
window.web = (async () => {
  const { Decoder, hasVectors } = await import("/sirencodec/web/src/index.js");
  const { checksum } = await import("/sirencodec/web/src/container.js");
  const bytes = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
  const hash = (numbers) => checksum(new Uint8Array(numbers.buffer));
  const decoders = {};
  for (const kind of ["simd128", "plain"]) {
    decoders[kind] = await Decoder.create(
      await bytes(`/sirencodec/web/dist/siren-${kind}.wasm`),
      await bytes("/sirencodec/web/dist/prior-1.bin"));
  }
  async function valid(kind, name, cases) {
    const picture = decoders[kind].open(await bytes(`/tests/golden/valid/${name}`));
    const samples = cases.map(([width, height, crop]) =>
      hash(picture.sample(width, height, crop ?? undefined)));
    const levels = picture.numbers.levels.map(hash);
    const latents = picture.latents().map(hash);
    picture.free();
    return { samples, levels, latents };
  }
  async function invalid(kind, name) {
    try {
      decoders[kind].open(await bytes(`/tests/golden/invalid/${name}`)).free();
      return null;
    } catch (error) {
      return error.name;
    }
  }
  // A file that comes in pieces -> what is known after each.
  async function arriving(path, pieces) {
    const data = await bytes(path);
    const opening = decoders.simd128.begin();
    const known = [];
    for (let piece = 0; piece < pieces; piece++) {
      const [from, to] = [piece, piece + 1].map((at) => Math.floor((at * data.length) / pieces));
      opening.feed(data.subarray(from, to));
      while (opening.advance()) {}
      const latents = opening.picture?.grids.map(({ address, rows, columns }) =>
        address ? hash(opening.loops.int32(address, rows * columns).slice()) : null);
      known.push(latents ?? null);
    }
    const picture = opening.finish();
    const samples = hash(picture.sample(picture.header.width, picture.header.height));
    picture.free();
    return { known, samples };
  }
  // Crops of a file -> whether each is the same when nothing but what it needs is decoded.
  async function parts(name, cases) {
    const data = await bytes(`/tests/golden/valid/${name}`);
    const whole = decoders.simd128.open(data);
    const found = cases.map(([width, height, crop]) => {
      const part = decoders.simd128.open(data, { width, height, crop });
      const known = part.latents().reduce((sum, grid) => sum + grid.filter(Boolean).length, 0);
      const [mine, theirs] = [part, whole].map((each) => hash(each.sample(width, height, crop)));
      part.free();
      return { isSame: mine === theirs, known };
    });
    const all = whole.latents().reduce((sum, grid) => sum + grid.filter(Boolean).length, 0);
    whole.free();
    return { found, all };
  }
  return { valid, invalid, arriving, parts, decoders, bytes, hasVectors, hash };
})();
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    if CHROMIUM is None:
        pytest.skip("needs Chromium")
    with served_project() as address, browser(tmp_path_factory.mktemp("chromium")) as running:
        page = running.page(f"{address}/")
        page.wait_for(f"location.origin === {json.dumps(address)} && document.readyState")
        page.evaluate(SCRIPT + "window.web.then(() => true)")
        yield page
        assert page.complaints() == []


def cases_of(name: str) -> list[tuple[int, int, list[int] | None]]:
    """Golden file -> sizes and crops to decode it at: its own, larger, and a part of it."""
    info = sirencodec.read_info(VALID / name)
    width, height = info.width, info.height
    asked: list[tuple[int, int, list[int] | None]] = [
        (width, height, None),
        (3 * width, 2 * height, None),
    ]
    if min(width, height) >= 4:
        asked.append((24, 20, [1, 1, width - 2, height - 2]))
    return asked


def ask(page: Page, function: str, *arguments: Any) -> Any:
    """Function of the page's script and its arguments -> its value."""
    given = ", ".join(json.dumps(each) for each in arguments)
    return page.evaluate(f"window.web.then((web) => web.{function}({given}))")


def decoded(path: Path, width: int, height: int, crop: Any = None) -> int:
    """File and size -> checksum of the samples of the compiled decoder."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = sirencodec.decode(path, width=width, height=height, crop=crop)
    return zlib.crc32(image.samples.tobytes())


@pytest.mark.parametrize("kind", ["simd128", "plain"])
def test_samples_are_those_of_the_compiled_decoder(page: Page, kind: str) -> None:
    """To the last bit, with vectors and without."""
    for path in sorted(VALID.glob("*.siren")):
        asked = cases_of(path.name)
        found = ask(page, "valid", kind, path.name, asked)
        assert found["samples"] == [decoded(path, *case) for case in asked], path.name
        integers = open_stored(path.read_bytes()).decode()
        assert found["levels"] == [checksum(each) for each in integers.weights.levels], path.name
        assert found["latents"] == [checksum(each) for each in integers.latents], path.name


def checksum(integers: Any) -> int:
    """Integers -> CRC-32 of them as little-endian numbers of 32 bits."""
    return zlib.crc32(integers.astype("<i4").tobytes())


@pytest.mark.parametrize("kind", ["simd128", "plain"])
def test_damage_is_found_as_in_python(page: Page, kind: str) -> None:
    assert page.evaluate("window.web.then((web) => web.hasVectors())")
    errors = {name: entry["error"] for name, entry in MANIFEST["invalid"].items()} | ERRORS_SINCE
    for name, entry in MANIFEST["invalid"].items():
        if entry["number"] in METADATA_NUMBERS:
            errors[name] = None
    assert {name: ask(page, "invalid", kind, name) for name in errors} == errors


@pytest.fixture(scope="module")
def large_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of 1600 x 1500 pixels, which is served."""
    small = (VALID / "pyramid-shipped.siren").read_bytes()
    stored = open_stored(small)
    architecture = stored.header.architecture
    generator = np.random.default_rng(7)
    latents = tuple(
        generator.laplace(0, 1.5, grid_shape(1600, 1500, exponent)).round().astype(np.int32)
        for exponent in architecture.grids
    )
    payload = old_payload(replace(stored.decode(), latents=latents), architecture)
    parts = replace(take_apart(small), width=1600, height=1500, payload=payload)
    path = tmp_path_factory.mktemp("large") / "large.siren"
    path.write_bytes(join(parts))
    ProjectFiles.made[f"/{path.name}"] = path.read_bytes()
    return path


@pytest.mark.parametrize("size", [(200, 190), (100, 64), (25, 24)])
def test_reduced_pictures_are_those_of_the_compiled_decoder(
    page: Page, large_file: Path, size: tuple[int, int]
) -> None:
    """Which are asked in an octave, of grids 1/4 and coarser."""
    script = f"""window.web.then(async (web) => {{
      const picture = web.decoders.simd128.open(await web.bytes("/{large_file.name}"));
      const hash = web.hash(picture.sample({size[0]}, {size[1]}));
      picture.free();
      return hash;
    }})"""
    assert page.evaluate(script) == decoded(large_file, *size)


def test_what_arrives_is_shown_as_soon_as_it_is_known(page: Page) -> None:
    """Coarse grids first, and never one that later turns out to be another."""
    path = VALID / "pyramid-large.siren"
    found = ask(page, "arriving", f"/tests/golden/valid/{path.name}", 40)
    latents = [checksum(each) for each in open_stored(path.read_bytes()).decode().latents]
    known = [each for each in found["known"] if each is not None]
    assert known[-1] == latents
    numbers = [sum(grid is not None for grid in each) for each in known]
    assert len(set(numbers)) > 2, numbers
    assert numbers == sorted(numbers)
    for each in known:
        finest = each.count(None)
        assert each == [None] * finest + latents[finest:]
    assert found["samples"] == decoded(path, *sirencodec.decode(path).samples.shape[1::-1])


def test_a_part_is_decoded_from_what_it_needs(page: Page) -> None:
    """To the last bit, of few segments where the file has several."""
    generator, least = random.Random(5), 1.0
    for path in sorted(VALID.glob("1-pyramid*.siren")) + sorted(VALID.glob("1-tiles*.siren")):
        info = sirencodec.read_info(path)
        asked = []
        for _ in range(6):
            left, top = generator.randrange(info.width), generator.randrange(info.height)
            across = generator.randint(1, min(40, info.width - left))
            down = generator.randint(1, min(40, info.height - top))
            size = [generator.randint(1, 2 * side) for side in (across, down)]
            asked.append([*size, [left, top, across, down]])
        found = ask(page, "parts", path.name, asked)
        assert all(each["isSame"] for each in found["found"]), path.name
        least = min([least, *(each["known"] / max(1, found["all"]) for each in found["found"])])
    assert least < 0.7


def test_a_file_that_ends_early_is_said_to(page: Page) -> None:
    text = json.dumps(base64.b64encode((VALID / "pyramid-rgb.siren").read_bytes()).decode())
    script = f"""window.web.then((web) => {{
      const data = Uint8Array.from(atob({text}), (c) => c.charCodeAt());
      const kinds = new Set();
      for (let end = 5; end < data.length; end += 97) {{
        try {{ web.decoders.simd128.open(data.subarray(0, end)); kinds.add("none"); }}
        catch (error) {{ kinds.add(error.name); }}
      }}
      return [...kinds];
    }})"""
    assert page.evaluate(script) == ["TruncatedError"]


def test_the_prior_is_the_one_that_is_shipped() -> None:
    assert (WEB / "dist" / "prior-1.bin").read_bytes() == prior_bytes(1)


def test_it_is_small() -> None:
    """Compressed, as servers send it: less than 150 kB with the prior, the page and its workers."""
    parts = ("src/*.js", "src/fzstd/*.js", "page/*.js", "page/*.css", "*.html", "dist/*128.wasm")
    files = [file for part in parts for file in WEB.glob(part)]
    files.append(WEB / "dist" / "prior-1.bin")
    assert sum(len(zlib.compress(path.read_bytes(), 9)) for path in files) < 150_000


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_it_runs_outside_of_browsers(tmp_path: Path) -> None:
    script = tmp_path / "decode.mjs"
    script.write_text(
        f"""import fs from "node:fs";
import {{ Decoder }} from {json.dumps((WEB / "src" / "index.js").as_uri())};
const read = (path) => new Uint8Array(fs.readFileSync(path));
const dist = {json.dumps(str(WEB / "dist"))};
const decoder = await Decoder.create(
  read(`${{dist}}/siren-simd128.wasm`), read(`${{dist}}/prior-1.bin`));
const picture = decoder.open(read({json.dumps(str(VALID / "photograph.siren"))}));
const {{ width, height }} = picture.header;
process.stdout.write(Buffer.from(picture.sample(width, height)));
"""
    )
    done = subprocess.run(["node", str(script)], capture_output=True, check=True)
    assert done.stdout == sirencodec.decode(VALID / "photograph.siren").samples.tobytes()
