"""The valid golden files of version 1: what each is for, and how it was made.

Those of version 0, without a 1 before their names, were made by earlier releases.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import PIL.Image
from PIL import ImageCms

from sirencodec.api import encode
from sirencodec.bitstream.architecture import Architecture, grid_shape
from sirencodec.bitstream.container import write_container
from sirencodec.bitstream.header import Header
from sirencodec.bitstream.metadata_section import write_metadata
from sirencodec.bitstream.quantize import QuantizedWeights, nearest_step_index, quantize
from sirencodec.bitstream.segments import Payload
from sirencodec.bitstream.tiling import Layout, Tiling
from sirencodec.entropy.latents import ResidualEncoder, code_part, phase_networks
from sirencodec.entropy.level_tables import frequency_table, largest_level
from sirencodec.entropy.matrices import encode_matrices
from sirencodec.entropy.payload import QuantizedPicture, encode_payload, matrix_shapes
from sirencodec.entropy.prior import context_shapes, prior_context, prior_refinement, prior_shapes
from sirencodec.entropy.range_coder import SymbolEncoder
from sirencodec.image.metadata import Metadata
from tests.broken_files import blocks, frame
from tests.paths import ROOT

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


def pure_payload(weights: QuantizedWeights, architecture: Architecture) -> Payload:
    return encode_payload(QuantizedPicture(weights), architecture)


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
    payload = pure_payload(random_network(architecture, seed, gain=gain), architecture)
    header = Header(*size, 16 if mode.endswith(";16") else 8, architecture)
    return write_container(header, payload, metadata)


def worked_example() -> bytes:
    """The file of FORMAT.md, section 11: two sines of round numbers."""
    first = np.array([[24, 8, 3], [-8, 24, 11]], dtype=np.int32)  # sixteenths
    last = np.array([[9, -7, 16]], dtype=np.int32)  # thirty-seconds
    steps = (nearest_step_index(1 / 16), nearest_step_index(1 / 32))
    architecture = Architecture(2, 0, 1, 30)
    payload = pure_payload(QuantizedWeights((first, last), steps), architecture)
    return write_container(Header(4, 4, 8, architecture), payload)


def photograph() -> bytes:
    with PIL.Image.open(ROOT / "docs/images/chelsea.png") as picture:
        small = picture.convert("RGB").resize((40, 30), PIL.Image.Resampling.BOX)
    return encode(np.asarray(small), size_bytes=700, effort=1, device="cpu")


# Pyramids --------------------------------------------------------------------------------------

CUBIC = (-9, 67, 225, -27)  # a kernel in 256ths
KERNEL_STEP = nearest_step_index(1 / 256)
CONTEXT_STEP = 96  # 16 units of a weight of the context model
REFINEMENT_STEP = nearest_step_index(1 / 64)
CONTEXT_MATRICES, PRIOR_MATRICES = len(context_shapes(1)), len(prior_shapes(1))
LARGEST_LATENT, LARGEST_WEIGHT, LARGEST_REFINEMENT_WEIGHT = 767, 2**26, 16
EXAMPLE_TILING = Tiling(6, 1)
CENTRE, LOG_SCALE = 0, 1  # rows of the last matrix of a context network


def pyramid_example() -> tuple[QuantizedPicture, Architecture, tuple[int, int]]:
    """The second file of FORMAT.md, section 11."""
    architecture = Architecture(1, 0, 1, 30, (0, 1), 1)
    first = np.array([[4, -3, 6, 10, 2]], dtype=np.int32)  # sixteenths
    last = np.array([[15, 16]], dtype=np.int32)  # thirty-seconds
    kernels = np.array([CUBIC], dtype=np.int32)
    fine = np.array([[0, 1, -1, 0], [0, 0, 2, 0], [-1, 0, 0, 0]], dtype=np.int32)
    coarse = np.array([[-2, 1], [0, 3]], dtype=np.int32)
    steps = (nearest_step_index(1 / 16), nearest_step_index(1 / 32), KERNEL_STEP)
    steps += (0,) * PRIOR_MATRICES
    weights = QuantizedWeights((first, last, kernels, *no_differences()), steps)
    return QuantizedPicture(weights, (fine, coarse)), architecture, (4, 3)


def no_differences() -> list[np.ndarray]:
    return [np.zeros(shape, np.int32) for shape in prior_shapes(1)]


def pyramid_file(
    picture: QuantizedPicture,
    architecture: Architecture,
    size: tuple[int, int],
    *,
    bit_depth: int = 8,
    metadata: bytes | None = None,
    tiling: Tiling | None = None,
    extensions: bytes = b"",
) -> bytes:
    header = Header(*size, bit_depth, architecture, extensions=extensions)
    return write_container(header, encode_payload(picture, architecture, tiling), metadata)


def random_pyramid(
    mode: str,
    size: tuple[int, int],
    grids: tuple[int, int],
    *,
    features: int = 6,
    layers: int = 1,
    deviation: float = 1.5,
    context: int = 0,
    refinement: int = 16,
) -> tuple[QuantizedPicture, Architecture, tuple[int, int]]:
    """Latents that are noise, of some levels' ``deviation``, behind a network of soft waves.

    Args:
        mode: of the picture.
        size: width and height.
        grids: finest and coarsest exponent.
        features: width of the network.
        layers: hidden ones.
        deviation: of latents, in levels.
        context: largest level of the context model's differences.
        refinement: of the refinement's; so large that features change as much as they are.
    """
    channels = ("L", "LA", "RGB", "RGBA").index(mode) + 1
    exponents = tuple(range(grids[0], grids[1] + 1))
    architecture = Architecture(features, layers, channels, 30, exponents, 1)
    generator = np.random.default_rng([*size, *grids, features, layers, channels])
    network = random_network(architecture, generator.integers(1 << 30))
    first = network.levels[0].astype(float)
    first[:, 2:-1] /= 2 * deviation * len(exponents) ** 0.5
    levels = [first.round().astype(np.int32), *network.levels[1:]]
    steps = [*network.step_indices]
    if grids[1]:
        noise = generator.integers(-9, 10, (grids[1], 4))
        levels.append((np.array(CUBIC) + noise).astype(np.int32))
        steps.append(KERNEL_STEP)
    differences = [(context, CONTEXT_STEP)] * CONTEXT_MATRICES
    differences += [(refinement, REFINEMENT_STEP)] * (PRIOR_MATRICES - CONTEXT_MATRICES)
    for shape, (largest, step) in zip(prior_shapes(1), differences, strict=True):
        levels.append(generator.integers(-largest, largest + 1, shape).astype(np.int32))
        steps.append(step if largest else 0)
    latents = []
    for exponent in exponents:
        values = generator.laplace(0, deviation, grid_shape(*size, exponent)).round()
        latents.append(np.clip(values, -LARGEST_LATENT, LARGEST_LATENT).astype(np.int32))
    weights = QuantizedWeights(tuple(levels), tuple(steps))
    return QuantizedPicture(weights, tuple(latents)), architecture, size


def with_difference(
    picture: QuantizedPicture, index: int, levels: np.ndarray, step_index: int
) -> QuantizedPicture:
    """The same picture, but for what it has of the prior's matrix ``index``, 0 to 13."""
    weights = picture.weights
    place = len(weights.levels) - PRIOR_MATRICES + index
    matrices, steps = [*weights.levels], [*weights.step_indices]
    matrices[place], steps[place] = levels.astype(np.int32), step_index
    return replace(picture, weights=QuantizedWeights(tuple(matrices), tuple(steps)))


