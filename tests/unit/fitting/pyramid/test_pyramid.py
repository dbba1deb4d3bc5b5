"""Files of the pyramid profile, from the image and back at any size."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
import pytest

import sirencodec
from sirencodec.bitstream.container import parse_container
from sirencodec.config import EncodeConfig
from sirencodec.encoder import encode_image
from sirencodec.errors import LimitError, TargetWarning
from sirencodec.image.image import Image
from sirencodec.image.metadata import Metadata
from sirencodec.image.quality import psnr_db
from sirencodec.limits import Limits
from sirencodec.synthesis.coordinates import image_coordinates
from tests.pictures import make_clouds
from tests.quick import quick_settings

pytestmark = pytest.mark.usefixtures("one_thread")
WIDTH, HEIGHT = 150, 70
CROPS = [(0, 0, 150, 70), (3, 5, 20, 11), (120, 60, 30, 10), (10.25, 3.5, 30.5, 20)]
SIZES = [{}, {"width": 64}, {"width": 401}, {"width": 9, "height": 200}, {"crop": (127, 3, 5, 60)}]


def encode(picture: Image | npt.NDArray[np.unsignedinteger], **options: object) -> bytes:
    """A pyramid in a second, as effort 0 makes one fit."""
    image = picture if isinstance(picture, Image) else Image.from_array(picture)
    config = EncodeConfig(**{"profile": "pyramid", "effort": 0, "device": "cpu"} | options)
    return encode_image(image, config, settings=quick_settings()).data


def decode(data: bytes, **wishes: object) -> npt.NDArray[np.int64]:
    """Samples that can be subtracted."""
    options = {"device": "cpu"} | wishes
    return sirencodec.decode(data, **options).samples.astype(np.int64)


def assert_within_a_level(ours: npt.NDArray[np.int64], expected: npt.NDArray[np.int64]) -> None:
    """And for the most part not even one."""
    difference = np.abs(ours - expected)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.01


# The file --------------------------------------------------------------------------------------


def test_what_a_file_says_of_itself(pyramid_file: bytes) -> None:
    info = sirencodec.read_info(pyramid_file)
    assert (info.width, info.height, info.mode, info.profile) == (WIDTH, HEIGHT, "RGB", "pyramid")
    assert parse_container(pyramid_file).header.architecture.grids == tuple(range(7))
    assert psnr_db(make_clouds(WIDTH, HEIGHT), sirencodec.decode(pyramid_file).samples) > 20


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:600 bytes are not filled")  # by so quick a fit
def test_auto_takes_the_pyramid_for_large_files() -> None:
    settings = quick_settings(smallest_bytes=600)
    image = Image.from_array(make_clouds(30, 20))
    for size_bytes, expected in ((600, True), (599, False)):
        config = EncodeConfig(device="cpu", size_bytes=size_bytes, effort=0)
        data = encode_image(image, config, settings=settings).data
        assert bool(parse_container(data).header.architecture.grids) == expected


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_modes_are_kept(channels: int, dtype: type[np.unsignedinteger]) -> None:
    samples = make_clouds(33, 18, channels).astype(dtype) * (np.iinfo(dtype).max // 255)
    data = encode(samples, quality=90)
    decoded = sirencodec.decode(data, device="cpu").samples
    assert decoded.dtype == dtype
    assert decoded.shape == samples.shape
    flat = np.broadcast_to(samples.mean((0, 1)), samples.shape).astype(dtype)
    assert psnr_db(samples, decoded) > psnr_db(samples, flat) + 1


def test_metadata_is_kept() -> None:
    metadata = Metadata(xmp=b"<x:xmpmeta/>")
    image = Image(make_clouds(20, 12), metadata)
    data = encode(image)
    assert sirencodec.decode(data).metadata == metadata
    stripped = encode(image, strip=True)
    assert not sirencodec.decode(stripped).metadata
    assert len(stripped) < len(data)


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, second, other = (
        encode(make_clouds(33, 18), seed=seed, psnr_db=25) for seed in (3, 3, 4)
    )
    assert first == second
    assert first != other


def test_a_size_is_not_exceeded() -> None:
    with warnings.catch_warnings(action="ignore", category=TargetWarning):
        data = encode(make_clouds(64, 48), size_bytes=800)
    assert len(data) <= 800


@pytest.mark.parametrize("profile", ["pure", "pyramid"])
@pytest.mark.parametrize("target", [{"size_bytes": 40}, {"psnr_db": 90.0}], ids=str)
def test_a_target_out_of_reach_is_said(target: dict[str, float], profile: str) -> None:
    """To whom it concerns: the line that asked."""
    picture = make_clouds(20, 12)
    with pytest.warns(TargetWarning, match="out of reach; the file has") as caught:
        sirencodec.encode(picture, profile=profile, effort=0, device="cpu", **target)
    assert {warning.filename for warning in caught} == {__file__}


# Sizes and crops -------------------------------------------------------------------------------


@pytest.mark.parametrize("wishes", SIZES, ids=str)
def test_single_precision_is_within_a_level(pyramid_file: bytes, wishes: dict[str, object]) -> None:
    single, double = (decode(pyramid_file, exact=exact, **wishes) for exact in (False, True))
    assert_within_a_level(single, double)


@pytest.mark.parametrize("crop", CROPS, ids=str)
def test_a_crop_is_part_of_the_whole(
    pyramid_file: bytes, crop: tuple[float, float, float, float]
) -> None:
    whole = decode(pyramid_file, scale=4, exact=True)
    part = decode(pyramid_file, crop=crop, scale=4, exact=True)
    left, top, across, down = (int(4 * value) for value in crop)
    assert_within_a_level(part, whole[top : top + down, left : left + across])


def test_shrinking_averages_the_stored_pixels(pyramid_file: bytes) -> None:
    """Which are in turn clipped to what samples can be: hence the level."""
    whole = decode(pyramid_file, exact=True)
    half = decode(pyramid_file, width=75, exact=True)
    cells = whole.reshape(35, 2, 75, 2, 3).mean((1, 3))
    inside = (whole.reshape(35, 2, 75, 2, 3) % 255 > 0).all((1, 3))
    assert np.abs(half - cells)[inside].max() <= 1


def test_enlarging_leaves_the_stored_pixels_where_they_are(pyramid_file: bytes) -> None:
    """The middle of three pixels is a stored one's centre."""
    assert_within_a_level(
        decode(pyramid_file, scale=3, exact=True)[1::3, 1::3], decode(pyramid_file, exact=True)
    )


