import numpy as np
import pytest

from sirencodec.fitting.loss.pixel.score import ssimulacra2

OPAQUE = 255
SMALL = slice(24, 28), slice(24, 28)  # 4 x 4 of 64 x 64 pixels


def spots(colour: int, alpha: int) -> np.ndarray:
    """A square of a gray on nothing, gray with alpha."""
    samples = np.zeros((64, 64, 2), np.uint8)
    samples[SMALL] = colour, alpha
    return samples


@pytest.mark.parametrize("colour", [0, 128, 255])
def test_what_is_lost_lowers_the_score_whatever_its_colour(colour: int) -> None:
    """A gray square showed over black and white alone, a black one not over black."""
    original = spots(colour, OPAQUE)
    assert ssimulacra2(original, original) == pytest.approx(100)
    half, gone = (ssimulacra2(original, spots(colour, alpha)) for alpha in (128, 0))
    assert half is not None
    assert gone is not None
    assert gone < half < 80


def test_what_is_opaque_is_seen_over_anything() -> None:
    generator = np.random.default_rng(0)
    original, decoded = generator.integers(0, 256, (2, 40, 30, 3), np.uint8)
    opaque = [np.dstack([one, np.full((40, 30), 255, np.uint8)]) for one in (original, decoded)]
    assert ssimulacra2(*opaque) == pytest.approx(ssimulacra2(original, decoded), abs=1e-3)
