"""What is stored in a file, read part by part."""

from __future__ import annotations

import pytest

import sirencodec
from sirencodec.entropy.stored import open_stored
from sirencodec.errors import CorruptError, LimitError
from sirencodec.limits import Limits
from tests.paths import INVALID, VALID

METADATA = (VALID / "metadata.siren").read_bytes()


def test_all_parts_of_a_file() -> None:
    stored = open_stored(METADATA)
    info, image = sirencodec.read_info(METADATA), sirencodec.decode(METADATA)
    assert (stored.header.width, stored.header.height) == (info.width, info.height)
    shapes = [levels.shape for levels in stored.decode().weights.levels]
    assert sum(rows * columns for rows, columns in shapes) == info.num_parameters
    assert stored.read_metadata() == image.metadata


def test_symbols_are_told_of_as_they_are_decoded() -> None:
    counts: list[int] = []
    stored = open_stored(METADATA)
    stored.decode(on_symbols=lambda symbols, _frequencies: counts.append(len(symbols)))
    assert sum(counts) == stored.header.architecture.num_parameters


def test_damaged_metadata_leaves_the_picture() -> None:
    stored = open_stored((INVALID / "16-bit-flip.siren").read_bytes())
    assert stored.decode().weights.levels
    with pytest.raises(CorruptError, match="metadata"):
        stored.read_metadata()


def test_limits_hold_for_every_part() -> None:
    with pytest.raises(LimitError, match="parameters"):
        open_stored(METADATA, Limits(max_parameters=1))
    with pytest.raises(LimitError, match="metadata bytes"):
        open_stored(METADATA, Limits(max_metadata_bytes=1)).read_metadata()
