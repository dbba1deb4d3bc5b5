from __future__ import annotations

import pytest

from sirencodec.serve.iiif import ImagePlan, SizeLimits, parse_image_request, plan_image
from sirencodec.serve.refusal import RefusalError

LIMITS = SizeLimits(2000, 10**6)


def plan(
    region: str = "full",
    size: str = "max",
    rotation: str = "0",
    name: str = "default.jpg",
    *,
    width: int = 300,
    height: int = 200,
    is_colour: bool = True,
) -> ImagePlan:
    request = parse_image_request(region, size, rotation, name)
    return plan_image(request, width, height, LIMITS, is_colour=is_colour)


@pytest.mark.parametrize(
    ("region", "crop"),
    [
        ("full", (0, 0, 300, 200)),
        ("square", (50, 0, 200, 200)),
        ("125,15,120,140", (125, 15, 120, 140)),
        ("pct:41.6,7.5,40,70", (125, 15, 120, 140)),  # both from the API's page
        ("pct:50,50,100,100", (150, 100, 150, 100)),
        ("290,190,100,100", (290, 190, 10, 10)),
        ("0,0,999999999,1", (0, 0, 300, 1)),
    ],
)
def test_region(region: str, crop: tuple[int, ...]) -> None:
    assert plan(region).crop == crop


@pytest.mark.parametrize(
    ("size", "expected"),
    [  # The first ones are the examples of the API's page, whose picture is 300 x 200.
        ("150,", (150, 100)),
        (",150", (225, 150)),
        ("^360,", (360, 240)),
        ("^,240", (360, 240)),
        ("pct:50", (150, 100)),
        ("^pct:120", (360, 240)),
        ("225,100", (225, 100)),
        ("^360,360", (360, 360)),
        ("!225,100", (150, 100)),
        ("^!360,360", (360, 240)),
        ("max", (300, 200)),
        ("^max", (1224, 816)),  # a million pixels
        ("!900,900", (300, 200)),  # as large as possible, but not larger than the region
        ("^!2000,2000", (1224, 816)),
        ("1,", (1, 1)),
    ],
)
def test_size(size: str, expected: tuple[int, int]) -> None:
    planned = plan(size=size)
    assert (planned.width, planned.height) == expected


@pytest.mark.parametrize(
    "parts",
    [
        ("", "max", "0", "default.jpg"),
        ("1,2,3", "max", "0", "default.jpg"),
        ("-1,0,5,5", "max", "0", "default.jpg"),
        ("0,0,0,5", "max", "0", "default.jpg"),
        ("300,0,5,5", "max", "0", "default.jpg"),
        ("1.5,0,5,5", "max", "0", "default.jpg"),
        ("pct:1,1,1", "max", "0", "default.jpg"),
        ("pct:0,0,0.001,1", "max", "0", "default.jpg"),
        ("pct:1e9,0,1,1", "max", "0", "default.jpg"),
        ("0,0,99999999999999999999,1", "max", "0", "default.jpg"),
        ("\u0661,0,5,5", "max", "0", "default.jpg"),
        ("full", "full", "0", "default.jpg"),
        ("full", "", "0", "default.jpg"),
        ("full", ",", "0", "default.jpg"),
        ("full", "0,", "0", "default.jpg"),
        ("full", "301,", "0", "default.jpg"),
        ("full", ",201", "0", "default.jpg"),
        ("full", "300,201", "0", "default.jpg"),
        ("full", "pct:101", "0", "default.jpg"),
        ("full", "pct:0", "0", "default.jpg"),
        ("full", "pct:0.01", "0", "default.jpg"),
        ("full", "^^10,", "0", "default.jpg"),
        ("full", "!10", "0", "default.jpg"),
        ("full", "^2001,10", "0", "default.jpg"),
        ("full", "^2000,2000", "0", "default.jpg"),
        ("full", "max", "361", "default.jpg"),
        ("full", "max", "-1", "default.jpg"),
        ("full", "max", "1e2", "default.jpg"),
        ("full", "max", "!!0", "default.jpg"),
        ("full", "max", "nan", "default.jpg"),
        ("full", "max", "0", "default"),
        ("full", "max", "0", "default.tif"),
        ("full", "max", "0", "bitonal.jpg"),
        ("full", "max", "0", ".jpg"),
        ("full\n", "max", "0", "default.jpg"),
    ],
)
def test_what_makes_no_sense_is_refused(parts: tuple[str, str, str, str]) -> None:
    with pytest.raises(RefusalError) as refusal:
        plan(*parts)
    assert refusal.value.status == 400


def test_turning_a_thin_strip_does_not_exceed_the_limit() -> None:
    assert plan(size="^2000,10", rotation="90").height == 10
    with pytest.raises(RefusalError, match="rotated"):
        plan(size="^2000,10", rotation="45")


@pytest.mark.parametrize(
    ("parts", "canonical"),
    [
        (("full", "max", "0", "default.jpg"), "full/max/0/default.jpg"),
        (("0,0,300,200", "300,", "0", "color.png"), "full/max/0/default.png"),
        (("pct:0,0,100,100", "^max", "360", "default.jpg"), "full/^max/0/default.jpg"),
        (("square", "100,", "!22.50", "gray.webp"), "50,0,200,200/100,100/!22.5/gray.webp"),
        (("0,0,10,10", "^!80,90", "0090.0", "default.jpg"), "0,0,10,10/^80,80/90/default.jpg"),
        (("0,0,10,10", "^5,", "100", "default.jpg"), "0,0,10,10/5,5/100/default.jpg"),
    ],
)
def test_canonical_form(parts: tuple[str, str, str, str], canonical: str) -> None:
    planned = plan(*parts)
    assert planned.canonical == canonical
    assert plan(*canonical.split("/")) == planned


def test_a_gray_picture_has_one_quality() -> None:
    forms = {
        plan(name=f"{quality}.jpg", is_colour=False) for quality in ("default", "color", "gray")
    }
    assert len(forms) == 1
