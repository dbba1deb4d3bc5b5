"""Golden files: what was written is read for ever, what was refused is refused for ever.

Two decoders, the package's and the reference decoder's, must agree on every one of them.
"""

from __future__ import annotations

import hashlib
import io
import json
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

import sirencodec
from sirencodec import errors
from sirencodec.bitstream.container import parse_container, write_container
from sirencodec.entropy import prediction, range_decoder_native
from sirencodec.entropy.payload import QuantizedPicture, encode_payload
from sirencodec.entropy.stored import open_stored
from sirencodec.synthesis import samples as painting
from tests import reference_decoder
from tests.golden.make import readme, sha256
from tests.paths import GOLDEN
from tests.reference_decoder import File, Invalid, evaluate, samples, values
from tests.threads import torch_threads

MANIFEST = json.loads((GOLDEN / "manifest.json").read_text())
VALID = sorted(MANIFEST["valid"])
INVALID = sorted(MANIFEST["invalid"])
PYRAMIDS = [name for name in VALID if "latents_sha256" in MANIFEST["valid"][name]]
NATURAL = ["photograph.siren", "rgba-16.siren", "rgb.siren", *PYRAMIDS]

CONTAINER_RULES = {
    *range(1, 11),
    *range(18, 22),
    26,
    27,
    28,
    30,
    31,
}  # found without payload or metadata
METADATA_RULES = {16, 17}  # the picture can be read all the same

# What was refused under one rule may be refused under another since: flag 4 means a pyramid now,
# and there is a version 1, whose streams are of bytes.
RULES_SINCE = {"03-flag-4.siren": 19, "02-version-1.siren": 15}
ERRORS_SINCE = {"02-version-1.siren": "CorruptError"}


def rule(name: str) -> int:
    """Invalid file -> number of the rule that it breaks."""
    return RULES_SINCE.get(name, MANIFEST["invalid"][name]["number"])


def error_of(name: str) -> type[errors.FormatError]:
    """Invalid file -> what reading it raises."""
    named: type[errors.FormatError] = getattr(
        errors, ERRORS_SINCE.get(name, MANIFEST["invalid"][name]["error"])
    )
    return named


@lru_cache
def parse(data: bytes) -> File:
    """By the reference decoder, each file once."""
    return reference_decoder.parse(data)


def valid_bytes(name: str) -> bytes:
    return (GOLDEN / "valid" / name).read_bytes()


def invalid_bytes(name: str) -> bytes:
    return (GOLDEN / "invalid" / name).read_bytes()


def expected_picture(name: str) -> npt.NDArray[Any]:
    """The picture stored beside a valid file, as integers (height, width, channels)."""
    file = parse(valid_bytes(name))
    data = (GOLDEN / "valid" / MANIFEST["valid"][name]["picture"]).read_bytes()
    shape = (file.height, file.width, file.channels)
    if file.bits == 16:
        return np.frombuffer(data, "<u2").reshape(shape).astype(int)
    with PIL.Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture).reshape(shape).astype(int)


def package_picture(data: bytes) -> QuantizedPicture:
    return open_stored(data).decode()


def assert_within_one_level(picture: sirencodec.Image, expected: npt.NDArray[Any]) -> None:
    """One level of 8 bits, which is 257 of 16; the document says 256."""
    assert picture.samples.shape == expected.shape
    tolerance = 1 if picture.bit_depth == 8 else 256
    assert np.abs(picture.samples.astype(int) - expected).max() <= tolerance


# Valid files -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", VALID)
def test_integers_by_both_decoders(name: str) -> None:
    entry = MANIFEST["valid"][name]
    file, picture = parse(valid_bytes(name)), package_picture(valid_bytes(name))
    assert sha256(file.levels) == sha256(picture.weights.levels) == entry["levels_sha256"]
    assert tuple(file.step_indices) == picture.weights.step_indices
    nothing = sha256([])
    expected = entry.get("latents_sha256", nothing)
    assert sha256(file.latents) == sha256(picture.latents) == expected


@pytest.mark.parametrize("name", VALID)
@pytest.mark.parametrize("exact", [False, True], ids=["float32", "float64"])
def test_pixels(name: str, exact: bool) -> None:
    picture = sirencodec.decode(valid_bytes(name), exact=exact, device="cpu")
    assert_within_one_level(picture, expected_picture(name))


