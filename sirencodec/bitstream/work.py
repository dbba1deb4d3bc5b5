"""Architecture and size -> the arithmetic of a decode, known before anything is decoded."""

from typing import Final

from sirencodec.bitstream.architecture import Architecture

FEATURE_MULTIPLY_ADDS: Final = 400  # of a feature at a point, dense matrices of a cell counted
REFINEMENT_MULTIPLY_ADDS: Final = 1_000  # of all corrections at a point
LATENT_MULTIPLY_ADDS: Final = 3_000  # of decoding a latent


def decoding_work(architecture: Architecture, width: int, height: int, num_points: int) -> int:
    """Architecture, image size and points to evaluate -> multiply-adds, about."""
    per_point = architecture.num_parameters + FEATURE_MULTIPLY_ADDS * len(architecture.grids)
    per_point += REFINEMENT_MULTIPLY_ADDS if architecture.grids else 0
    return num_points * per_point + architecture.num_latents(width, height) * LATENT_MULTIPLY_ADDS
