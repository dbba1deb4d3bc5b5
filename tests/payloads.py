"""Payloads -> integers, by way of a file."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sirencodec.bitstream.architecture import Architecture
from sirencodec.bitstream.container import write_container
from sirencodec.bitstream.header import Header
from sirencodec.bitstream.segments import Payload
from sirencodec.bitstream.tiling import Window
from sirencodec.entropy.latents import (
    ContextWeights,
    Latents,
    ResidualEncoder,
    code_part,
    phase_networks,
)
from sirencodec.entropy.payload import QuantizedPicture
from sirencodec.entropy.range_coder import SymbolEncoder
from sirencodec.entropy.stored import open_stored


def decode_payload(
    payload: Payload, architecture: Architecture, width: int, height: int
) -> QuantizedPicture:
    """Payload of an image of this size -> what it holds."""
    return open_stored(write_container(Header(width, height, 8, architecture), payload)).decode()


def encode_whole_grids(
    latents: Latents, grids: Sequence[int], weights: ContextWeights
) -> tuple[Latents, bytes]:
    """Latents of these grids -> as they come back, and one stream of all of them."""
    coded = {k: np.array(grid, np.int32) for k, grid in zip(grids, latents, strict=True)}
    encoder = SymbolEncoder()
    part = [(k, Window.whole(coded[k].shape)) for k in reversed(grids)]
    code_part(coded, part, phase_networks(weights, grids), ResidualEncoder(encoder))
    return tuple(coded.values()), encoder.stream()
