"""The valid golden files: what each is for, and how it was made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image
from PIL import ImageCms

from sirencodec.api import encode
from sirencodec.architecture import Architecture
from sirencodec.container import Header, write_container
from sirencodec.entropy.coder import encode_symbols
from sirencodec.entropy.frequency import frequency_table, largest_level
from sirencodec.entropy.payload import encode_payload
from sirencodec.metadata import Metadata
from sirencodec.metadata_section import write_metadata
from sirencodec.quantize import QuantizedWeights, nearest_step_index, quantize
from tests.forge import blocks, frame

ROOT = Path(__file__).parents[2]
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>golden</x:xmpmeta>"


@dataclass(frozen=True)
class Valid:
    name: str
    what: str
    data: bytes


def random_network(
    architecture: Architecture, seed: int, *, bits: int = 7, gain: float = 1.0
) -> QuantizedWeights:
    """A network that paints soft waves, its largest levels about 2^(bits - 1)."""
    generator = np.random.default_rng(seed)
    matrices = []
    for index, (rows, columns) in enumerate(architecture.layer_shapes):
        bound = 4.0 if index == 0 else gain * (6 / columns) ** 0.5
        matrices.append(generator.uniform(-bound, bound, (rows, columns)))
    matrices[-1] *= 0.35
    matrices[-1][:, -1] = generator.uniform(0.3, 0.7, architecture.channels)
    steps = [nearest_step_index(float(np.abs(m).max()) / 2 ** (bits - 1)) for m in matrices]
    return quantize(matrices, steps)


def network_file(
    mode: str,
    size: tuple[int, int],
    features: int,
    layers: int,
    *,
    omega_0: int = 30,
    gain: float = 1.0,
    metadata: bytes | None = None,
) -> bytes:
    channels = ("L", "LA", "RGB", "RGBA").index(mode.removesuffix(";16")) + 1
    architecture = Architecture(features, layers, channels, omega_0)
    seed = features + 100 * layers + channels
    payload = encode_payload(random_network(architecture, seed, gain=gain))
    header = Header(*size, 16 if mode.endswith(";16") else 8, architecture)
    return write_container(header, payload, metadata)


def worked_example() -> bytes:
    """The file of FORMAT.md, section 9: two sines of round numbers."""
    first = np.array([[24, 8, 3], [-8, 24, 11]], dtype=np.int32)  # sixteenths
    last = np.array([[9, -7, 16]], dtype=np.int32)  # thirty-seconds
    steps = (nearest_step_index(1 / 16), nearest_step_index(1 / 32))
    payload = encode_payload(QuantizedWeights((first, last), steps))
    return write_container(Header(4, 4, 8, Architecture(2, 0, 1, 30)), payload)


def all_scales(shape: int) -> bytes:
    """A layer for each of a shape's 48 models, with both largest levels and some between.

    The two largest levels lie on the diagonal and are 1.1 in size, which keeps a wave alive through
    46 layers.
    """
    architecture = Architecture(2, 46, 1, 30)
    generator = np.random.default_rng(shape)
    prefix, groups = bytearray(), []
    for index, (rows, columns) in enumerate(architecture.layer_shapes):
        model = 48 * shape + index
        bound = largest_level(model)
        levels = generator.normal(0, bound / 32, (rows, columns)).round().astype(np.int32)
        levels[0, 0], levels[-1, 1] = -bound, bound
        prefix += bytes([nearest_step_index(1.1 / bound), model])
        groups.append((levels.ravel() + bound, frequency_table(model)))
    payload = bytes(prefix) + encode_symbols(groups)
    return write_container(Header(5, 5, 8, architecture), payload)


def all_steps() -> bytes:
    """Every fourth step from the finest to the coarsest; coarse layers hold only biases."""
    architecture = Architecture(2, 62, 1, 30)
    steps = [min(4 * index, 255) for index in range(len(architecture.layer_shapes))][::-1]
    steps[-1], steps[32] = steps[32], steps[-1]
    levels = []
    for step, (rows, columns) in zip(steps, architecture.layer_shapes, strict=True):
        matrix = np.zeros((rows, columns), dtype=np.int32)
        matrix[:, -1] = 1
        if step < 200:
            matrix[:, 0] = 6000 if step < 90 else 1 + step % 3
        if len(levels) == len(steps) - 1:
            matrix[:, -1] = 100  # a gray that is seen
        levels.append(matrix)
    payload = encode_payload(QuantizedWeights(tuple(levels), tuple(steps)))
    return write_container(Header(3, 3, 8, architecture), payload)


def zero_word_at_the_end() -> bytes:
    """A network whose stream ends in a word of zeros (last rule of FORMAT.md, section 5).

    That takes a code of just less than a whole number of words; so sizes are varied as well.
    """
    architecture = Architecture(2, 0, 1, 30)
    for seed in range(20_000):
        payload = encode_payload(random_network(architecture, seed, bits=3 + seed % 6))
        if payload.endswith(b"\0\0\0\0"):
            return write_container(Header(6, 6, 8, architecture), payload)
    raise RuntimeError("no such network found")


def photograph() -> bytes:
    with PIL.Image.open(ROOT / "docs/images/chelsea.png") as picture:
        small = picture.convert("RGB").resize((40, 30), PIL.Image.Resampling.BOX)
    return encode(np.asarray(small), size_bytes=700, effort=1, device="cpu")


def exif() -> bytes:
    tags = PIL.Image.Exif()
    tags[0x010F] = "Maker"
    tags[0x0112] = 6
    return tags.tobytes().removeprefix(b"Exif\0\0")


def icc_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def valid_cases() -> Iterator[Valid]:
    yield Valid("gray-4x4", "the worked example of FORMAT.md", worked_example())
    yield Valid("one-pixel", "L; the smallest network there is", network_file("L", (1, 1), 1, 0))
    yield Valid("gray-16", "L;16", network_file("L;16", (12, 9), 5, 1))
    yield Valid("gray-alpha", "LA", network_file("LA", (9, 12), 6, 1))
    yield Valid("gray-alpha-16", "LA;16", network_file("LA;16", (7, 9), 5, 2))
    yield Valid("rgb", "RGB", network_file("RGB", (17, 11), 8, 2))
    yield Valid("rgb-16", "RGB;16", network_file("RGB;16", (8, 13), 7, 1))
    yield Valid("rgba", "RGBA", network_file("RGBA", (13, 13), 7, 2))
    yield Valid("rgba-16", "RGBA;16", network_file("RGBA;16", (10, 6), 6, 1))
    yield Valid("photograph", "RGB made by the encoder from a small photograph", photograph())
    yield Valid("wide", "the most features, no hidden layers", network_file("L", (16, 16), 1024, 0))
    yield Valid("deep", "the most hidden layers", network_file("RGB", (8, 8), 3, 64, gain=1.5))
    yield Valid(
        "long-header",
        "the longest varints that a small file can have",
        network_file("L", (20_000, 1), 150, 0, omega_0=65_535),
    )
    for shape, name in enumerate(("gaussian", "logistic", "laplace")):
        yield Valid(f"models-{name}", f"all 48 scales of the {name} model", all_scales(shape))
    yield Valid("steps", "steps from the finest to the coarsest", all_steps())
    yield Valid("zero-word", "a stream that ends in a word of zeros", zero_word_at_the_end())
    everything = write_metadata(Metadata(icc_profile(), exif(), XMP))
    yield Valid(
        "metadata", "ICC profile, EXIF, XMP", network_file("RGB", (6, 4), 4, 1, metadata=everything)
    )
    only_xmp = write_metadata(Metadata(xmp=XMP))
    yield Valid("xmp", "XMP alone", network_file("L", (4, 6), 3, 1, metadata=only_xmp))
    marked = frame(blocks(None, b"Exif\0\0" + exif(), None))
    yield Valid(
        "exif-marker",
        "EXIF behind the marker that JPEG puts before it",
        network_file("L", (5, 6), 3, 1, metadata=marked),
    )