def test_enlarging_invents_nothing(pyramid_file: bytes) -> None:
    """Between the pixels the function stays near them: never an unforeseen wave."""
    large = decode(pyramid_file, scale=4, exact=True)
    stored = decode(pyramid_file, exact=True).repeat(4, 0).repeat(4, 1)
    neighbours = np.pad(stored, ((8, 8), (8, 8), (0, 0)), mode="edge")
    shifted = np.stack(
        [neighbours[r : r + 280, c : c + 600] for r in (0, 4, 8, 12, 16) for c in (0, 4, 8, 12, 16)]
    )
    lowest, highest = shifted.min(0), shifted.max(0)
    room = 0.3 * (highest - lowest) + 3
    assert (large >= lowest - room).all()
    assert (large <= highest + room).all()


# The function ----------------------------------------------------------------------------------


def test_the_function_at_pixel_centres_is_the_decode(pyramid_file: bytes) -> None:
    function = sirencodec.open(pyramid_file, exact=True, device="cpu")
    values = function(image_coordinates(WIDTH, HEIGHT)).reshape(HEIGHT, WIDTH, 3)
    expected = np.floor(values.clip(0, 1) * 255 + 0.5).astype(np.int64)
    assert_within_a_level(decode(pyramid_file, exact=True), expected)
    assert_within_a_level(function.sample().samples.astype(np.int64), expected)


def test_gradient_is_that_of_finite_differences(pyramid_file: bytes) -> None:
    function = sirencodec.open(pyramid_file, exact=True, device="cpu")
    coordinates = np.random.default_rng(0).uniform(-0.99, 0.99, (6, 10, 2))
    step = 1e-6
    offsets = [np.array(offset) for offset in ([step, 0], [0, step])]
    around = np.stack([coordinates + s * offset for offset in offsets for s in (1, -1)])
    values = function(around)
    expected = np.stack([values[0] - values[1], values[2] - values[3]], -1) / (2 * step)
    np.testing.assert_allclose(function.gradient(coordinates), expected, rtol=1e-4, atol=1e-4)


def test_beyond_the_image_only_coordinates_go_on(pyramid_file: bytes) -> None:
    """Features stay at what they are at the edge, so nothing blows up."""
    function = sirencodec.open(pyramid_file, exact=True, device="cpu")
    values = function([[1.0, 0.3], [1.0001, 0.3], [3.0, -7.0]])
    assert np.isfinite(values).all()
    np.testing.assert_allclose(values[0], values[1], atol=0.01)


# Limits ----------------------------------------------------------------------------------------


def test_limits_count_latents(pyramid_file: bytes) -> None:
    architecture = parse_container(pyramid_file).header.architecture
    needed = architecture.num_latents(WIDTH, HEIGHT)
    assert sirencodec.decode(pyramid_file, limits=Limits(max_latents=needed)).width == WIDTH
    with pytest.raises(LimitError, match="latents"):
        sirencodec.decode(pyramid_file, limits=Limits(max_latents=needed - 1))


def test_limits_count_the_work_of_latents(pyramid_file: bytes) -> None:
    """However small the output."""
    latents = parse_container(pyramid_file).header.architecture.num_latents(WIDTH, HEIGHT)
    with pytest.raises(LimitError, match="multiply adds"):
        sirencodec.decode(
            pyramid_file, crop=(0, 0, 1, 1), limits=Limits(max_multiply_adds=100 * latents)
        )


# CUDA ------------------------------------------------------------------------------------------


@pytest.mark.gpu
@pytest.mark.parametrize("wishes", SIZES, ids=str)
def test_cuda_decodes_the_same(pyramid_file: bytes, wishes: dict[str, object]) -> None:
    cpu, cuda = (decode(pyramid_file, device=device, **wishes) for device in ("cpu", "cuda"))
    assert_within_a_level(cuda, cpu)


@pytest.mark.gpu
def test_what_cuda_encodes_is_the_same_everywhere() -> None:
    picture = make_clouds(64, 48)
    with warnings.catch_warnings(action="ignore", category=TargetWarning):
        data = encode(picture, bpp=1.5, device="cuda")
    assert_within_a_level(decode(data, device="cuda"), decode(data, device="cpu"))
    assert psnr_db(picture, sirencodec.decode(data, device="cpu").samples) > 18


@pytest.mark.gpu
def test_the_function_moves_to_cuda_and_back(pyramid_file: bytes) -> None:
    function = sirencodec.open(pyramid_file, device="cpu", exact=True)
    coordinates = np.random.default_rng(0).uniform(-1, 1, (100, 2))
    values, gradient = function(coordinates), function.gradient(coordinates)
    function.to("cuda")
    np.testing.assert_allclose(function(coordinates), values, atol=1e-9)
    np.testing.assert_allclose(function.gradient(coordinates), gradient, atol=1e-7)
