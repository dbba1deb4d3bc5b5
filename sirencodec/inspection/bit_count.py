"""Payload -> how many bits each matrix and each grid takes.

A range coder spends log2(2^24 / count) bits on a symbol with so many counts in its table, to within
the few that end a stream. So the ideal code lengths, summed up while the payload is decoded under
its own tables, are what its parts take.
"""

import math
from dataclasses import dataclass

import numpy as np

from sirencodec.bitstream.container import Container
from sirencodec.bitstream.tiling import Layout
from sirencodec.entropy.matrices import MATRIX_BYTES, ZERO_MODEL
from sirencodec.entropy.payload import QuantizedPicture, matrix_shapes
from sirencodec.entropy.range_coder import TOTAL, Frequencies, Symbols
from sirencodec.entropy.stored import StoredPicture


@dataclass(frozen=True, slots=True)
class PayloadBits:
    """Bits of a payload by what they are spent on.

    Attributes:
        matrices: one number for each of ``matrix_shapes``, side information included.
        grids: one a grid, finest first, as in ``Architecture``.
        rest: what ends of streams hold besides; all three add up to the payload.
    """

    matrices: tuple[float, ...]
    grids: tuple[float, ...]
    rest: float


def count_bits(stored: StoredPicture) -> tuple[QuantizedPicture, PayloadBits]:
    """Stored picture -> its integers and the bits they take. Errors as of its ``decode``."""
    container, architecture = stored.container, stored.header.architecture
    batches: list[tuple[int, float]] = []

    def count(symbols: Symbols, frequencies: Frequencies) -> None:
        batches.append((len(symbols), float(np.log2(TOTAL / frequencies[symbols]).sum())))

    picture = stored.decode(on_symbols=count)
    models = container.matrices[1 : MATRIX_BYTES * len(matrix_shapes(architecture)) : MATRIX_BYTES]
    coded = [
        0 if model == ZERO_MODEL else levels.size
        for model, levels in zip(models, picture.weights.levels, strict=True)
    ]
    bits = _bits_of_parts(batches, [*coded, *_coded_latents(container)])
    matrices = tuple(8 * MATRIX_BYTES + part for part in bits[: len(coded)])
    grids = tuple(reversed(bits[len(coded) :]))
    return picture, PayloadBits(
        matrices, grids, 8 * container.payload_bytes - sum(matrices) - sum(grids)
    )


def _coded_latents(container: Container) -> list[int]:
    """Container -> how many latents of each grid have symbols, the coarsest grid first."""
    header = container.header
    shapes = header.architecture.grid_shapes(header.width, header.height)
    counts = {exponent: math.prod(shapes[exponent]) for exponent in sorted(shapes, reverse=True)}
    if container.tiling is not None:
        for number, part in enumerate(Layout(container.tiling, shapes).parts()):
            for exponent, window in part:
                counts[exponent] -= window.size if container.table.is_zero(number) else 0
    return list(counts.values())


def _bits_of_parts(batches: list[tuple[int, float]], sizes: list[int]) -> list[float]:
    """Symbols and bits of each batch, numbers in each part -> bits of each part, both in order."""
    remaining = iter(batches)
    result = []
    for size in sizes:
        bits = 0.0
        while size > 0:
            count, more = next(remaining)
            size, bits = size - count, bits + more
        result.append(bits)
    return result
