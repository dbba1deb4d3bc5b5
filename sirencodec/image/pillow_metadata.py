"""Metadata <-> Pillow: where each file format keeps it, and what it has no room for."""

from dataclasses import replace

import PIL.Image
from PIL import ExifTags
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from sirencodec.image.metadata import Metadata

_FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "TIFF")  # into these Pillow can write all three parts
_TITLES = {"icc_profile": "the ICC profile", "exif": "EXIF", "xmp": "XMP"}
_ICC_COLOUR_SPACE = slice(16, 20)  # ICC.1:2022, 7.2.6: of the data that the profile describes

_EXIF_MARKER = b"Exif\0\0"
_JPEG_SEGMENT_BYTES = 65533  # a 16-bit length that counts its own two bytes
_JPEG_XMP_MARKER_BYTES = len(b"http://ns.adobe.com/xap/1.0/\0")
_PNG_XMP_KEYWORD = "XML:com.adobe.xmp"  # XMP specification, part 3, 1.1.5

# In TIFF, EXIF is scattered among the tags that describe the file itself (strips, compression).
# These are the ones that describe the picture and may move between files.
_PICTURE_TAGS = (
    ExifTags.Base.ImageDescription,
    ExifTags.Base.Make,
    ExifTags.Base.Model,
    ExifTags.Base.Orientation,
    ExifTags.Base.Software,
    ExifTags.Base.DateTime,
    ExifTags.Base.Artist,
    ExifTags.Base.HostComputer,
    ExifTags.Base.Rating,
    ExifTags.Base.Copyright,
    ExifTags.Base.XPTitle,
    ExifTags.Base.XPComment,
    ExifTags.Base.XPAuthor,
    ExifTags.Base.XPKeywords,
    ExifTags.Base.XPSubject,
)
_PICTURE_DIRECTORIES = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)
_TIFF_XMP_TAG = 700


def metadata_from_pillow(pil: PIL.Image.Image) -> Metadata:
    """Loaded Pillow image -> its metadata; parts of an unexpected type are left out.

    TIFF keeps EXIF as tags of its own, so there the bytes are built from them. Pillow turns TIFF
    pixels upright while loading and drops the orientation tag, so the tags must be read after that.
    """
    exif = pil.info.get("exif")
    if exif is None and pil.format == "TIFF":
        exif = _exif_from_tags(pil)
    xmp = pil.info.get("xmp")
    if isinstance(xmp, str):
        xmp = xmp.encode()
    parts = (pil.info.get("icc_profile"), exif, xmp)
    return Metadata(*(part if isinstance(part, bytes) else None for part in parts))


def drop_misfit_profile(metadata: Metadata, channels: int) -> tuple[Metadata, list[str]]:
    """Metadata of samples that changed mode -> without an ICC profile made wrong, and a note."""
    expected = b"GRAY" if channels <= 2 else b"RGB "
    if metadata.icc_profile is None or metadata.icc_profile[_ICC_COLOUR_SPACE] == expected:
        return metadata, []
    return replace(metadata, icc_profile=None), ["the ICC profile no longer fits and was left out"]


def info_for_pillow(metadata: Metadata) -> dict[str, bytes]:
    """Metadata -> entries of ``PIL.Image.Image.info``, in the form Pillow's readers leave there."""
    exif = None if metadata.exif is None else _EXIF_MARKER + metadata.exif
    entries = {"icc_profile": metadata.icc_profile, "exif": exif, "xmp": metadata.xmp}
    return {name: value for name, value in entries.items() if value is not None}


def save_options(metadata: Metadata, file_format: str) -> tuple[dict[str, object], list[str]]:
    """Metadata -> keywords of ``PIL.Image.Image.save``, and a note on each part left out."""
    if metadata and file_format not in _FORMATS:
        return {}, [f"metadata was left out: Pillow writes none into {file_format} files"]
    options: dict[str, object] = {}
    notes = []
    for name, value in info_for_pillow(metadata).items():
        if reason := _obstacle(name, value, file_format):
            notes.append(f"{_TITLES[name]} was left out: {reason}")
        else:
            options[name] = value
    if file_format == "PNG":
        _move_xmp_to_png_text(options)
    elif file_format == "TIFF":
        _move_all_to_tiff_tags(options)
    return options, notes


def _obstacle(name: str, value: bytes, file_format: str) -> str | None:
    """Why one part cannot go into a file of this format, or None."""
    if file_format == "JPEG":
        room = {"exif": _JPEG_SEGMENT_BYTES, "xmp": _JPEG_SEGMENT_BYTES - _JPEG_XMP_MARKER_BYTES}
        if len(value) > room.get(name, len(value)):
            return f"its {len(value)} bytes exceed a JPEG segment"
    if name == "exif" and file_format in ("AVIF", "TIFF") and _parse_exif(value) is None:
        return "it is damaged"  # these two writers take it apart; the others copy it
    return None


def _move_xmp_to_png_text(options: dict[str, object]) -> None:
    """PNG keeps XMP in a text chunk."""
    xmp = options.pop("xmp", None)
    if isinstance(xmp, bytes):
        chunks = PngInfo()
        chunks.add_itxt(_PNG_XMP_KEYWORD, xmp)
        options["pnginfo"] = chunks


def _move_all_to_tiff_tags(options: dict[str, object]) -> None:
    """TIFF keeps EXIF and XMP as tags; only those of the picture may replace the file's own."""
    exif, xmp = options.pop("exif", None), options.pop("xmp", None)
    tags = ImageFileDirectory_v2()
    if isinstance(exif, bytes) and (picture_tags := _parse_exif(exif)) is not None:
        tags.update(picture_tags)
    if xmp is not None:
        tags[_TIFF_XMP_TAG] = xmp
    if len(tags):
        options["tiffinfo"] = tags


def _exif_from_tags(pil: PIL.Image.Image) -> bytes | None:
    """Loaded TIFF -> the EXIF among its tags, serialised, or None."""
    try:
        tags = _picture_tags(pil.getexif())
        return tags.tobytes() if len(tags) else None
    except Exception:  # the tags are damaged, in whatever way Pillow puts it; the picture is not
        return None


def _parse_exif(data: bytes) -> PIL.Image.Exif | None:
    """EXIF bytes -> the tags that describe the picture, or None if Pillow cannot handle them."""
    try:
        exif = PIL.Image.Exif()
        exif.load(data)
        tags = _picture_tags(exif)
        tags.tobytes()  # what can be read cannot always be written
    except Exception:  # Pillow reads EXIF by trust, and raises whatever comes of that
        return None
    return tags


def _picture_tags(exif: PIL.Image.Exif) -> PIL.Image.Exif:
    """EXIF -> a new one with the tags that describe the picture, not the file."""
    kept = PIL.Image.Exif()
    for tag in _PICTURE_TAGS:
        if tag in exif:
            kept[tag] = exif[tag]
    for directory in _PICTURE_DIRECTORIES:
        if entries := exif.get_ifd(directory):
            kept[directory] = dict(entries)
    return kept
