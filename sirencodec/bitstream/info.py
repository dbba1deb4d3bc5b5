"""`.siren` file -> what it says of itself, without decoding it and without PyTorch."""

from collections.abc import Iterator
from dataclasses import dataclass

from sirencodec.bitstream.container import Container, parse_container
from sirencodec.bitstream.header import Header
from sirencodec.bitstream.metadata_section import read_metadata
from sirencodec.bitstream.tiling import Layout
from sirencodec.bitstream.work import check_decode, decoding_work
from sirencodec.errors import CorruptError, LimitError
from sirencodec.image.samples import mode_name
from sirencodec.limits import DEFAULT_LIMITS, Limits


@dataclass(frozen=True, slots=True)
class GridSegments:
    """Segments of a grid, or of those that share one.

    Attributes:
        grids: strides in pixels, rising.
        count: segments; those of zeros, which have no bytes, among them.
        num_bytes: of all of them.
    """

    grids: tuple[int, ...]
    count: int
    num_bytes: int


@dataclass(frozen=True, slots=True)
class Info:
    """Facts about a file.

    Attributes:
        width, height: stored size in pixels.
        mode: "L", "LA", "RGB" or "RGBA".
        bit_depth: 8 or 16.
        profile: "pure" if all that is coded is a network, "pyramid" if latent grids are too.
        format_version: of the byte format.
        hidden_features, hidden_layers, omega_0: the network (see ``Architecture``).
        num_parameters: its weights and biases.
        grids: strides of the latent grids in pixels, rising; none in the pure profile.
        num_latents: samples of all grids.
        segments: where these are, in the order of the file; none in version 0.
        multiply_adds_per_pixel: arithmetic to decode a pixel.
        file_bytes: whole file.
        payload_bytes: coded matrices and latents.
        metadata_bytes: compressed metadata section, 0 if there is none.
        bpp: bits a pixel, the whole file counted.
        refusal: why a decode at the stored size would be refused, within the default limits; None
            if it would not.
        metadata_error: what is wrong with the metadata; None if nothing is.
    """

    width: int
    height: int
    mode: str
    bit_depth: int
    profile: str
    format_version: int
    hidden_features: int
    hidden_layers: int
    omega_0: int
    num_parameters: int
    grids: tuple[int, ...]
    num_latents: int
    segments: tuple[GridSegments, ...]
    multiply_adds_per_pixel: int
    file_bytes: int
    payload_bytes: int
    metadata_bytes: int
    bpp: float
    refusal: str | None
    metadata_error: str | None


def describe(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Info:
    """`.siren` file -> its facts; the checksum of the picture is verified.

    Raises:
        FormatError: one of its kinds, if the bytes are not a valid file.
        LimitError: if the file asks for more than ``limits``.
    """
    container = parse_container(data, limits)
    container.verify()
    header, architecture = container.header, container.header.architecture
    pixels = header.width * header.height
    num_latents = architecture.num_latents(header.width, header.height)
    return Info(
        width=header.width,
        height=header.height,
        mode=mode_name(architecture.channels),
        bit_depth=header.bit_depth,
        profile="pyramid" if architecture.grids else "pure",
        format_version=header.version,
        hidden_features=architecture.hidden_features,
        hidden_layers=architecture.hidden_layers,
        omega_0=architecture.omega_0,
        num_parameters=architecture.num_parameters,
        grids=tuple(1 << exponent for exponent in architecture.grids),
        num_latents=num_latents,
        segments=tuple(_segments(container)),
        multiply_adds_per_pixel=decoding_work(architecture, pixels, num_latents) // pixels,
        file_bytes=len(data),
        payload_bytes=container.payload_bytes,
        metadata_bytes=len(container.metadata or b""),
        bpp=8 * len(data) / pixels,
        refusal=_refusal(header, num_latents),
        metadata_error=_metadata_error(container, limits),
    )


def _segments(container: Container) -> Iterator[GridSegments]:
    """Container -> its segments, grid by grid."""
    header, starts = container.header, container.table.starts
    if container.tiling is not None:
        shapes = header.architecture.grid_shapes(header.width, header.height)
        for exponents, numbers in Layout(container.tiling, shapes).groups():
            strides = tuple(1 << exponent for exponent in sorted(exponents))
            num_bytes = starts[numbers.stop] - starts[numbers.start]
            yield GridSegments(strides, len(numbers), num_bytes)


def _refusal(header: Header, num_latents: int) -> str | None:
    """What a decode of all pixels exceeds by default."""
    try:
        pixels = header.width * header.height
        check_decode(header, header.width, header.height, DEFAULT_LIMITS, pixels, num_latents)
    except LimitError as error:
        return str(error)
    return None


def _metadata_error(container: Container, limits: Limits) -> str | None:
    try:
        read_metadata(container, limits)
    except (CorruptError, LimitError) as error:
        return str(error)
    return None
