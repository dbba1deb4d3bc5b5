"""Counts and sizes in words."""

import pytest

from sirencodec.batch.encode_files import Encoded, Failed
from sirencodec.batch.run import Skipped
from sirencodec.batch.tally import Tally, readable_bytes, share


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (38_249, "38.2 kB"),
        (999_960, "1.0 MB"),
        (1.5e9, "1.5 GB"),
        (2e15, "2000.0 TB"),
    ],
)
def test_readable_sizes(count: float, expected: str) -> None:
    assert readable_bytes(count) == expected


def test_shares() -> None:
    assert share(41, 1000, ", ") == ", 4.1 %"
    assert share(1230, 1000) == "123 %"
    assert share(1, 0, ", ") == ""


def test_everything_is_counted() -> None:
    tally = Tally(passed_over=2)
    for result in (
        Encoded(b"x" * 100, 1000, 4, 2, "RGB", "pure", 30.0, 55.0, 100.0, 1.5),
        Skipped(),
        Failed("broken"),
        Skipped(),
    ):
        tally.add(result)
    sizes = "1.0 kB became 100 bytes, 10 %"
    assert str(tally) == f"1 encoded ({sizes}), 2 skipped, 2 pictures not read, 1 failed"
    assert str(Tally(passed_over=1)) == "0 encoded, 0 skipped, 1 picture not read, 0 failed"
    assert str(Tally()) == "0 encoded, 0 skipped, 0 failed"
