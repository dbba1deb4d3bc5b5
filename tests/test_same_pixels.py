"""A decode gives the same samples everywhere: golden hashes, by every way there is to compute them.

`tests/golden/samples.json` is append-only: what a released decoder made of a file stays.
"""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
import torch

import sirencodec
from sirencodec.entropy.stored import open_stored
from sirencodec.image.samples import Samples
from sirencodec.image.samples_hash import samples_hash
from sirencodec.native import threads
from sirencodec.native.picture import single_painters
from sirencodec.synthesis.picture import to_picture
from sirencodec.synthesis.query_native import paint_native
from sirencodec.synthesis.query_numpy import paint_numpy
from sirencodec.synthesis.region import choose_region
from tests.paths import GOLDEN, VALID
from tests.threads import torch_threads

HASHES: dict[str, dict[str, str]] = json.loads((GOLDEN / "samples.json").read_text())
NAMES = sorted(HASHES)
SOME = ["pyramid-rgb.siren", "photograph.siren"]
# Others are extremes, whose float32 is far from float64 by whatever way.
NATURAL = [*SOME, "rgb.siren", "rgba-16.siren", "pyramid-large.siren", "pyramid-half.siren"]


def sizes(name: str) -> dict[str, dict[str, object]]:
    info = sirencodec.read_info(VALID / name)
    return {
        "stored": {},
        "150 wide": {"width": 150},
        "two thirds": {"width": max(1, 2 * info.width // 3)},
        "crop": {"crop": (0.25, 0.5, info.width - 0.25, info.height - 0.5), "width": 70},
    }


def hashes(name: str, decode: Callable[[str, dict[str, object]], Samples]) -> dict[str, str]:
    return {title: samples_hash(decode(name, size)) for title, size in sizes(name).items()}


def by_default(name: str, size: dict[str, object]) -> Samples:
    return sirencodec.decode(VALID / name, device="cpu", strip=False, **size).samples


def by(paint: Callable[..., None]) -> Callable[[str, dict[str, object]], Samples]:
    def decode(name: str, size: dict[str, object]) -> Samples:
        stored = open_stored((VALID / name).read_bytes())
        header = stored.header
        region = choose_region(header, **size)  # type: ignore[arg-type]  # a size is one
        dtype = np.uint8 if header.bit_depth == 8 else np.uint16
        filled = np.zeros((region.height, region.width, header.architecture.channels), dtype)
        picture = to_picture(stored.decode(), header).reduced(region.octave)
        paint(picture, region, filled, np.float32)
        return filled

    return decode


@pytest.mark.parametrize("name", NAMES)
def test_samples_are_those_of_the_golden_hashes(name: str) -> None:
    assert hashes(name, by_default) == HASHES[name]


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("name", NAMES)
def test_every_instruction_set(name: str, number: int) -> None:
    if number >= len(single_painters()):
        pytest.skip("not on this processor")
    painter = single_painters()[number]
    assert hashes(name, by(lambda *told: paint_native(painter, *told))) == HASHES[name]


@pytest.mark.parametrize("name", NAMES)
def test_numpy(name: str) -> None:
    assert hashes(name, by(paint_numpy)) == HASHES[name]


@pytest.mark.parametrize("points", [1, 5, 64])
@pytest.mark.parametrize("name", SOME)
def test_tiles(name: str, points: int) -> None:
    assert hashes(name, by(partial(paint_numpy, tile_points=points))) == HASHES[name]


@pytest.mark.parametrize("count", [1, 2, 3, 7])
@pytest.mark.parametrize("name", SOME)
def test_threads(name: str, count: int) -> None:
    with torch_threads(count):
        assert threads.thread_count() == count
        assert hashes(name, by_default) == HASHES[name]
        assert torch.get_num_threads() == count


def test_many_threads_at_once() -> None:
    with torch_threads(3), ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: hashes(SOME[0], by_default), range(16)))
    assert found == [HASHES[SOME[0]]] * 16


def _in_the_child(queue: multiprocessing.Queue[dict[str, str]]) -> None:
    queue.put(hashes(SOME[0], by_default))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process")
def test_after_a_fork() -> None:
    assert hashes(SOME[0], by_default) == HASHES[SOME[0]]
    context = multiprocessing.get_context("fork")
    queue: multiprocessing.Queue[dict[str, str]] = context.Queue()
    child = context.Process(target=_in_the_child, args=(queue,))
    child.start()
    found = queue.get(timeout=60)
    child.join()
    assert found == HASHES[SOME[0]]


@pytest.mark.parametrize("name", NATURAL)
def test_torch_is_within_a_level(name: str) -> None:
    """By the way that a GPU takes, here on a CPU."""
    for size in sizes(name).values():
        ours = by_default(name, size).astype(int)
        other = sirencodec.decode(VALID / name, device="cpu:0", **size).samples.astype(int)
        tolerance = 1 if sirencodec.read_info(VALID / name).bit_depth == 8 else 257
        assert np.abs(ours - other).max() <= tolerance
