"""Quantised matrices and latents <-> coded matrices and segments (FORMAT.md, sections 5 and 8).

Coded matrices are the side information of all of them and a range-coded stream of their levels. The
context model of the latents is among them. A segment is a stream of latents.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from sirencodec.bitstream.architecture import Architecture
from sirencodec.bitstream.quantize import STEP_SIZES, QuantizedWeights
from sirencodec.bitstream.segments import Payload
from sirencodec.bitstream.tiling import Layout, Tiling, choose_tiling
from sirencodec.entropy.latents import Latents, ResidualEncoder, code_part, phase_networks
from sirencodec.entropy.matrices import MATRIX_BYTES, decode_matrices, encode_matrices
from sirencodec.entropy.prior import adapted_context, adapted_refinement, prior_shapes
from sirencodec.entropy.range_coder import OnSymbols, SymbolDecoder, SymbolEncoder
from sirencodec.entropy.range_decoder_native import NativeDecoder, open_stream
from sirencodec.errors import CorruptError

# Magnitude of a kernel's numbers. Doubled six times along two axes by larger ones, latents could
# leave the range of single precision, and infinities become NaN in a sine.
LARGEST_KERNEL_WEIGHT: Final = 16.0


@dataclass(frozen=True, slots=True, eq=False)
class QuantizedPicture:
    """All that a file holds of a picture.

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
    """Budget -> bits of the largest payload that keeps to it.

    A stream takes whole bytes, and up to one more than the bits of its symbols come to.
    """
    side_bits = 8 * MATRIX_BYTES * len(matrix_shapes(architecture))
    return side_bits + 8 * max(0.0, (budget_bits - side_bits) // 8 - 1)


def encode_payload(
    picture: QuantizedPicture, architecture: Architecture, tiling: Tiling | None = None
) -> Payload:
    """Quantised picture -> payload.

    Latents that are further from their prediction than a table reaches come back nearer to it.

    Args:
        picture: what to encode.
        architecture: of its network and grids.
        tiling: how latents are cut; as suits their number, if None.
    """
    encoder = SymbolEncoder()
    side = encode_matrices(picture.weights, encoder)
    matrices = side + encoder.stream()
    if not picture.latents:
        return Payload(matrices)
    grids = {
        exponent: np.array(grid, np.int32)
        for exponent, grid in zip(architecture.grids, picture.latents, strict=True)
    }
    shapes = {exponent: grid.shape for exponent, grid in grids.items()}
    tiling = tiling or choose_tiling(shapes)
    context = adapted_context(architecture.prior, picture.weights)
    networks = phase_networks(context, architecture.grids)

    def segments() -> Iterator[bytes | None]:
        for part in Layout(tiling, shapes).parts():
            encoder = SymbolEncoder()
            code_part(grids, part, networks, ResidualEncoder(encoder))
            is_zero = not any(grids[exponent][window.slices].any() for exponent, window in part)
            yield None if is_zero else encoder.stream()

    return Payload(matrices, tiling, tuple(segments()))


def open_matrices(
    coded: bytes,
    architecture: Architecture,
    on_symbols: OnSymbols | None = None,
    *,
    by_words: bool = False,
) -> tuple[QuantizedWeights, SymbolDecoder | NativeDecoder]:
    """Coded matrices -> matrices of this architecture, and the decoder behind the last of them.

    Args:
        coded: side information and stream.
        architecture: of the network and grids.
        on_symbols: called with the symbols of each matrix but the ones of zeros.
        by_words: whether the stream is one of version 0.

    Raises:
        CorruptError: if there are fewer bytes than matrices need, a model index is unknown, or the
            context model, the kernels or the refinement are out of range.
    """
    shapes = matrix_shapes(architecture)
    side_bytes = MATRIX_BYTES * len(shapes)
    if len(coded) < side_bytes:
        raise CorruptError("payload is shorter than its matrices' parameters", field="payload")
    decoder = open_stream(coded[side_bytes:], on_symbols, by_words=by_words)
    weights = decode_matrices(coded[:side_bytes], shapes, decoder)
    if architecture.kernel_shapes:
        _check_kernels(weights, len(architecture.layer_shapes))
    if architecture.grids:  # to find what is too large in them
        adapted_refinement(architecture.prior, weights)
        adapted_context(architecture.prior, weights)
    return weights, decoder


def _check_kernels(weights: QuantizedWeights, index: int) -> None:
    """Raise CorruptError if a number of the kernels, matrix ``index``, is too large."""
    largest = float(np.abs(weights.levels[index]).max() * STEP_SIZES[weights.step_indices[index]])
    if largest > LARGEST_KERNEL_WEIGHT:
        raise CorruptError("a number of the upsampling kernels is too large", field="kernels")
