"""Folders that tests read from, and golden files."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "sirencodec"
GOLDEN = ROOT / "tests" / "golden"
VALID, INVALID = GOLDEN / "valid", GOLDEN / "invalid"


def golden(name: str) -> bytes:
    return (VALID / f"{name}.siren").read_bytes()
