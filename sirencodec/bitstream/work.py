"""Header and size -> what a decode takes, known before anything is decoded."""

from typing import Final

from sirencodec.bitstream.architecture import Architecture
from sirencodec.bitstream.header import Header
from sirencodec.limits import Limits

FEATURE_MULTIPLY_ADDS: Final = 50  # of a feature at a point
REFINEMENT_MULTIPLY_ADDS: Final = 700  # of all corrections at a point
LATENT_MULTIPLY_ADDS: Final = 2_000  # of decoding a latent
LATENT_BYTES: Final = 4  # of a latent in memory


def decoding_work(
    architecture: Architecture, width: int, height: int, num_points: int, finest: int = 0
) -> int:
    """Architecture, image size and points to evaluate -> multiply-adds, about.

    Args:
        architecture: of network and grids.
        width: of the image in pixels.
        height: of the image in pixels.
        num_points: that the network is asked at.
        finest: exponent below which grids are not decoded.
    """
    per_point = architecture.num_parameters + FEATURE_MULTIPLY_ADDS * len(architecture.grids)
    per_point += REFINEMENT_MULTIPLY_ADDS if architecture.grids else 0
    latents = architecture.num_latents(width, height, finest)
    return num_points * per_point + latents * LATENT_MULTIPLY_ADDS


def check_latents(header: Header, limits: Limits, finest: int = 0) -> int:
    """Number of latents to decode, of grids from ``finest``; LimitError if they are too many."""
    latents = header.architecture.num_latents(header.width, header.height, finest)
    limits.check("max_latents", latents)
    limits.check("max_memory_bytes", latents * LATENT_BYTES)
    return latents


def check_decode(
    header: Header,
    width: int,
    height: int,
    limits: Limits,
    num_points: int | None = None,
    finest: int = 0,
) -> None:
    """Raise LimitError if a decode would take more than ``limits`` allow.

    Args:
        header: of the file.
        width: of the output in pixels.
        height: of the output in pixels.
        limits: what it may take.
        num_points: that the network is asked at; one a pixel if None.
        finest: exponent below which grids are not decoded.
    """
    architecture, pixels = header.architecture, width * height
    limits.check("max_side_pixels", max(width, height))
    limits.check("max_pixels", pixels)
    latents = check_latents(header, limits, finest)
    sample_bytes = architecture.channels * header.bit_depth // 8
    limits.check("max_memory_bytes", pixels * sample_bytes + latents * LATENT_BYTES)
    points = pixels if num_points is None else num_points
    work = decoding_work(architecture, header.width, header.height, points, finest)
    limits.check("max_multiply_adds", work)
