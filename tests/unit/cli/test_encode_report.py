"""What an encode says of its file in a line."""

import pytest

from sirencodec.batch.encode_files import Encoded
from sirencodec.cli.encode_report import quality_in_words


def encoded(score: float | None, psnr_db: float = 30.0) -> Encoded:
    """A finished file of which only the quality matters."""
    return Encoded(b"", 0, 8, 8, "RGB", "pure", psnr_db, score, 1.0, 1.0)


@pytest.mark.parametrize(
    ("score", "said"),
    [
        (49.6, "SSIMULACRA2 50 (medium quality)"),
        (49.4, "SSIMULACRA2 49 (low quality)"),
        (90.0, "SSIMULACRA2 90 (not to be told apart)"),
        (-3.2, "SSIMULACRA2 -3 (very low quality)"),
        (None, "too small for a score"),
    ],
)
def test_the_words_are_those_of_the_number_beside_them(score: float | None, said: str) -> None:
    assert quality_in_words(encoded(score)) == said


def test_an_exact_picture_needs_no_score() -> None:
    assert quality_in_words(encoded(100.0, float("inf"))) == "exact"
