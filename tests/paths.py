"""Folders that tests read from."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "sirencodec"
GOLDEN = ROOT / "tests" / "golden"
VALID, INVALID = GOLDEN / "valid", GOLDEN / "invalid"
