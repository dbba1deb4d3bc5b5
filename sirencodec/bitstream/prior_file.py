"""What the package ships in ``priors``: priors by number, and a network to start from."""

import zlib
from functools import lru_cache
from importlib import resources
from typing import Final

# Number -> widths of the hidden layers of each phase's context network.
HIDDEN_WIDTHS: Final[dict[int, tuple[int, ...]]] = {1: (24, 24)}
# Number -> hidden channels of the refinement.
REFINEMENT_CHANNELS: Final[dict[int, int]] = {1: 8}


def prior_bytes(number: int) -> bytes:
    """Number of a shipped model -> its file: side information and stream of quantised matrices."""
    return (resources.files("sirencodec") / "priors" / f"{number}.bin").read_bytes()


def trained_network_bytes() -> bytes:
    """The network that fits start from, quantised likewise. No file refers to it."""
    return (resources.files("sirencodec") / "priors" / "network.bin").read_bytes()


@lru_cache
def prior_checksum(number: int) -> int:
    """Number of a shipped model -> the 16 low bits of its CRC-32, which files repeat."""
    return zlib.crc32(prior_bytes(number)) & 0xFFFF
