"""The compiled loops are found, and missed without an error."""

from __future__ import annotations

import shutil
from pathlib import Path

from sirencodec.native import library


def test_loops_are_built_where_there_is_a_compiler() -> None:
    """Installing leaves them out in silence if they do not compile."""
    assert library.find_library() or shutil.which("cc") is None


def test_a_missing_library_is_no_error(tmp_path: Path) -> None:
    assert library.find_library(tmp_path) is None
