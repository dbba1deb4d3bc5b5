"""Path of a URL -> what it asks for, of the IIIF Image API 3.0 (https://iiif.io/api/image/3.0/).

Pure functions of strings and numbers; section numbers below are those of that page.
"""

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal, cast, get_args

from sirencodec.serve.refusal import RefusalError

RegionKind = Literal["full", "square", "pixels", "percent"]
SizeKind = Literal["max", "width", "height", "percent", "exact", "within"]
Quality = Literal["default", "color", "gray"]
ImageFormat = Literal["jpg", "png", "webp"]
Box = tuple[int, int, int, int]  # left, top, width, height in pixels

_INTEGER: Final = r"(\d{1,9})"  # nine digits are beyond every side, and multiply without effort
_NUMBER: Final = r"(\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})"  # 4.7: digits and a point alone
_PIXELS: Final = re.compile(",".join([_INTEGER] * 4), re.ASCII)
_PERCENT: Final = re.compile("pct:" + ",".join([_NUMBER] * 4), re.ASCII)
_SIZES: Final[tuple[tuple[SizeKind, re.Pattern[str]], ...]] = (
    ("width", re.compile(f"{_INTEGER},", re.ASCII)),
    ("height", re.compile(f",{_INTEGER}", re.ASCII)),
    ("exact", re.compile(f"{_INTEGER},{_INTEGER}", re.ASCII)),
    ("within", re.compile(f"!{_INTEGER},{_INTEGER}", re.ASCII)),
    ("percent", re.compile(f"pct:{_NUMBER}", re.ASCII)),
)
_ROTATION: Final = re.compile(f"(!?){_NUMBER}", re.ASCII)
_FULL_TURN: Final = 360
_ROTATED_AREA: Final = 2  # a square turned by 45 degrees has twice its area about it


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """What a URL asks for, whatever the picture.

    Attributes:
        region: kind of region, with ``box`` for pixels and percent.
        box: left, top, width, height in pixels or percent.
        size: kind of size, with ``sides`` or ``percent`` where it has them.
        sides: width and height, 0 for one that follows from the other.
        percent: of the region's sides.
        upscaled: whether the size began with ``^``: it may exceed the region's.
        mirrored: whether to reflect left and right, before the rotation.
        degrees: clockwise, from 0 up to but without 360.
        quality, image_format: of the answer.
    """

    region: RegionKind
    box: tuple[Fraction, ...]
    size: SizeKind
    sides: tuple[int, int]
    percent: Fraction
    upscaled: bool
    mirrored: bool
    degrees: Decimal
    quality: Quality
    image_format: ImageFormat


@dataclass(frozen=True, slots=True)
class SizeLimits:
    """The largest answer, in pixels before rotation; ``info.json`` says so, too."""

    max_side: int
    max_area: int


@dataclass(frozen=True, slots=True)
class ImagePlan:
    """A request, applied to a picture.

    Attributes:
        crop: what of the picture to show.
        width, height: size to show it at.
        mirrored, degrees: what to do with it then.
        is_gray: whether colour is left out at last.
        image_format: of the answer.
        canonical: the four last parts of the URL in their one canonical form (4.8).
    """

    crop: Box
    width: int
    height: int
    mirrored: bool
    degrees: Decimal
    is_gray: bool
    image_format: ImageFormat
    canonical: str


def parse_image_request(region: str, size: str, rotation: str, name: str) -> ImageRequest:
    """The four last parts of an image's URL, percent-decoded -> what they ask for.

    Raises:
        RefusalError: 400, if one of them is not of the API's syntax, or of a kind not offered.
    """
    region_kind, box = _parse_region(region)
    size_kind, sides, percent = _parse_size(size.removeprefix("^"))
    mirrored, degrees = _parse_rotation(rotation)
    quality, _, image_format = name.rpartition(".")
    if quality not in get_args(Quality):
        raise RefusalError(400, f"quality {quality!r} is not default, color or gray")
    if image_format not in get_args(ImageFormat):
        raise RefusalError(400, f"format {image_format!r} is not jpg, png or webp")
    return ImageRequest(
        region_kind,
        box,
        size_kind,
        sides,
        percent,
        size.startswith("^"),
        mirrored,
        degrees,
        cast(Quality, quality),
        cast(ImageFormat, image_format),
    )


def _parse_region(text: str) -> tuple[RegionKind, tuple[Fraction, ...]]:
    """Region (4.1) -> kind and box."""
    if text == "full" or text == "square":
        return cast(RegionKind, text), ()
    if found := _PIXELS.fullmatch(text):
        return "pixels", tuple(map(Fraction, found.groups()))
    if found := _PERCENT.fullmatch(text):
        return "percent", tuple(map(Fraction, found.groups()))
    raise RefusalError(400, f"region {text!r} is not full, square, x,y,w,h or pct:x,y,w,h")


def _parse_size(text: str) -> tuple[SizeKind, tuple[int, int], Fraction]:
    """Size (4.2) without its ``^`` -> kind, width and height, percent."""
    if text == "max":
        return "max", (0, 0), Fraction(0)
    for kind, pattern in _SIZES:
        if found := pattern.fullmatch(text):
            numbers = [Fraction(group) for group in found.groups()]
            if not all(numbers):
                raise RefusalError(400, f"size {text!r} has no pixels")
            if kind == "percent":
                return kind, (0, 0), numbers[0]
            first, last = int(numbers[0]), int(numbers[-1])
            return (
                kind,
                (0 if kind == "height" else first, 0 if kind == "width" else last),
                numbers[0],
            )
    raise RefusalError(400, f"size {text!r} is not max, w, or ,h or w,h or !w,h or pct:n")


