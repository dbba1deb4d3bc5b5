"""Quantised matrices and latents <-> payload bytes (FORMAT.md, sections 5 and 8).

A payload is the side information of all matrices and one range-coded stream: their levels, then the
latent grids, whose context model is among the matrices.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from sirencodec.bitstream.architecture import Architecture
from sirencodec.bitstream.quantize import STEP_SIZES, QuantizedWeights
from sirencodec.entropy.latents import Latents, decode_latents, encode_latents
from sirencodec.entropy.matrices import MATRIX_BYTES, decode_matrices, encode_matrices
from sirencodec.entropy.prior import adapted_context, adapted_refinement, prior_shapes
from sirencodec.entropy.range_coder import WORD_BYTES, OnSymbols, SymbolEncoder
from sirencodec.entropy.range_decoder_native import open_stream
from sirencodec.errors import CorruptError

# Magnitude of a kernel's numbers. Doubled six times along two axes by larger ones, latents could
# leave the range of single precision, and infinities become NaN in a sine.
LARGEST_KERNEL_WEIGHT: Final = 16.0


@dataclass(frozen=True, slots=True, eq=False)
class QuantizedPicture:
    """All that a payload holds.

    Attributes:
        weights: matrices in the order of ``matrix_shapes``.
        latents: (height, width) int32 grids, finest first; none in the pure profile.
    """

    weights: QuantizedWeights
    latents: Latents = ()


def matrix_shapes(architecture: Architecture) -> tuple[tuple[int, int], ...]:
    """Architecture -> shapes of the matrices in a payload, in order.

    They are the network's layers, the upsampling kernels, and what context model and refinement
    differ by from the shipped ones.
    """
    differences = prior_shapes(architecture.prior) if architecture.grids else ()
    return architecture.layer_shapes + architecture.kernel_shapes + differences


def largest_payload_bits(budget_bits: float, architecture: Architecture) -> float:
    """Budget -> bits of the largest payload that keeps to it: a stream takes whole words."""
    side_bits, word_bits = 8 * MATRIX_BYTES * len(matrix_shapes(architecture)), 8 * WORD_BYTES
    return side_bits + word_bits * max(0.0, (budget_bits - side_bits) // word_bits)


def encode_payload(picture: QuantizedPicture, architecture: Architecture) -> bytes:
    """Quantised picture -> payload.

    Latents that are further from their prediction than a table reaches come back nearer to it.
    """
    encoder = SymbolEncoder()
    side = encode_matrices(picture.weights, encoder)
    if picture.latents:
        context = adapted_context(architecture.prior, picture.weights)
        encode_latents(picture.latents, architecture, context, encoder)
    return side + encoder.stream()


def decode_payload(
    payload: bytes,
    architecture: Architecture,
    width: int,
    height: int,
    on_symbols: OnSymbols | None = None,
    finest: int = 0,
) -> QuantizedPicture:
    """Payload -> quantised picture of this architecture and size.

    Args:
        payload: the whole of it.
        architecture: of the network and grids.
        width: of the image in pixels.
        height: of the image in pixels.
        on_symbols: called with symbols as they are decoded: those of each matrix but the ones of
            zeros, then those of each grid, from the coarsest, in any number of parts.
        finest: exponent below which grids are left undecoded. What the stream ends in is not
            looked at then.
        finest: exponent below which grids are left undecoded. What the stream ends in is not
            looked at then.

    Raises:
        CorruptError: if there are fewer bytes than matrices need, a model index is unknown, the
            context model or the refinement is out of range, or the stream is not a valid one.
    """
    shapes = matrix_shapes(architecture)
    side_bytes = MATRIX_BYTES * len(shapes)
    if len(payload) < side_bytes:
        raise CorruptError("payload is shorter than its matrices' parameters", field="payload")
    decoder = open_stream(payload[side_bytes:], on_symbols)
    weights = decode_matrices(payload[:side_bytes], shapes, decoder)
    latents: Latents = ()
    if architecture.kernel_shapes:
        _check_kernels(weights, len(architecture.layer_shapes))
    if architecture.grids:
        adapted_refinement(architecture.prior, weights)  # to find what is too large in it
        context = adapted_context(architecture.prior, weights)
        latents = decode_latents(width, height, architecture, context, decoder, finest)
    if not any(exponent < finest for exponent in architecture.grids):
        decoder.finish()
    return QuantizedPicture(weights, latents)


def _check_kernels(weights: QuantizedWeights, index: int) -> None:
    """Raise CorruptError if a number of the kernels, matrix ``index``, is too large."""
    largest = float(np.abs(weights.levels[index]).max() * STEP_SIZES[weights.step_indices[index]])
    if largest > LARGEST_KERNEL_WEIGHT:
        raise CorruptError("a number of the upsampling kernels is too large", field="kernels")
