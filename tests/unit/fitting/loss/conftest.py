"""Fixtures that put both implementations of the distortion to the same tests."""

from __future__ import annotations

import pytest

from sirencodec.native.library import double_loops
from tests.unit.fitting.loss.distortion_cases import Case


@pytest.fixture(params=["pytorch", "compiled"])
def both_distortions(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """``Case.term`` is the one, then the other."""
    if request.param == "compiled":
        if not double_loops():
            pytest.skip("loops are not built")
        monkeypatch.setattr(Case, "loops_used", double_loops()[0])
