"""Header and size -> what a decode takes, known before anything is decoded."""

from typing import Final

from sirencodec.bitstream.architecture import Architecture
from sirencodec.bitstream.header import Header
from sirencodec.limits import Limits

# In multiply-adds of single precision, 20 of which a core does in a nanosecond, or what takes as
# long: measured on networks of 1 to 64 sines a layer.
POINT_MULTIPLY_ADDS: Final = 150  # of a point, whatever the network
SINE_MULTIPLY_ADDS: Final = 8
EXACT_SINE_MULTIPLY_ADDS: Final = 400  # the C library's, of phases of millions
EXACT_FACTOR: Final = 3  # by which double precision is slower
FEATURE_MULTIPLY_ADDS: Final = 50  # of a feature at a point
REFINEMENT_MULTIPLY_ADDS: Final = 700  # of all corrections at a point
LATENT_MULTIPLY_ADDS: Final = 2_000  # of decoding a latent
LATENT_BYTES: Final = 4  # of a latent in memory


def decoding_work(
    architecture: Architecture, num_points: int, num_latents: int, *, exact: bool = False
) -> int:
    """Architecture, points to evaluate and latents to decode -> multiply-adds, about.

    What is no multiply-add counts as those that take as long; ``exact`` is in double precision.
    """
    per_point = architecture.num_parameters + FEATURE_MULTIPLY_ADDS * len(architecture.grids)
    per_point += REFINEMENT_MULTIPLY_ADDS if architecture.grids else 0
    per_point *= EXACT_FACTOR if exact else 1
    sines = architecture.hidden_features * (architecture.hidden_layers + 1)
    per_point += sines * (EXACT_SINE_MULTIPLY_ADDS if exact else SINE_MULTIPLY_ADDS)
    per_point += POINT_MULTIPLY_ADDS
    return num_points * per_point + num_latents * LATENT_MULTIPLY_ADDS


def check_decode(
    header: Header,
    width: int,
    height: int,
    limits: Limits,
    num_points: int,
    num_latents: int,
    *,
    exact: bool = False,
) -> None:
    """Raise LimitError if a decode would take more than ``limits`` allow.

    Args:
        header: of the file.
        width: of the output in pixels.
        height: of the output in pixels.
        limits: what it may take.
        num_points: that the network is asked at.
        num_latents: that are decoded.
        exact: whether in double precision.
    """
    architecture, pixels = header.architecture, width * height
    limits.check("max_side_pixels", max(width, height))
    limits.check("max_pixels", pixels)
    limits.check("max_latents", num_latents)
    sample_bytes = architecture.channels * header.bit_depth // 8
    limits.check("max_memory_bytes", pixels * sample_bytes + num_latents * LATENT_BYTES)
    work = decoding_work(architecture, num_points, num_latents, exact=exact)
    limits.check("max_multiply_adds", work)
