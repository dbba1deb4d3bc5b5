"""Samples, images and image files for the tests of this room."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from PIL import ImageCms

from sirencodec.image.files import write_image
from sirencodec.image.image import Image
from sirencodec.image.metadata import Metadata

WIDTH, HEIGHT = 7, 5

MODES = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}

LOSSLESS = {  # format -> modes that come back as they went
    "PNG": ["L", "LA", "RGB", "RGBA", "L;16", "LA;16", "RGB;16", "RGBA;16"],
    "TIFF": ["L", "LA", "RGB", "RGBA", "L;16"],
    "WEBP": ["RGB", "RGBA"],
    "PPM": ["L", "RGB", "L;16"],
    "BMP": ["L", "RGB"],
    "TGA": ["L", "LA", "RGB", "RGBA"],
    "JPEG2000": ["L", "LA", "RGB", "RGBA", "L;16"],
    "QOI": ["RGB", "RGBA"],
}

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

XMP = "<x:xmpmeta xmlns:x='adobe:ns:meta/'>é</x:xmpmeta>".encode()


def make_exif(**tags: Any) -> bytes:
    exif = PIL.Image.Exif()
    exif[0x010F] = "Maker"
    exif[0x8769] = {0x9003: "2024:02:29 12:00:00", 0x829A: 0.01}
    exif[0x8825] = {1: "N", 2: (48.0, 30.0, 12.5)}
    if "orientation" in tags:
        exif[0x0112] = tags["orientation"]
    return exif.tobytes()


def make_samples(mode: str, height: int = HEIGHT, width: int = WIDTH) -> npt.NDArray[Any]:
    """Random samples, every value equally likely."""
    dtype = np.uint16 if mode.endswith(";16") else np.uint8
    shape = (height, width, MODES[mode.removesuffix(";16")])
    return np.random.default_rng(1).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def make_image(mode: str, metadata: Metadata | None = None) -> Image:
    return Image(make_samples(mode), metadata or Metadata())


def save(pil: PIL.Image.Image, file_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    pil.save(buffer, file_format, **options)
    return buffer.getvalue()


def written(image: Image, file_format: str) -> bytes:
    buffer = io.BytesIO()
    write_image(image, buffer, file_format=file_format)
    return buffer.getvalue()


def messages(caught: pytest.WarningsRecorder) -> str:
    return "\n".join(str(warning.message) for warning in caught)


def make_png(header: tuple[int, ...], lines: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """Header fields (width, height, bit depth, colour type), filtered lines and chunks -> PNG."""
    parts = [(b"IHDR", struct.pack(">2I5B", *header, 0, 0, 0)), *chunks]
    parts += [(b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )


def make_tiff(samples: npt.NDArray[np.uint16], order: str, *, deflate: bool, planar: bool) -> bytes:
    """(height, width, 3 or 4) samples -> TIFF of one strip, or of one for each channel."""
    height, width, channels = samples.shape
    planes = [samples[:, :, i] for i in range(channels)] if planar else [samples]
    strips = [plane.astype(f"{order}u2").tobytes() for plane in planes]
    if deflate:
        strips = [zlib.compress(strip) for strip in strips]
    tags = [
        (256, [width]),
        (257, [height]),
        (258, [16] * channels),
        (259, [8 if deflate else 1]),
        (262, [2]),
        (273, [8 + sum(map(len, strips[:i])) for i in range(len(strips))]),
        (277, [channels]),
        (278, [height]),
        (279, [len(strip) for strip in strips]),
        (284, [2 if planar else 1]),
    ]
    if channels == 4:
        tags.append((338, [2]))
    return b"".join(tiff_parts(order, strips, tags))


def tiff_parts(order: str, strips: list[bytes], tags: list[tuple[int, list[int]]]) -> list[bytes]:
    directory = 8 + sum(map(len, strips))
    extra = directory + 2 + 12 * len(tags) + 4
    entries, tail = [struct.pack(f"{order}H", len(tags))], b""
    for tag, values in tags:
        data = struct.pack(f"{order}{len(values)}I", *values)
        if len(values) > 1:
            data, tail = struct.pack(f"{order}I", extra + len(tail)), tail + data
        entries.append(struct.pack(f"{order}HHI", tag, 4, len(values)) + data)
    magic = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}I", directory)
    return [magic, *strips, *entries, struct.pack(f"{order}I", 0), tail]


def make_palette_image() -> PIL.Image.Image:
    pil = PIL.Image.new("P", (2, 1))
    pil.putpalette([10, 20, 30, 40, 50, 60])
    pil.putpixel((1, 0), 1)
    return pil