@pytest.mark.parametrize("name", VALID)
def test_stored_picture_is_the_reference_decoders(name: str) -> None:
    assert np.abs(samples(parse(valid_bytes(name))) - expected_picture(name)).max() <= 1


@pytest.mark.parametrize("name", [name for name in VALID if name.startswith("1-")])
def test_writing_what_was_decoded_gives_the_file(name: str) -> None:
    """But for zeros that are written out, which only golden files have."""
    container = parse_container(valid_bytes(name))
    header, tiling = container.header, container.tiling
    payload = encode_payload(package_picture(valid_bytes(name)), header.architecture, tiling)
    rewritten = write_container(header, payload, container.metadata)
    assert (rewritten == valid_bytes(name)) == (name != "1-pyramid-zeros.siren")


@pytest.mark.parametrize("name", VALID)
def test_info_agrees(name: str) -> None:
    data = valid_bytes(name)
    info, file = sirencodec.read_info(data), parse(data)
    assert (info.width, info.height, info.bit_depth) == (file.width, file.height, file.bits)
    assert info.mode.removesuffix(";16") == ("L", "LA", "RGB", "RGBA")[file.channels - 1]
    assert info.hidden_features == file.hidden_features
    assert info.hidden_layers == file.hidden_layers
    assert info.omega_0 == file.omega_0
    network = file.levels[: file.hidden_layers + 2]
    assert info.num_parameters == sum(matrix.size for matrix in network)
    assert info.file_bytes == len(data)
    assert info.bpp == 8 * len(data) / (file.width * file.height)
    assert (info.metadata_bytes > 0) == (file.metadata is not None)
    assert info.format_version == data[4]
    strides = [stride for group in info.segments for stride in group.grids]
    assert sorted(strides) == ([2**k for k in file.exponents] if info.format_version else [])
    matrices = len(parse_container(data).matrices)
    assert info.payload_bytes == matrices + sum(group.num_bytes for group in info.segments)


@pytest.mark.parametrize("name", VALID)
def test_metadata(name: str) -> None:
    """The package drops the marker before EXIF; the reference decoder gives what it finds."""
    picture, reference = sirencodec.decode(valid_bytes(name)), parse(valid_bytes(name)).metadata
    for field in ("icc_profile", "exif", "xmp"):
        expected = MANIFEST["valid"][name]["metadata_sha256"].get(field)
        found = getattr(reference, field, None)
        assert (found and hashlib.sha256(found).hexdigest()) == expected
        unmarked = found.removeprefix(b"Exif\0\0") if found else None
        assert getattr(picture.metadata, field) == unmarked
    assert not sirencodec.decode(valid_bytes(name), strip=True).metadata


@pytest.mark.parametrize("name", NATURAL)
@pytest.mark.parametrize("size", [(3, 2), (7, 31), (64, 5)], ids=str)
def test_other_sizes(name: str, size: tuple[int, int]) -> None:
    """Shrunk along one axis or both, or enlarged."""
    width, height = size
    picture = sirencodec.decode(valid_bytes(name), width=width, height=height, device="cpu")
    assert_within_one_level(picture, samples(parse(valid_bytes(name)), size))


@pytest.mark.parametrize("name", NATURAL)
@pytest.mark.parametrize("size", [(5, 3), (1, 1), (11, 40)], ids=str)
def test_crops(name: str, size: tuple[int, int]) -> None:
    file = parse(valid_bytes(name))
    crop = (file.width / 8, file.height / 4, file.width / 2, file.height * 0.75)
    expected = values(file, size, tuple(map(Fraction, crop)))
    peak = 2**file.bits - 1
    picture = sirencodec.decode(
        valid_bytes(name), crop=crop, width=size[0], height=size[1], device="cpu"
    )
    assert_within_one_level(picture, np.floor(peak * np.clip(expected, 0, 1) + 0.5))


