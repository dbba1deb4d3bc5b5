from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

import sirencodec
from sirencodec.limits import Limits
from sirencodec.serve.iiif import SizeLimits, parse_image_request, plan_image
from sirencodec.serve.render import render
from sirencodec.serve.stored import StoredFile, read_stored
from tests.paths import VALID, golden
from tests.pictures import make_exif, make_gradient

LIMITS = SizeLimits(1000, 10**6)
PROFILE = b"colours of a camera" * 10


def shown(data: bytes, url: str) -> PIL.Image.Image:
    """File and the end of a URL -> what comes back."""
    stored = read_stored(data, Limits())
    plan = plan_image(
        parse_image_request(*url.split("/")), *stored.size, LIMITS, is_colour=stored.is_colour
    )
    function = sirencodec.open(stored.data, device="cpu")
    return PIL.Image.open(io.BytesIO(render(function, stored, plan)))


def encode(picture: PIL.Image.Image) -> bytes:
    """A file of so many bytes takes one fit."""
    return sirencodec.encode(
        picture, size_bytes=1_000, profile="pure", effort=0, seed=0, device="cpu"
    )


def pixels(pil: PIL.Image.Image) -> npt.NDArray[np.uint8]:
    return np.asarray(pil)


def test_it_is_what_decode_gives() -> None:
    data = golden("pyramid-rgb")
    whole = sirencodec.decode(data, device="cpu").samples
    np.testing.assert_array_equal(pixels(shown(data, "full/max/0/default.png")), whole)
    part = sirencodec.decode(data, crop=(3, 2, 8, 5), width=64, height=40, device="cpu").samples
    np.testing.assert_array_equal(pixels(shown(data, "3,2,8,5/^64,40/0/default.png")), part)


@pytest.mark.parametrize(
    ("rotation", "turned"),
    [
        ("90", lambda samples: np.rot90(samples, -1)),
        ("180", lambda samples: samples[::-1, ::-1]),
        ("270", lambda samples: np.rot90(samples)),
        ("!0", lambda samples: samples[:, ::-1]),
        ("!90", lambda samples: np.rot90(samples[:, ::-1], -1)),
    ],
)
def test_quarter_turns_lose_nothing(rotation: str, turned: object) -> None:
    data = golden("pyramid-rgb")
    upright = pixels(shown(data, "full/max/0/default.png"))
    np.testing.assert_array_equal(
        pixels(shown(data, f"full/max/{rotation}/default.png")), turned(upright)
    )


@pytest.mark.parametrize(("image_format", "corner"), [("png", 0), ("webp", 0), ("jpg", None)])
def test_other_turns_show_all_of_it_on_nothing(image_format: str, corner: int | None) -> None:
    turned = shown(golden("pyramid-rgb"), f"full/^600,400/30/default.{image_format}")
    assert turned.size == (720, 646)
    if corner is None:
        assert max(turned.getpixel((0, 0))) < 20  # black, as JPEG has no transparency
    else:
        assert turned.getpixel((0, 0))[3] == corner
        assert turned.getpixel((360, 323))[3] == 255


def test_gray() -> None:
    colour = shown(golden("pyramid-rgb"), "full/max/0/default.png")
    gray = shown(golden("pyramid-rgb"), "full/max/0/gray.png")
    assert gray.mode == "L"
    np.testing.assert_array_equal(pixels(gray), pixels(colour.convert("L")))
    assert shown(golden("pyramid-rgba-16"), "full/max/0/gray.png").mode == "LA"


@pytest.mark.parametrize("name", ["gray-16", "gray-alpha-16", "gray-alpha", "pyramid-rgba-16"])
@pytest.mark.parametrize("image_format", ["jpg", "png", "webp"])
def test_every_mode_fits_every_format(name: str, image_format: str) -> None:
    info = sirencodec.read_info(golden(name))
    image = shown(golden(name), f"full/^!90,90/0/default.{image_format}")
    assert max(image.size) == 90
    assert image.has_transparency_data == (info.mode.endswith("A") and image_format != "jpg")


def test_pictures_come_upright_and_without_the_tag() -> None:
    stored = make_gradient()
    stored.info["exif"] = make_exif()  # turned by a quarter
    data = encode(stored)
    turned = shown(data, "full/max/0/default.png")
    assert turned.size == (stored.height, stored.width)
    assert not turned.getexif()
    decoded = sirencodec.decode(data, device="cpu").samples
    np.testing.assert_array_equal(pixels(turned), np.rot90(decoded, -1))
    np.testing.assert_array_equal(
        pixels(shown(data, "2,3,4,5/max/0/default.png")), np.rot90(decoded, -1)[3:8, 2:6]
    )


@pytest.fixture(scope="module")
def with_profile() -> bytes:
    picture = make_gradient()
    picture.info["icc_profile"] = PROFILE
    return encode(picture)


@pytest.mark.parametrize("image_format", ["jpg", "png", "webp"])
def test_colours_keep_their_meaning(with_profile: bytes, image_format: str) -> None:
    assert shown(with_profile, f"full/max/0/default.{image_format}").info["icc_profile"] == PROFILE
    assert "icc_profile" not in shown(with_profile, f"full/max/0/gray.{image_format}").info


def test_damaged_metadata_does_not_cost_the_picture(with_profile: bytes) -> None:
    damaged = with_profile[:-1] + bytes([with_profile[-1] ^ 1])
    with pytest.raises(sirencodec.CorruptError):
        sirencodec.decode(damaged)
    assert shown(damaged, "full/max/0/default.png").size == make_gradient().size


def test_etags_differ_where_files_do() -> None:
    """Also where all end in their checksum, or share all that follows it."""
    files = [path.read_bytes() for path in sorted(VALID.glob("*.siren"))]
    tags = [read_stored(data, Limits(max_multiply_adds=2**60)).etag for data in files]
    assert len(set(tags)) == len(files)
    stored: StoredFile = read_stored(files[0], Limits())
    assert stored.etag == tags[0]
