"""A picture's size and kind -> ``info.json`` of the IIIF Image API 3.0, section 5."""

from typing import Final

from sirencodec.serve.iiif import SizeLimits

CONTEXT: Final = "http://iiif.io/api/image/3/context.json"
PROFILE: Final = "http://iiif.io/api/image/3/level2.json"
TILE_PIXELS: Final = 512  # a side; 256 takes four times the requests for a third of the time each
SMALLEST_PIXELS: Final = 64  # of the longer side: below, another size saves nobody anything

# What of the API goes beyond level 2.
_FEATURES: Final = (
    "canonicalLinkHeader",
    "mirroring",
    "profileLinkHeader",
    "rotationArbitrary",
    "sizeUpscaling",
)


def describe_image(
    identifier_url: str,
    width: int,
    height: int,
    limits: SizeLimits,
    *,
    is_colour: bool,
    has_alpha: bool,
) -> dict[str, object]:
    """Address of a picture, its size and kind -> what ``info.json`` says.

    Args:
        identifier_url: the URL that the parts of a request follow.
        width: of the upright picture, in pixels.
        height: of it, too.
        limits: of an answer's size.
        is_colour: whether gray is another picture.
        has_alpha: whether the format that viewers prefer must hold transparency.
    """
    factors = _scale_factors(width, height)
    return {
        "@context": CONTEXT,
        "id": identifier_url,
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level2",
        "width": width,
        "height": height,
        "maxWidth": limits.max_side,
        "maxHeight": limits.max_side,
        "maxArea": limits.max_area,
        "sizes": [
            {"width": -(-width // factor), "height": -(-height // factor)}
            for factor in reversed(factors)
            if -(-width // factor) * -(-height // factor) <= limits.max_area
        ],
        "tiles": [{"width": TILE_PIXELS, "height": TILE_PIXELS, "scaleFactors": factors}],
        "preferredFormats": ["webp" if has_alpha else "jpg"],
        "extraFormats": ["webp"],
        "extraQualities": ["color", "gray"] if is_colour else ["gray"],
        "extraFeatures": list(_FEATURES),
    }


def _scale_factors(width: int, height: int) -> list[int]:
    """Size -> 1, 2, 4 ... until the picture is small."""
    factors = [1]
    while max(width, height) // (2 * factors[-1]) >= SMALLEST_PIXELS:
        factors.append(2 * factors[-1])
    return factors
