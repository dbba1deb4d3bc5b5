"""An image and what of its metadata is to go -> the same to look at, without.

A viewer turns a picture by its EXIF and shows its colours by its ICC profile. Where these go, the
pixels are turned and converted to sRGB, which is what is assumed where nothing is said.
"""

from dataclasses import replace
from io import BytesIO
from typing import Final

import numpy as np
import PIL.Image
from PIL import ImageCms

from sirencodec.config import STRIP_ALL, STRIP_LOCATION
from sirencodec.image.exif import read_orientation, remove_location, remove_xmp_location
from sirencodec.image.image import Image
from sirencodec.image.metadata import Metadata
from sirencodec.image.samples import Samples
from sirencodec.image.turning import turn_upright

_BAND_PIXELS: Final = 2**20  # whose colours are converted together
_CMS_ERRORS: Final = (ImageCms.PyCMSError, ImportError, OSError, TypeError, ValueError)


def strip_image(image: Image, what: str) -> tuple[Image, list[str]]:
    """Image -> the same without some metadata, and notes on what was done to it.

    Args:
        image: samples as stored, with their metadata.
        what: "location" takes the GPS out of EXIF and XMP. "exif" takes all of both, and turns the
            picture as they say. "all" takes the ICC profile as well, and converts the colours to
            sRGB; colours of 16 bits cannot be, and keep their profile.
    """
    samples = image.samples
    if turns(what):
        samples = turn_upright(samples, read_orientation(image.metadata.exif))
    return strip_turned(samples, image.metadata, what)


def turns(what: str) -> bool:
    """What of the metadata is to go -> whether the orientation goes with it."""
    return what != STRIP_LOCATION


def strip_turned(samples: Samples, metadata: Metadata, what: str) -> tuple[Image, list[str]]:
    """As ``strip_image``, of samples that are upright already where ``what`` turns.

    Colours are converted in place if the samples can be written to.
    """
    if what == STRIP_LOCATION:
        metadata, notes = _without_location(metadata)
        return Image(samples, metadata), notes
    notes = []
    metadata = Metadata(icc_profile=metadata.icc_profile)
    if what == STRIP_ALL and metadata.icc_profile is not None:
        samples, is_spent, note = _to_srgb(samples, metadata.icc_profile)
        notes += [note] if note else []
        if is_spent:
            metadata = Metadata()
    return Image.from_array(samples, metadata), notes


def _without_location(metadata: Metadata) -> tuple[Metadata, list[str]]:
    """Metadata -> without GPS; EXIF that is damaged goes altogether."""
    notes = []
    exif, xmp = metadata.exif, metadata.xmp
    if exif is not None:
        try:
            exif = remove_location(exif)
        except ValueError:
            exif = None
            notes.append("EXIF is damaged and was left out, for it may hold the location")
    if xmp is not None:
        xmp = remove_xmp_location(xmp)
    return replace(metadata, exif=exif, xmp=xmp), notes


def _to_srgb(samples: Samples, profile: bytes) -> tuple[Samples, bool, str | None]:
    """Samples -> in sRGB, whether the profile is done with, and a note."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        name = ImageCms.getProfileDescription(source).strip()
        if "srgb" in name.lower():
            return samples, True, None
        if samples.dtype != np.uint8:
            note = f"the ICC profile, {name}, was kept: colours of 16 bits cannot be converted"
            return samples, False, note
        converted = _convert(samples, source)
    except _CMS_ERRORS:
        return samples, True, "the ICC profile is damaged; colours were not converted"
    return converted, True, f"colours were converted from {name} to sRGB"


def _convert(samples: Samples, source: ImageCms.ImageCmsProfile) -> Samples:
    """8-bit samples in a profile's colours -> in sRGB, gray as gray; alpha stays.

    Some rows at a time, and in place where the samples may be written to.
    """
    num_colours = 1 if samples.shape[2] < 3 else 3
    transform = ImageCms.buildTransform(
        source,
        ImageCms.createProfile("sRGB"),
        "L" if num_colours == 1 else "RGB",
        "RGB",
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
    )
    converted = samples if samples.flags.writeable else samples.copy()
    rows = max(1, _BAND_PIXELS // samples.shape[1])
    for top in range(0, len(samples), rows):
        band = converted[top : top + rows]
        colours = band[:, :, 0] if num_colours == 1 else band[:, :, :3]
        pil = PIL.Image.fromarray(np.ascontiguousarray(colours))
        done = ImageCms.applyTransform(pil, transform)
        band[:, :, :num_colours] = np.asarray(done)[:, :, :num_colours]
    return converted
