"""Pillow's modes -> samples: gray, gray with alpha, RGB or RGBA, of 8 or 16 bits.

Every change of kind comes with a note for the user.
"""

from io import BytesIO

import numpy as np
import numpy.typing as npt
import PIL.Image
from PIL import ImageCms

from sirencodec.errors import ImageError
from sirencodec.image.deep_colour import raw_mode
from sirencodec.image.samples import Samples

_MAX_16_BIT = 65535
_USUAL_STOPS = (1, 255, _MAX_16_BIT)  # where the ranges end that samples without one are likely of
_GRAY_16_MODES = ("I;16", "I;16L", "I;16B", "I;16N")
_CONVERTED_MODES = {  # Pillow's mode -> the mode that holds all of it, and what to call the first
    "1": ("L", "bilevel"),
    "YCbCr": ("RGB", "YCbCr"),
    "LAB": ("RGB", "CIELAB"),
    "HSV": ("RGB", "HSV"),
    "PA": ("RGBA", "a palette"),
    "La": ("LA", "gray with premultiplied alpha"),
    "RGBa": ("RGBA", "RGB with premultiplied alpha"),
}
_MODE_TITLES = {"L": "gray", "LA": "gray with alpha", "RGB": "RGB", "RGBA": "RGBA"}
_LOW_BIT_GRAY = {"L;2": 85, "L;4": 17}  # what Pillow multiplies samples by, but not the colour key


def samples_from_pillow(pil: PIL.Image.Image) -> tuple[Samples, list[str]]:
    """Pillow image -> (height, width, 1 to 4) samples, uint8 or uint16, and notes on changes.

    Args:
        pil: of any mode, loaded or not.

    Raises:
        ImageError: if the mode is unknown, or float samples hold no number.
        Exception: whatever Pillow raises on damaged files.
    """
    layout = raw_mode(pil)  # loading forgets it
    pil.load()
    if 0 in pil.size:
        raise ImageError("the image has no pixels")
    if pil.mode in ("I", "F"):
        return _gray_16_from_wide(pil)
    converted, notes = _to_kept_mode(pil)
    samples: Samples = np.asarray(converted)
    if samples.dtype != np.uint8:
        samples = samples.astype(np.uint16, copy=False)  # "I;16B" comes in that byte order
    if samples.ndim == 2:
        samples = samples[:, :, np.newaxis]
    samples, key_notes = key_to_alpha(samples, _colour_key(pil, layout))
    return samples, notes + key_notes


def key_to_alpha(samples: Samples, key: object) -> tuple[Samples, list[str]]:
    """Samples and the one colour that is to be transparent -> samples with alpha, and a note.

    Args:
        samples: (height, width, channels).
        key: an integer (gray) or three (RGB), as in Pillow's ``info["transparency"]``; anything
            else leaves the samples as they are.
    """
    channels = samples.shape[2]
    colour = (key,) if isinstance(key, int) else key
    if channels not in (1, 3) or not isinstance(colour, tuple) or len(colour) != channels:
        return samples, []
    opaque = np.any(samples != np.array(colour), axis=2, keepdims=True)
    alpha = opaque.astype(samples.dtype) * np.iinfo(samples.dtype).max
    with_alpha = np.concatenate([samples, alpha], axis=2)
    return with_alpha, ["a transparent colour became an alpha channel"]


def _colour_key(pil: PIL.Image.Image, layout: str) -> object:
    """Loaded Pillow image -> its transparent colour in the scale of its samples, or None."""
    key = pil.info.get("transparency")
    if pil.mode not in ("1", "L", "RGB", *_GRAY_16_MODES):
        return None  # a palette's transparency is converted along with its colours
    if isinstance(key, int):
        return key * _LOW_BIT_GRAY.get(layout, 1) if pil.mode != "1" else 255 * bool(key)
    return key


def _to_kept_mode(pil: PIL.Image.Image) -> tuple[PIL.Image.Image, list[str]]:
    """Loaded Pillow image -> one of mode L, LA, RGB, RGBA or 16-bit gray, and notes on changes."""
    if pil.mode in _MODE_TITLES or pil.mode in _GRAY_16_MODES:
        return pil, []
    if pil.mode == "RGBX":
        return pil.convert("RGB"), []  # only padding goes
    if pil.mode == "CMYK":
        return _rgb_from_cmyk(pil)
    if pil.mode == "P":
        mode, title = "RGBA" if pil.has_transparency_data else "RGB", "a palette"
    elif pil.mode in _CONVERTED_MODES:
        mode, title = _CONVERTED_MODES[pil.mode]
    else:
        raise ImageError(f"Pillow mode {pil.mode} has no counterpart among gray, RGB and alpha")
    return pil.convert(mode), [f"{title} became {_MODE_TITLES[mode]}"]


def _rgb_from_cmyk(pil: PIL.Image.Image) -> tuple[PIL.Image.Image, list[str]]:
    """CMYK -> sRGB through the embedded profile if that can be, else by the plain formula."""
    profile = pil.info.get("icc_profile")
    if not profile:
        return pil.convert("RGB"), ["CMYK became RGB"]
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(pil, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, ImportError, OSError, TypeError, ValueError):
        converted = None
    if converted is None:
        return pil.convert("RGB"), ["CMYK became RGB, without its colour profile, which is damaged"]
    return converted, ["CMYK became sRGB, by its colour profile"]


def _gray_16_from_wide(pil: PIL.Image.Image) -> tuple[Samples, list[str]]:
    """32-bit integers or floats -> gray of 16 bits.

    One rule for both, as neither says what is white: the smallest of 0 to 1, 0 to 255 and 0 to
    65535 that holds all values is taken for the full range; if none does, what there is.
    """
    values = np.asarray(pil)
    if pil.format == "PPM" and pil.mode == "I":  # says its range, and Pillow has scaled it
        return values.astype(np.uint16)[:, :, np.newaxis], []
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        raise ImageError("float samples hold no number")
    low, high = finite.min().item(), finite.max().item()
    ranges = [stop for stop in _USUAL_STOPS if low >= 0 and high <= stop]
    start, stop = (0, ranges[0]) if ranges else (low, high)
    samples = _scale_to_16_bits(values, start, stop)
    kind = "32-bit integers" if pil.mode == "I" else "floats"
    notes = [f"{kind} from {low:g} to {high:g}: {start:g} became black, {stop:g} white, in 16 bits"]
    if finite.size < values.size:
        num_nan = int(np.isnan(values).sum())
        num_infinite = values.size - finite.size - num_nan
        notes.append(
            f"of {values.size} samples, no numbers (NaN) and now black: {num_nan}; "
            f"infinite and now black or white: {num_infinite}"
        )
    return samples[:, :, np.newaxis], notes


def _scale_to_16_bits(
    values: npt.NDArray[np.int32] | npt.NDArray[np.float32], start: float, stop: float
) -> npt.NDArray[np.uint16]:
    """Values -> uint16, ``start`` at 0 and ``stop`` at 65535; infinities clipped, NaN at 0."""
    wide = np.nan_to_num(values.astype(np.float64), nan=start, posinf=stop, neginf=start)
    scale = _MAX_16_BIT / (stop - start) if stop > start else 0.0
    return np.rint((wide - start) * scale).astype(np.uint16)
