"""Function and plan -> image file."""

from io import BytesIO
from typing import TYPE_CHECKING, Final, Protocol

import PIL.Image

from sirencodec.image.formats import fit_samples
from sirencodec.image.samples import CHANNEL_MODES
from sirencodec.serve.iiif import ImageFormat, ImagePlan, rotated_size
from sirencodec.serve.orientation import stored_box, turn_upright, upright_size
from sirencodec.serve.stored import StoredFile

if TYPE_CHECKING:
    from sirencodec.image.image import Image
    from sirencodec.synthesis.region import Crop

MEDIA_TYPES: Final[dict[ImageFormat, str]] = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
}
# Tiles are looked at, often enlarged, and made while someone waits. Full colour resolution: a tile
# at eight times its size shows every halved one.
_OPTIONS: Final[dict[ImageFormat, tuple[str, dict[str, object]]]] = {
    "jpg": ("JPEG", {"quality": 92, "subsampling": 0}),
    "png": ("PNG", {"compress_level": 3}),
    "webp": ("WEBP", {"quality": 92, "method": 2}),
}
_MODES: Final[dict[ImageFormat, tuple[str, ...]]] = {
    "jpg": ("L", "RGB"),
    "png": CHANNEL_MODES,
    "webp": ("RGB", "RGBA"),
}
_QUARTERS: Final = {
    90: PIL.Image.Transpose.ROTATE_270,  # Pillow turns the other way round
    180: PIL.Image.Transpose.ROTATE_180,
    270: PIL.Image.Transpose.ROTATE_90,
}


class Sampler(Protocol):
    """What ``sirencodec.open`` gives, as far as it is used here."""

    def sample(
        self, width: int | None = None, height: int | None = None, *, crop: "Crop | None" = None
    ) -> "Image":
        """Size and part -> image."""


def render(function: Sampler, stored: StoredFile, plan: ImagePlan) -> bytes:
    """Function of a file, the file's facts and what is asked for -> image file.

    Eight bits a sample. Pictures come upright, with their ICC profile and no other metadata.

    Raises:
        LimitError: if it would take more than the limits the function was opened with.
    """
    orientation, info = stored.orientation, stored.info
    crop = stored_box(plan.crop, info.width, info.height, orientation)
    width, height = upright_size(plan.width, plan.height, orientation)
    image = function.sample(width, height, crop=crop)
    samples, _ = fit_samples(image.samples, _MODES[plan.image_format])
    pil = PIL.Image.fromarray(samples[:, :, 0] if samples.shape[2] == 1 else samples)
    pil = _rotate(turn_upright(pil, orientation), plan)
    if plan.is_gray:
        pil = pil.convert("LA" if pil.mode == "RGBA" else "L")
    # WebP has colour alone, which a profile of gray does not describe.
    fits = stored.is_colour or plan.image_format != "webp"
    return _encode(pil, plan, stored.icc_profile if fits and not plan.is_gray else None)


def _rotate(pil: PIL.Image.Image, plan: ImagePlan) -> PIL.Image.Image:
    """Mirror first, then turn clockwise. Corners that come to light are transparent, or black."""
    if plan.mirrored:
        pil = pil.transpose(PIL.Image.Transpose.FLIP_LEFT_RIGHT)
    if plan.degrees % 90:
        if plan.image_format != "jpg":
            pil = pil.convert("LA" if pil.mode in ("L", "LA") else "RGBA")
        angle = -float(plan.degrees)
        turned = pil.rotate(angle, PIL.Image.Resampling.BICUBIC, expand=True)
        return _trim(turned, *rotated_size(pil.width, pil.height, angle))
    return pil.transpose(_QUARTERS[int(plan.degrees)]) if plan.degrees else pil


def _trim(pil: PIL.Image.Image, width: int, height: int) -> PIL.Image.Image:
    """Cut the pixel or two that Pillow leaves about a turned image."""
    left, top = max(0, (pil.width - width) // 2), max(0, (pil.height - height) // 2)
    return pil.crop((left, top, min(pil.width, left + width), min(pil.height, top + height)))


def _encode(pil: PIL.Image.Image, plan: ImagePlan, icc_profile: bytes | None) -> bytes:
    """Pillow image -> file."""
    name, options = _OPTIONS[plan.image_format]
    if icc_profile is not None:
        options = {**options, "icc_profile": icc_profile}
    buffer = BytesIO()
    pil.save(buffer, name, **options)
    return buffer.getvalue()
