import pytest
import torch

from sirencodec.fitting.loss.pixel.alpha import (
    ALPHA_MARGIN,
    BACKGROUND,
    alpha_targets,
    composite,
    halved,
    mean_colour,
    premultiplied,
    weights_of,
)

# Two pixels, one of them hidden, of gray and alpha.
HALF_HIDDEN = torch.tensor([[[0.8, 0.1]], [[1.0, 0.0]]])


def test_colour_counts_by_alpha_and_alpha_fully() -> None:
    assert weights_of(HALF_HIDDEN).tolist() == [[[1, 0]], [[1, 1]]]
    assert premultiplied(HALF_HIDDEN)[0].flatten().tolist() == pytest.approx([0.8, 0.0])
    opaque = torch.rand(3, 4, 5)
    assert premultiplied(opaque) is opaque


def test_measures_see_hidden_colours_as_gray() -> None:
    seen = composite(torch.tensor([[[0.9, 0.3]]]), HALF_HIDDEN)
    torch.testing.assert_close(seen, torch.tensor([[[0.9, BACKGROUND]]]))


def test_hidden_colours_leave_no_trace_in_means() -> None:
    assert float(mean_colour(HALF_HIDDEN)[0]) == pytest.approx(0.8)
    assert halved(HALF_HIDDEN).flatten().tolist() == pytest.approx([0.8, 0.5])
    hidden = torch.tensor([[[0.8, 0.2]], [[0.0, 0.0]]])
    assert halved(hidden).flatten().tolist() == pytest.approx([0.5, 0.0])
    assert mean_colour(hidden).tolist() == pytest.approx([0.5, 0.0])
    assert halved(torch.rand(3, 5, 7)).shape == (3, 3, 4)


@pytest.mark.parametrize(
    ("original", "alpha", "target"),
    [
        (1.0, 0.9, 1 + ALPHA_MARGIN),
        (1.0, 1.3, 1.3),
        (0.0, 0.1, -ALPHA_MARGIN),
        (0.0, -0.2, -0.2),
        (0.4, 0.9, 0.4),
    ],
)
def test_opaque_and_transparent_may_be_beyond(original: float, alpha: float, target: float) -> None:
    found = alpha_targets(torch.tensor([[alpha]]), torch.tensor([[original]]))
    assert float(found) == pytest.approx(target)


def test_twenty_levels_of_error_leave_what_is_opaque_opaque_and_what_is_not_transparent() -> None:
    """A busy badge of half a bit a pixel has errors of 19 levels in its regions."""
    original = torch.tensor([[1.0, 0.0]])
    targets = alpha_targets(original, original)
    for error in (-20 / 255, 20 / 255):
        decoded = torch.round(255 * (targets + error).clamp(0, 1))
        assert decoded.tolist() == [[255, 0]]
