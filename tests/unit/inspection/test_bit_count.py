"""Bits by part add up to the payload, of every valid golden file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sirencodec.bitstream.container import write_container
from sirencodec.entropy.matrices import MATRIX_BYTES
from sirencodec.entropy.payload import QuantizedPicture, encode_payload
from sirencodec.entropy.range_coder import WORD_BYTES
from sirencodec.entropy.stored import open_stored
from sirencodec.inspection.bit_count import count_bits
from tests.paths import VALID


@pytest.mark.parametrize("path", sorted(VALID.glob("*.siren")), ids=lambda path: path.stem)
def test_parts_add_up_to_the_payload(path: Path) -> None:
    stored = open_stored(path.read_bytes())
    picture, bits = count_bits(stored)
    plain = stored.decode()
    for counted, decoded in zip(
        (*picture.weights.levels, *picture.latents),
        (*plain.weights.levels, *plain.latents),
        strict=True,
    ):
        np.testing.assert_array_equal(counted, decoded)
    assert len(bits.matrices) == len(picture.weights.levels)
    assert len(bits.grids) == len(stored.header.architecture.grids)
    assert min(bits.matrices) >= 8 * MATRIX_BYTES
    assert min(bits.grids, default=0.0) >= 0
    total = sum(bits.matrices) + sum(bits.grids) + bits.rest
    assert total == pytest.approx(8 * stored.container.payload_bytes)
    # The words or bytes that end a stream say a little more than the symbols need; by luck, less.
    streams = 1 + len(stored.container.table)
    assert -4 * streams <= bits.rest <= (8 * WORD_BYTES + 8) * streams


def test_a_louder_grid_costs_its_own_bits() -> None:
    """Changing one grid changes what it takes, and at most what is predicted from it besides."""
    stored = open_stored((VALID / "1-pyramid-half.siren").read_bytes())
    architecture = stored.header.architecture
    picture, before = count_bits(stored)
    generator = np.random.default_rng(0)
    finest = generator.integers(-40, 41, picture.latents[0].shape).astype(np.int32)
    louder = QuantizedPicture(picture.weights, (finest, *picture.latents[1:]))
    data = write_container(stored.header, encode_payload(louder, architecture))
    _, after = count_bits(open_stored(data))
    assert after.grids[0] > 2 * before.grids[0]
    assert after.grids[1:] == before.grids[1:]
    assert after.matrices[: len(architecture.layer_shapes)] == pytest.approx(
        before.matrices[: len(architecture.layer_shapes)], rel=0.05
    )
