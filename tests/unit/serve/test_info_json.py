import itertools

from sirencodec.serve.iiif import SizeLimits, parse_image_request, plan_image
from sirencodec.serve.info_json import describe_image

LIMITS = SizeLimits(4000, 10**6)


def facts(**changes: bool) -> dict[str, object]:
    kinds = {"is_colour": True, "has_alpha": False} | changes
    return describe_image("http://example.org/iiif/a", 3001, 2003, LIMITS, **kinds)


def test_every_tile_that_is_told_of_can_be_had() -> None:
    """As viewers ask for them: regions of the tile's side times the scale, cut at the edges."""
    (tiles,) = facts()["tiles"]
    for factor in tiles["scaleFactors"]:
        side = tiles["width"] * factor
        for left, top in itertools.product(range(0, 3001, side), range(0, 2003, side)):
            across, down = min(side, 3001 - left), min(side, 2003 - top)
            size = f"{-(-across // factor)},{-(-down // factor)}"
            request = parse_image_request(f"{left},{top},{across},{down}", size, "0", "default.jpg")
            plan_image(request, 3001, 2003, LIMITS, is_colour=True)


def test_every_size_that_is_told_of_can_be_had() -> None:
    sizes = facts()["sizes"]
    assert sizes
    for size in sizes:
        wanted = f"{size['width']},{size['height']}"
        request = parse_image_request("full", wanted, "0", "default.jpg")
        plan = plan_image(request, 3001, 2003, LIMITS, is_colour=True)
        assert (plan.width, plan.height) == (size["width"], size["height"])


def test_qualities_and_formats_follow_the_kind_of_picture() -> None:
    assert facts()["extraQualities"] == ["color", "gray"]
    assert facts(is_colour=False)["extraQualities"] == ["gray"]
    assert facts()["preferredFormats"] == ["jpg"]
    assert facts(has_alpha=True)["preferredFormats"] == ["webp"]  # jpg would lose it
