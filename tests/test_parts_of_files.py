"""Crops read what they need, and are the crops of the whole; cut files give what they can."""

from __future__ import annotations

import io
import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
import torch
from PIL import ImageFile

import sirencodec
from sirencodec.bitstream.architecture import grid_shape
from sirencodec.bitstream.container import Container, parse_container, write_container
from sirencodec.bitstream.header import Header
from sirencodec.bitstream.tiling import Tiling
from sirencodec.decoder import BAND_PIXELS
from sirencodec.entropy import range_decoder_native
from sirencodec.entropy.payload import QuantizedPicture, encode_payload
from sirencodec.entropy.stored import open_stored
from sirencodec.errors import CorruptError, LimitError, SirenCodecWarning, TruncatedError
from sirencodec.limits import Limits
from sirencodec.native.threads import thread_count
from tests.broken_files import join, take_apart
from tests.command import ok, run
from tests.paths import VALID
from tests.threads import torch_threads

WIDTH, HEIGHT = 610, 420


def enlarged(seed: int = 0) -> tuple[QuantizedPicture, Header]:
    """The network of a golden file, above a larger pyramid, whose latents fall off with detail."""
    stored = open_stored((VALID / "1-pyramid-shipped.siren").read_bytes())
    header = Header(WIDTH, HEIGHT, 8, stored.header.architecture)
    generator = np.random.default_rng(seed)
    latents = tuple(
        generator.laplace(0, 0.15 * 2**exponent, grid_shape(WIDTH, HEIGHT, exponent))
        .round()
        .astype(np.int32)
        for exponent in header.architecture.grids
    )
    return QuantizedPicture(stored.decode().weights, latents), header


@pytest.fixture(scope="module")
def data() -> bytes:
    """A file of many tiles, grids 3 and 4 sharing a segment."""
    picture, header = enlarged()
    payload = encode_payload(picture, header.architecture, Tiling(6, 3))
    return write_container(header, payload)


@pytest.fixture(scope="module")
def container(data: bytes) -> Container:
    return parse_container(data)