def _parse_rotation(text: str) -> tuple[bool, Decimal]:
    """Rotation (4.3) -> whether to mirror, and degrees."""
    found = _ROTATION.fullmatch(text)
    if found is None or Decimal(found[2]) > _FULL_TURN:
        raise RefusalError(400, f"rotation {text!r} is not 0 to 360 degrees, with ! or without")
    return bool(found[1]), Decimal(found[2]) % _FULL_TURN


def plan_image(
    request: ImageRequest, width: int, height: int, limits: SizeLimits, *, is_colour: bool
) -> ImagePlan:
    """What is asked for and the picture's size -> what to compute.

    Raises:
        RefusalError: 400, if that leaves the picture or the limits.
    """
    crop = _choose_crop(request, width, height)
    across, down = _choose_size(request, crop, limits)
    if request.degrees % 90:
        turned = rotated_size(across, down, float(request.degrees))
        if turned[0] * turned[1] > _ROTATED_AREA * limits.max_area:
            raise RefusalError(400, f"{turned[0]} x {turned[1]} rotated pixels exceed the limit")
    is_gray = is_colour and request.quality == "gray"
    canonical = "/".join(
        (
            "full" if crop == (0, 0, width, height) else ",".join(map(str, crop)),
            _canonical_size(crop, across, down, limits),
            ("!" if request.mirrored else "") + _plain(request.degrees),
            f"{'gray' if is_gray else 'default'}.{request.image_format}",
        )
    )
    return ImagePlan(
        crop,
        across,
        down,
        request.mirrored,
        request.degrees,
        is_gray,
        request.image_format,
        canonical,
    )


def rotated_size(width: int, height: int, degrees: float) -> tuple[int, int]:
    """Sides and angle -> sides of the upright box about the turned rectangle."""
    cos, sin = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
    return round(width * cos + height * sin), round(width * sin + height * cos)


def _choose_crop(request: ImageRequest, width: int, height: int) -> Box:
    """Region asked for -> the same in pixels, cut at the picture's edges."""
    if request.region == "full":
        return 0, 0, width, height
    if request.region == "square":  # the middle: the API leaves the place to the server
        side = min(width, height)
        return (width - side) // 2, (height - side) // 2, side, side
    units = (width, height) if request.region == "percent" else (100, 100)
    left, across = (round(side * units[0] / 100) for side in request.box[::2])
    top, down = (round(side * units[1] / 100) for side in request.box[1::2])
    right, bottom = min(width, left + across), min(height, top + down)
    if not (left < right and top < bottom):
        raise RefusalError(400, f"the region has no pixels of the picture, {width} x {height}")
    return left, top, right - left, bottom - top


def _choose_size(request: ImageRequest, crop: Box, limits: SizeLimits) -> tuple[int, int]:
    """Size asked for -> output width and height."""
    across, down = crop[2:]
    if request.size in ("max", "within"):
        return _largest_size(request, across, down, limits)
    width, height = request.sides
    if request.size == "percent":
        width = round(across * request.percent / 100)
        height = round(down * request.percent / 100)
        if not (width and height):
            raise RefusalError(400, f"{float(request.percent)} % of {across} x {down} is nothing")
    width = width or max(1, round(Fraction(across * height, down)))
    height = height or max(1, round(Fraction(down * width, across)))
    if not request.upscaled and (width > across or height > down):
        raise RefusalError(
            400, f"{width} x {height} pixels exceed the region's {across} x {down}; ^ allows that"
        )
    if max(width, height) > limits.max_side or width * height > limits.max_area:
        raise RefusalError(
            400,
            f"{width} x {height} pixels exceed the limits: {limits.max_side} a side, "
            f"{limits.max_area} in all",
        )
    return width, height


def _largest_size(
    request: ImageRequest, across: int, down: int, limits: SizeLimits
) -> tuple[int, int]:
    """``max`` or ``!w,h`` -> the largest size of the region's shape that all bounds allow."""
    limit = Fraction(math.isqrt(limits.max_area * 10**12 // (across * down)), 10**6)  # of a root
    factors = [limit, Fraction(limits.max_side, max(across, down))]
    if request.size == "within":
        factors += [Fraction(request.sides[0], across), Fraction(request.sides[1], down)]
    if not request.upscaled:
        factors.append(Fraction(1))
    factor = min(factors)
    whole = math.floor if factor == limit else round  # to round up might exceed the area
    return max(1, whole(across * factor)), max(1, whole(down * factor))


def _canonical_size(crop: Box, width: int, height: int, limits: SizeLimits) -> str:
    """Output size -> its canonical form (4.8)."""
    across, down = crop[2:]
    for upscaled in (False, True):
        largest = ImageRequest(
            "full", (), "max", (0, 0), Fraction(0), upscaled, False, Decimal(0), "default", "jpg"
        )
        if (width, height) == _largest_size(largest, across, down, limits):
            return "^max" if upscaled else "max"
    return f"{'^' if width > across or height > down else ''}{width},{height}"


def _plain(degrees: Decimal) -> str:
    """Degrees -> digits, without an exponent or trailing zeros (4.7)."""
    text = format(degrees, "f")
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text
