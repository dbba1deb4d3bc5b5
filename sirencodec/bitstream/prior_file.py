"""What the package ships in ``priors``: priors by number, and a network that fits start from."""

import zlib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Final


@dataclass(frozen=True, slots=True)
class Prior:
    """Shape of a shipped prior.

    Attributes:
        hidden_widths: of the hidden layers of each phase's context network.
        refinement_channels: between the refinement's two convolutions.
    """

    hidden_widths: tuple[int, ...]
    refinement_channels: int


PRIORS: Final = {1: Prior(hidden_widths=(24, 24), refinement_channels=8)}  # by number


def prior_bytes(number: int) -> bytes:
    """Number of a shipped prior -> its file: side information and stream of quantised matrices."""
    return _shipped(f"{number}.bin")


def start_bytes() -> bytes:
    """The network and kernels that fits start from, in the form of a prior's file.

    No `.siren` file refers to them, so they may change.
    """
    return _shipped("start.bin")


@lru_cache
def prior_checksum(number: int) -> int:
    """Number of a shipped prior -> the 16 low bits of its CRC-32, which files repeat."""
    return zlib.crc32(prior_bytes(number)) & 0xFFFF


def _shipped(name: str) -> bytes:
    return (resources.files("sirencodec") / "priors" / name).read_bytes()
