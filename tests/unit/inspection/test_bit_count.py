"""Bits by part add up to the payload, of every valid golden file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sirencodec.bitstream.container import parse_container
from sirencodec.entropy.matrices import MATRIX_BYTES
from sirencodec.entropy.payload import QuantizedPicture, decode_payload, encode_payload
from sirencodec.entropy.range_coder import WORD_BYTES
from sirencodec.inspection.bit_count import count_bits
from tests.paths import VALID


@pytest.mark.parametrize("path", sorted(VALID.glob("*.siren")), ids=lambda path: path.stem)
def test_parts_add_up_to_the_payload(path: Path) -> None:
    container = parse_container(path.read_bytes())
    header = container.header
    arguments = (container.payload, header.architecture, header.width, header.height)
    picture, bits = count_bits(*arguments)
    plain = decode_payload(*arguments)
    for counted, decoded in zip(
        (*picture.weights.levels, *picture.latents),
        (*plain.weights.levels, *plain.latents),
        strict=True,
    ):
        np.testing.assert_array_equal(counted, decoded)
    assert len(bits.matrices) == len(picture.weights.levels)
    assert len(bits.grids) == len(header.architecture.grids)
    assert min(bits.matrices) >= 8 * MATRIX_BYTES
    assert min(bits.grids, default=0.0) >= 0
    total = sum(bits.matrices) + sum(bits.grids) + bits.rest
    assert total == pytest.approx(8 * len(container.payload))
    # A stream ends in words that may say a little more than the symbols need.
    assert -0.01 <= bits.rest <= 8 * WORD_BYTES + 8


def test_a_louder_grid_costs_its_own_bits() -> None:
    """Changing one grid changes what it takes, and at most what is predicted from it besides."""
    path = VALID / "pyramid-half.siren"
    container = parse_container(path.read_bytes())
    header, architecture = container.header, container.header.architecture
    picture, before = count_bits(container.payload, architecture, header.width, header.height)
    generator = np.random.default_rng(0)
    finest = generator.integers(-40, 41, picture.latents[0].shape).astype(np.int32)
    louder = QuantizedPicture(picture.weights, (finest, *picture.latents[1:]))
    payload = encode_payload(louder, architecture)
    _, after = count_bits(payload, architecture, header.width, header.height)
    assert after.grids[0] > 2 * before.grids[0]
    assert after.grids[1:] == before.grids[1:]
    assert after.matrices[: len(architecture.layer_shapes)] == pytest.approx(
        before.matrices[: len(architecture.layer_shapes)], rel=0.05
    )
