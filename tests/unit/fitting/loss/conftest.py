"""Fixtures that put both implementations of the distortion to the same tests."""

from __future__ import annotations

import pytest

from sirencodec.native.library import double_loops
from tests.unit.fitting.loss.distortion_cases import Case


@pytest.fixture(params=["pytorch", "compiled", "swaths"])
def both_distortions(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """``Case.term`` is the one, then the other."""
    if request.param != "pytorch":
        if not double_loops():
            pytest.skip("loops are not built")
        monkeypatch.setattr(Case, "loops_used", double_loops()[0])
        monkeypatch.setattr(Case, "rows", 64 if request.param == "swaths" else None)