class Counting(io.BytesIO):
    """A file that counts the bytes read from it."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.taken += len(data)
        return data


# Crops -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_random_crops_are_crops_of_the_whole(data: bytes, seed: int) -> None:
    """Bit by bit, each decoded from the file alone."""
    generator = np.random.default_rng(seed)
    whole = sirencodec.decode(data).samples
    x, y = int(generator.integers(0, WIDTH - 1)), int(generator.integers(0, HEIGHT - 1))
    if seed < 4:  # at the edges
        x, y = (0, WIDTH - 3)[seed % 2], (0, HEIGHT - 3)[seed // 2]
    width = int(generator.integers(1, min(90, WIDTH - x) + 1))
    height = int(generator.integers(1, min(90, HEIGHT - y) + 1))
    crop = sirencodec.decode(data, crop=(x, y, width, height)).samples
    np.testing.assert_array_equal(crop, whole[y : y + height, x : x + width])


@pytest.mark.parametrize("factor", [0.25, 0.6, 3])
@pytest.mark.parametrize("box", [(0, 0, 40, 40), (131.25, 90.5, 64.0, 33.0), (570, 380, 40, 40)])
def test_crops_at_other_sizes_need_no_other_latents(
    data: bytes, box: tuple[float, float, float, float], factor: float
) -> None:
    size = {"width": round(box[2] * factor), "height": round(box[3] * factor)}
    everything = sirencodec.open(data)
    everything.sample()  # so all latents are there
    alone = sirencodec.decode(data, crop=box, **size)
    np.testing.assert_array_equal(alone.samples, everything.sample(**size, crop=box).samples)


def test_crops_one_after_the_other(data: bytes) -> None:
    """A function keeps what it has decoded."""
    function, whole = sirencodec.open(data), sirencodec.decode(data).samples
    for x, y in ((500, 300), (0, 0), (480, 310), (200, 200)):
        crop = function.sample(crop=(x, y, 60, 50)).samples
        np.testing.assert_array_equal(crop, whole[y : y + 50, x : x + 60])
    np.testing.assert_array_equal(function.sample().samples, whole)


def test_a_crop_reads_part_of_the_bytes(data: bytes, container: Container) -> None:
    file = Counting(data)
    function = sirencodec.open(file)
    head = file.taken
    assert head < max(2 * container.segments_start, 4100)
    crop = function.sample(crop=(300, 200, 32, 32)).samples
    assert file.taken < len(data) / 2
    np.testing.assert_array_equal(crop, sirencodec.decode(data).samples[200:232, 300:332])
    before = file.taken
    function.sample(crop=(301, 201, 20, 20))
    assert file.taken == before, "it has been read"
    function.sample()
    assert file.taken <= len(data) + head


def test_a_crop_of_a_path_looks_at_nothing_else(tmp_path: Path, data: bytes) -> None:
    """Damage elsewhere is none of its business."""
    path = tmp_path / "damaged.siren"
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))  # the last tile, at the bottom right
    crop = sirencodec.decode(path, crop=(10, 10, 30, 20)).samples
    np.testing.assert_array_equal(crop, sirencodec.decode(data).samples[10:30, 10:40])
    with pytest.raises(CorruptError, match="segment"):
        sirencodec.decode(path)
    with pytest.raises(CorruptError, match="segment"):
        sirencodec.read_info(path)


def test_a_file_that_changes_is_not_mixed_with_another(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "changing.siren"
    path.write_bytes(data)
    function = sirencodec.open(path)
    path.write_bytes(data + b"\0")
    with pytest.raises(CorruptError, match="changed"):
        function.sample(crop=(0, 0, 9, 9))


def test_a_stream_that_cannot_seek_is_read_whole(data: bytes) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: Any) -> int:
            raise OSError("a pipe")

    found = sirencodec.decode(Pipe(data), crop=(5, 5, 9, 9)).samples
    np.testing.assert_array_equal(found, sirencodec.decode(data, crop=(5, 5, 9, 9)).samples)


def test_limits_count_what_is_decoded(data: bytes) -> None:
    few = Limits(max_multiply_adds=2**28)
    assert sirencodec.decode(data, crop=(0, 0, 20, 20), limits=few).width == 20
    with pytest.raises(LimitError, match="multiply"):
        sirencodec.decode(data, limits=few)


# Threads ---------------------------------------------------------------------------------------


def decode_on_three_threads(data: bytes) -> npt.NDArray[Any]:
    assert thread_count() == 3
    return sirencodec.decode(data).samples


def test_many_decodes_of_several_threads_at_once(data: bytes) -> None:
    """Beside somebody's own setting of PyTorch's threads, and each shared among three."""
    with torch_threads(1):
        alone = sirencodec.decode(data).samples
    with torch_threads(3), ThreadPoolExecutor(5) as pool:
        for found in pool.map(decode_on_three_threads, [data] * 10):
            np.testing.assert_array_equal(found, alone)
        assert torch.get_num_threads() == 3


def test_one_function_asked_by_many_threads(data: bytes) -> None:
    whole, function = sirencodec.decode(data).samples, sirencodec.open(data)

    def sample(x: int) -> npt.NDArray[Any]:
        return function.sample(crop=(x, 7 * x % 300, 50, 60)).samples

    with torch_threads(3), ThreadPoolExecutor(5) as pool:
        for x, found in zip(range(0, 550, 37), pool.map(sample, range(0, 550, 37)), strict=True):
            np.testing.assert_array_equal(found, whole[7 * x % 300 :][:60, x : x + 50])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process")
def test_children_decode_on_several_threads(data: bytes) -> None:
    """After their parent did, also while another of its threads does."""
    context = multiprocessing.get_context("fork")
    with torch_threads(3), ThreadPoolExecutor(1) as pool, context.Pool(2) as children:
        meanwhile = pool.submit(decode_on_three_threads, data)
        found = children.map(decode_on_three_threads, [data] * 4)
        for each in found:
            np.testing.assert_array_equal(each, meanwhile.result())


# Files that were cut off -----------------------------------------------------------------------


def psnr(samples: npt.NDArray[Any], wanted: npt.NDArray[Any]) -> float:
    error = np.square(samples.astype(float) - wanted).mean()
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


@pytest.fixture(scope="module")
def photograph() -> bytes:
    """A picture whose grids are what a fit makes of them, in seven segments and more."""
    with PIL.Image.open(Path(__file__).parents[1] / "docs" / "images" / "chelsea.png") as image:
        small = image.convert("RGB").resize((150, 100), PIL.Image.Resampling.BOX)
    data = sirencodec.encode(small, bpp=1.5, effort=0, profile="pyramid", device="cpu")
    stored = open_stored(data)
    architecture = stored.header.architecture
    return write_container(
        stored.header, encode_payload(stored.decode(), architecture, Tiling(6, 6))
    )


def decode_cut(data: bytes, size: int) -> npt.NDArray[Any]:
    with pytest.warns(SirenCodecWarning, match="segments"):
        return sirencodec.decode(data[:size], partial=True).samples


def test_every_segment_makes_it_better(photograph: bytes) -> None:
    whole, found = sirencodec.decode(photograph).samples, parse_container(photograph)
    ends = [found.segments_start + end for end in found.table.starts]
    qualities = [psnr(decode_cut(photograph, end), whole) for end in ends[:-1]]
    # The coarsest grids say next to nothing before there is anything to add it to: 0.02 dB each.
    assert all(after > before - 0.03 for before, after in pairwise(qualities))
    assert qualities[-1] > qualities[0] + 8
    with pytest.raises(TruncatedError):
        sirencodec.decode(photograph[:-1])


def test_a_segment_that_is_cut_gives_what_it_has(photograph: bytes) -> None:
    whole, found = sirencodec.decode(photograph).samples, parse_container(photograph)
    start, end = (found.segments_start + found.table.starts[number] for number in (3, 4))
    before = psnr(decode_cut(photograph, start), whole)
    halfway = psnr(decode_cut(photograph, (start + end) // 2), whole)
    assert before < halfway < psnr(decode_cut(photograph, end), whole)


def test_numpy_takes_as_much_from_a_cut_file(
    photograph: bytes, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As compiled loops do, wherever it ends."""
    sizes = [(photograph, size) for size in range(len(photograph) - 1, 0, -len(photograph) // 12)]
    sizes += [(photograph, len(photograph) - back) for back in range(2, 12)]
    cuts = [file[:size] for file, size in [*sizes, (data, len(data) // 3)]]
    cuts = [cut for cut in cuts if len(cut) > parse_container(photograph).segments_start]
    compiled = [decode_cut(cut, len(cut)) for cut in cuts]
    monkeypatch.setattr(range_decoder_native, "stream_loops", lambda: None)
    for cut, wanted in zip(cuts, compiled, strict=True):
        np.testing.assert_array_equal(decode_cut(cut, len(cut)), wanted)


def test_any_cut_is_a_picture_or_an_error(photograph: bytes) -> None:
    start = parse_container(photograph).segments_start
    for size in (*range(0, start, 37), start - 1):
        with pytest.raises(sirencodec.FormatError):
            sirencodec.decode(photograph[:size], partial=True)
    for size in range(start, len(photograph), 211):
        assert decode_cut(photograph, size).shape == (100, 150, 3)


def test_a_damaged_segment_counts_as_missing(data: bytes, container: Container) -> None:
    """It and what builds on it, but nothing else."""
    damaged = bytearray(data)
    damaged[-1] ^= 1  # the last tile of the finest grid, at the bottom right
    with pytest.warns(SirenCodecWarning, match="1 of the segments"):
        found = sirencodec.decode(bytes(damaged), partial=True).samples
    whole = sirencodec.decode(data).samples
    assert np.array_equal(found[:300, :400], whole[:300, :400])
    assert not np.array_equal(found, whole)
    first = bytearray(data)
    first[container.segments_start] ^= 1  # what all others build on
    with pytest.warns(SirenCodecWarning, match=f"{len(container.table)} of the segments"):
        sirencodec.decode(bytes(first), partial=True)


def test_nothing_is_missing_from_a_sound_file(data: bytes) -> None:
    """Nor is there a warning, which would be an error here."""
    found = sirencodec.decode(data, partial=True).samples
    np.testing.assert_array_equal(found, sirencodec.decode(data).samples)


def test_metadata_that_was_cut_off_is_left_out() -> None:
    data = (VALID / "1-pyramid-metadata.siren").read_bytes()
    assert sirencodec.decode(data).metadata.xmp
    image = sirencodec.decode(data[:-3], partial=True)
    assert image.metadata.xmp is None
    np.testing.assert_array_equal(image.samples, sirencodec.decode(data).samples)


def test_pillow_loads_what_there_is(photograph: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    cut = photograph[: len(photograph) // 2]
    with pytest.raises(OSError, match="ends early"):
        PIL.Image.open(io.BytesIO(cut))
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    with PIL.Image.open(io.BytesIO(cut)) as image:
        with pytest.warns(SirenCodecWarning, match="segments"):
            image.load()
        np.testing.assert_array_equal(np.asarray(image), decode_cut(cut, len(cut)))


def test_pillow_reads_what_it_needs(data: bytes) -> None:
    file = Counting(data)
    with PIL.Image.open(file) as image:
        assert file.taken < 4200
        image.thumbnail((40, 40))
        assert image.size == (40, 28)
    whole = Counting(data)
    with PIL.Image.open(whole) as image:
        image.load()
        found = np.asarray(image)
    assert file.taken <= whole.taken < 1.2 * len(data) + 8400
    np.testing.assert_array_equal(found, sirencodec.decode(data).samples)


def test_pillow_paints_in_bands() -> None:
    """A picture larger than a band, of a network alone."""
    parts = take_apart((VALID / "1-gray-4x4.siren").read_bytes())
    file = join(replace(parts, width=2100, height=2 * BAND_PIXELS // 2100 + 5))
    with PIL.Image.open(io.BytesIO(file)) as image:
        np.testing.assert_array_equal(np.asarray(image)[..., None], sirencodec.decode(file).samples)


def test_the_command_decodes_what_there_is(photograph: bytes, tmp_path: Path) -> None:
    path = tmp_path / "cut.siren"
    path.write_bytes(photograph[: len(photograph) // 2])
    refused = run("decode", path)
    assert refused.exit_code == 1
    assert "ends early" in refused.output
    assert "--partial" in refused.output
    assert "segments" in ok("decode", path, "--partial", "--width", "60").output
    with PIL.Image.open(tmp_path / "cut.png") as image:
        assert image.size == (60, 40)