@pytest.mark.parametrize("name", NATURAL)
def test_function(name: str) -> None:
    function, file = sirencodec.open(valid_bytes(name), exact=True), parse(valid_bytes(name))
    x = (2 * np.arange(file.width) + 1) / file.width - 1
    y = (2 * np.arange(file.height) + 1) / file.height - 1
    computed = function(np.stack(np.broadcast_arrays(x, y[:, None]), -1))
    np.testing.assert_allclose(computed, values(file), rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", NATURAL)
def test_function_anywhere(name: str) -> None:
    """Between the pixels, at and beyond the edges of the image; derivatives too."""
    function, file = sirencodec.open(valid_bytes(name), exact=True), parse(valid_bytes(name))
    generator = np.random.default_rng(len(name))
    points = generator.uniform(-1.3, 1.3, (200, 2))
    points[:5] = [[-1, -1], [1, 1], [-1, 1], [0, 0], [3, -20]]
    expected = evaluate(file, *points.T)
    np.testing.assert_allclose(function(points), expected, rtol=0, atol=1e-8)
    inside = points[np.abs(points).max(1) < 0.999]
    step = 1e-6 * np.eye(2)
    slopes = [
        (evaluate(file, *(inside + move).T) - evaluate(file, *(inside - move).T)) / 2e-6
        for move in step
    ]
    computed = function.gradient(inside)
    scale = 1 + np.abs(computed).max()
    np.testing.assert_allclose(computed / scale, np.stack(slopes, -1) / scale, atol=1e-4)


@pytest.mark.filterwarnings("ignore:sirencodec was installed without")
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("compiled", [True, False])
def test_threads_and_loops(threads: int, compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same integers always, and by NumPy the same samples as by compiled loops."""
    if not compiled:
        monkeypatch.setattr(prediction, "phase_predictors", tuple)
        monkeypatch.setattr(range_decoder_native, "stream_loops", lambda: None)
        monkeypatch.setattr(painting, "single_painters", tuple)
    for name in ("photograph.siren", "deep.siren", "rgba-16.siren", "pyramid-rgb.siren"):
        with torch_threads(threads):
            integers, entry = package_picture(valid_bytes(name)), MANIFEST["valid"][name]
            assert sha256(integers.weights.levels) == entry["levels_sha256"]
            assert sha256(integers.latents) == entry.get("latents_sha256", sha256([]))
            picture = sirencodec.decode(valid_bytes(name), device="cpu")
        assert_within_one_level(picture, expected_picture(name))


@pytest.mark.gpu
@pytest.mark.parametrize("name", VALID)
@pytest.mark.parametrize("exact", [False, True], ids=["float32", "float64"])
def test_cuda(name: str, exact: bool) -> None:
    picture = sirencodec.decode(valid_bytes(name), exact=exact, device="cuda")
    assert_within_one_level(picture, expected_picture(name))


# Invalid files ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", INVALID)
def test_refused_by_the_package(name: str) -> None:
    with pytest.raises(errors.FormatError) as raised:
        sirencodec.decode(invalid_bytes(name))
    assert type(raised.value) is error_of(name)
    with pytest.raises(errors.FormatError) as raised:
        sirencodec.open(invalid_bytes(name)).sample()
    assert type(raised.value) is error_of(name)


@pytest.mark.parametrize("name", INVALID)
def test_refused_by_the_reference_decoder(name: str) -> None:
    with pytest.raises(Invalid) as raised:
        parse(invalid_bytes(name))
    assert MANIFEST["invalid"][name]["number"] == int(name[:2])
    assert raised.value.number == rule(name)


@pytest.mark.parametrize("name", INVALID)
def test_info_refuses_what_it_sees(name: str) -> None:
    if rule(name) not in CONTAINER_RULES:
        assert sirencodec.read_info(invalid_bytes(name)).width == 4
        return
    with pytest.raises(errors.FormatError) as raised:
        sirencodec.read_info(invalid_bytes(name))
    assert type(raised.value) is error_of(name)


@pytest.mark.parametrize(
    "name", [name for name in INVALID if MANIFEST["invalid"][name]["number"] in METADATA_RULES]
)
def test_damaged_metadata_does_not_cost_the_picture(name: str) -> None:
    with pytest.warns(errors.SirenCodecWarning, match="colours and orientation are as stored"):
        picture = sirencodec.decode(invalid_bytes(name), strip=True)
    assert_within_one_level(picture, expected_picture("gray-4x4.siren"))
    assert samples(reference_decoder.parse(invalid_bytes(name), want_metadata=False)).shape == (
        4,
        4,
        1,
    )


# The collection itself -------------------------------------------------------------------------


def test_every_file_is_in_the_manifest() -> None:
    pictures = {entry["picture"] for entry in MANIFEST["valid"].values()}
    assert {path.name for path in (GOLDEN / "valid").iterdir()} == {*VALID, *pictures}
    assert {path.name for path in (GOLDEN / "invalid").iterdir()} == set(INVALID)


def test_readme_is_of_this_manifest() -> None:
    assert (GOLDEN / "README.md").read_text() == readme(MANIFEST)
