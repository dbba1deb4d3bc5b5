"""Limits are checked by name, and reading stops at them."""

from __future__ import annotations

from dataclasses import fields
from io import BytesIO

import pytest

from sirencodec.errors import LimitError
from sirencodec.limits import DEFAULT_LIMITS, Limits


@pytest.mark.parametrize("name", [each.name for each in fields(Limits)])
def test_a_limit_is_the_most_that_is_allowed(name: str) -> None:
    most = getattr(DEFAULT_LIMITS, name)
    DEFAULT_LIMITS.check(name, most)
    with pytest.raises(LimitError, match=f"{most + 1} .* exceed the limit of {most}"):
        DEFAULT_LIMITS.check(name, most + 1)


def test_a_file_as_large_as_allowed_is_read() -> None:
    assert Limits(max_file_bytes=5).read(BytesIO(b"siren")) == b"siren"


def test_reading_stops_where_a_file_is_too_large() -> None:
    file = BytesIO(bytes(1000))
    with pytest.raises(LimitError, match="file bytes"):
        Limits(max_file_bytes=5).read(file)
    assert file.tell() == 6