def biased(picture: QuantizedPicture, phase: int, row: int, bias: int) -> QuantizedPicture:
    """The same picture, a phase's centres or logarithms of scales raised."""
    step_index = nearest_step_index(1)
    difference = picture.weights.levels[3 * phase + 2 - PRIOR_MATRICES].copy()
    difference[row, -1] += bias
    return with_difference(picture, 3 * phase + 2, difference, step_index)


def latents_at_their_limits() -> bytes:
    """Centres beyond both limits, scales beyond both ends, and the largest residuals to them."""
    picture, architecture, size = random_pyramid("RGB", (13, 10), (0, 1), deviation=300)
    fine = picture.latents[0]
    for phase, (row, bias) in enumerate(
        ((CENTRE, 900), (CENTRE, -900), (LOG_SCALE, 60), (LOG_SCALE, -60))
    ):
        picture = biased(picture, phase, row, bias)
    fine[0::2, 0::2] = np.where(fine[0::2, 0::2] > 0, LARGEST_LATENT, 512)
    fine[1::2, 1::2] = np.where(fine[1::2, 1::2] > 0, -LARGEST_LATENT, -257)
    return pyramid_file(picture, architecture, size)


def weights_at_their_limits() -> bytes:
    """Weights of the context model as large as may be, sums beyond every limit of activations."""
    picture, architecture, size = random_pyramid("L", (11, 14), (0, 2), deviation=8)
    for index, matrix in enumerate(prior_context(1)):
        difference = np.zeros(matrix.shape)
        rows, columns = np.nonzero(matrix == 0)
        if index in (0, 1, 2, 4, 8, 10) and len(rows):
            difference[rows[0], columns[0]] = 8192
            difference[rows[-1], columns[-1]] = -8192
            difference[rows[len(rows) // 2], columns[len(rows) // 2]] = 8192
            picture = with_difference(picture, index, difference, 168)  # 8192 units
    for index, sign in ((5, 1), (11, -1)):
        difference = np.full((2, 25), sign * 8000)
        difference[LOG_SCALE] *= -1
        picture = with_difference(picture, index, difference, 168)
    return pyramid_file(picture, architecture, size)


def finest_context_steps() -> bytes:
    """Steps of differences from the finest there may be; zeros under a finer one."""
    picture, architecture, size = random_pyramid("RGB", (9, 9), (0, 3))
    generator = np.random.default_rng(3)
    for index, matrix in enumerate(prior_context(1)):
        levels = generator.integers(-2000, 2001, matrix.shape)
        picture = with_difference(picture, index, levels, 88 + index)
    return pyramid_file(picture, architecture, size)


def refinement_at_its_limits() -> bytes:
    """Numbers of the refinement as large as may be."""
    picture, architecture, size = random_pyramid("RGB", (11, 14), (0, 3))
    picture.weights.levels[0][:, 2:-1] = np.sign(picture.weights.levels[0][:, 2:-1])
    step_index = 119
    step = (8 + step_index % 8) * 2.0 ** (step_index // 8 - 27)
    for number, matrix in enumerate(prior_refinement(1)):
        place = CONTEXT_MATRICES + number
        difference = picture.weights.levels[place - PRIOR_MATRICES] * 8
        for row, column, sign in ((0, 4, 1), (0, 40, -1), (1, 20, -1), (1, -1, 1)):
            room = sign * LARGEST_REFINEMENT_WEIGHT - matrix[row, column]
            difference[row, column] = np.trunc(room / step)
        picture = with_difference(picture, place, difference, step_index)
    return pyramid_file(picture, architecture, size)


def zeros_under_a_model() -> bytes:
    """Differences of zeros that are written out, in the context under a step too fine for others.

    The package writes none; it must read them.
    """
    picture, architecture, size = pyramid_example()
    written_out = {3: (0, 0), 14: (87, 96), 15: (0, 0), 16: (255, 48)}
    return forged_pyramid(picture, architecture, size, written_out=written_out)


def forged_pyramid(
    picture: QuantizedPicture,
    architecture: Architecture,
    size: tuple[int, int],
    written_out: dict[int, tuple[int, int]] | None = None,
) -> bytes:
    """A file as ``pyramid_file`` makes it, but that no weight of a prior is refused.

    Args:
        picture, architecture, size: what to write.
        written_out: matrices of zeros to code under (step index, model index).
    """
    encoder = SymbolEncoder()
    side = bytearray()
    weights = picture.weights
    for place, (levels, step) in enumerate(zip(weights.levels, weights.step_indices, strict=True)):
        if written_out and place in written_out:
            side += bytes(written_out[place])
            model = written_out[place][1]
            encoder.encode(levels.ravel() + largest_level(model), frequency_table(model))
        else:
            side += encode_matrices(QuantizedWeights((levels,), (step,)), encoder)
    shipped, context = prior_context(1), slice(-PRIOR_MATRICES, CONTEXT_MATRICES - PRIOR_MATRICES)
    matrices = [
        matrix + levels * ((8 + step % 8) * 2.0 ** (step // 8 - 11))
        for matrix, levels, step in zip(
            shipped, weights.levels[context], weights.step_indices[context], strict=True
        )
    ]
    networks = phase_networks(
        [matrices[start : start + 3] for start in range(0, CONTEXT_MATRICES, 3)], architecture.grids
    )
    grids = dict(zip(architecture.grids, picture.latents, strict=True))
    segments = []
    for part in Layout(EXAMPLE_TILING, {k: grid.shape for k, grid in grids.items()}).parts():
        latents = SymbolEncoder()
        code_part(grids, part, networks, ResidualEncoder(latents))
        segments.append(latents.stream())
    payload = Payload(bytes(side) + encoder.stream(), EXAMPLE_TILING, tuple(segments))
    return write_container(Header(*size, 8, architecture), payload)


def nothing_but_zeros() -> bytes:
    """All matrices under the model of zeros: a black picture, and no stream at all."""
    architecture = Architecture(3, 1, 3, 30)
    zeros = tuple(np.zeros(shape, np.int32) for shape in matrix_shapes(architecture))
    payload = pure_payload(QuantizedWeights(zeros, (0,) * len(zeros)), architecture)
    return write_container(Header(4, 4, 8, architecture), payload)


def exif() -> bytes:
    tags = PIL.Image.Exif()
    tags[0x010F] = "Maker"
    tags[0x0112] = 6
    return tags.tobytes().removeprefix(b"Exif\0\0")


def icc_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def tiled(mode: str, size: tuple[int, int], grids: tuple[int, int], tiling: Tiling) -> bytes:
    return pyramid_file(*random_pyramid(mode, size, grids, features=4), tiling=tiling)


def tiles_of_zeros() -> bytes:
    """Of the segments, the first and one of four tiles have nothing but zeros."""
    picture, architecture, size = random_pyramid("RGB", (70, 66), (0, 1))
    picture.latents[1][...] = 0
    picture.latents[0][:32, 36:] = 0
    return pyramid_file(picture, architecture, size, tiling=Tiling(6, 1))


def valid_cases() -> Iterator[Valid]:
    for case in [*pure_cases(), *pyramids(), *segmented()]:
        yield replace(case, name=f"1-{case.name}")


def pure_cases() -> Iterator[Valid]:
    yield Valid("gray-4x4", "the worked example of FORMAT.md", worked_example())
    yield Valid("one-pixel", "L; the smallest network there is", network_file("L", (1, 1), 1, 0))
    for mode, size, features, layers in (
        ("L;16", (12, 9), 5, 1),
        ("LA", (9, 12), 6, 1),
        ("LA;16", (7, 9), 5, 2),
        ("RGB", (17, 11), 8, 2),
        ("RGB;16", (8, 13), 7, 1),
        ("RGBA", (13, 13), 7, 2),
        ("RGBA;16", (10, 6), 6, 1),
    ):
        yield Valid(
            mode.lower().replace(";", "-"), mode, network_file(mode, size, features, layers)
        )
    yield Valid("photograph", "RGB made by the encoder from a small photograph", photograph())
    everything = write_metadata(Metadata(icc_profile(), exif(), XMP))
    yield Valid(
        "metadata", "ICC profile, EXIF, XMP", network_file("RGB", (6, 4), 4, 1, metadata=everything)
    )
    marked = frame(blocks(None, b"Exif\0\0" + exif(), None))
    yield Valid(
        "exif-marker",
        "EXIF behind the marker that JPEG puts before it",
        network_file("L", (5, 6), 3, 1, metadata=marked),
    )
    yield Valid("zeros", "a stream of no symbols", nothing_but_zeros())


def pyramids() -> Iterator[Valid]:
    yield Valid(
        "pyramid-4x3",
        "the second worked example of FORMAT.md",
        pyramid_file(*pyramid_example(), tiling=EXAMPLE_TILING),
    )
    for name, what, picture in (
        ("one-pixel", "L; one pixel, seven grids", random_pyramid("L", (1, 1), (0, 6), features=4)),
        ("2x3", "L; a lattice of odd and even sides", random_pyramid("L", (2, 3), (0, 2))),
        ("column", "LA; phases without samples", random_pyramid("LA", (1, 70), (0, 6))),
        ("rgb", "RGB; five grids", random_pyramid("RGB", (17, 9), (0, 4), layers=2)),
        ("half", "RGBA; finest grid 1", random_pyramid("RGBA", (70, 45), (1, 6))),
        ("only-64", "L; the coarsest grid alone", random_pyramid("L", (70, 45), (6, 6))),
        ("only-1", "L; the finest grid alone: no kernels", random_pyramid("L", (7, 5), (0, 0))),
        ("context", "differences everywhere", random_pyramid("RGB", (17, 9), (0, 4), context=60)),
        ("large", "latents of hundreds", random_pyramid("RGB", (9, 17), (0, 2), deviation=200)),
    ):
        yield Valid(f"pyramid-{name}", what, pyramid_file(*picture))
    deep = random_pyramid("RGBA", (17, 9), (0, 3))
    yield Valid("pyramid-rgba-16", "RGBA;16", pyramid_file(*deep, bit_depth=16))
    described = write_metadata(Metadata(xmp=XMP))
    picture = random_pyramid("RGB", (6, 4), (0, 2))
    yield Valid("pyramid-metadata", "XMP", pyramid_file(*picture, metadata=described))
    yield Valid("pyramid-latent-limits", "centres, scales, residuals", latents_at_their_limits())
    yield Valid("pyramid-weight-limits", "weights, sums, outputs", weights_at_their_limits())
    yield Valid("pyramid-refinement-limits", "the refinement", refinement_at_its_limits())
    plain = random_pyramid("RGB", (17, 9), (0, 4), refinement=0)
    yield Valid("pyramid-shipped", "context model and refinement as shipped", pyramid_file(*plain))
    yield Valid("pyramid-fine-steps", "the finest context differences", finest_context_steps())
    yield Valid("pyramid-zeros", "zeros that are written out", zeros_under_a_model())


def segmented() -> Iterator[Valid]:
    yield Valid(
        "tiles",
        "RGB; 2 x 2 tiles of grid 0 that differ in size, one of others; nothing shared",
        tiled("RGB", (67, 65), (0, 2), Tiling(6, 3)),
    )
    yield Valid(
        "tiles-shared",
        "LA; tiles of grids 0 to 2, others share a segment",
        tiled("LA", (120, 70), (0, 4), Tiling(6, 3)),
    )
    yield Valid("tiles-row", "L; a row of tiles", tiled("L", (127, 1), (0, 3), Tiling(6, 2)))
    yield Valid(
        "tiles-largest", "RGBA; tiles of 2^16", tiled("RGBA", (33, 20), (0, 3), Tiling(16, 2))
    )
    yield Valid("tiles-zeros", "RGB; segments of no bytes", tiles_of_zeros())
    picture = random_pyramid("RGB", (6, 4), (0, 2))
    skipped = b"\x02\x03abc" + b"\x80\x01\0"
    yield Valid(
        "extensions",
        "extensions 2 and 128, which are passed over",
        pyramid_file(*picture, extensions=skipped),
    )
