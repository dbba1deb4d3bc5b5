import pytest
import torch

from sirencodec.fitting.loss.pixel.blend import Blend
from sirencodec.fitting.loss.pixel.blend_settings import BlendSettings
from sirencodec.fitting.loss.pixel.measures import measure_of
from sirencodec.synthesis.threads import Workers
from tests import distortions

SHARES = (("ssimulacra2", 0.3), ("ms-ssim", 0.5))
SETTINGS = BlendSettings(SHARES)


def noisy(channels: int, height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    original, near = map(torch.from_numpy, distortions.noisy(channels, height, width))
    return original.contiguous(), near.contiguous()


def pull(blend: Blend, values: torch.Tensor) -> torch.Tensor:
    """Gradient of squared error with the blend's targets."""
    return 2 / values.numel() * (values - blend.targets(values))


def unit(gradient: torch.Tensor) -> torch.Tensor:
    return gradient / gradient.square().mean().sqrt()


@pytest.mark.parametrize("channels", [1, 3])
def test_each_measure_pulls_by_its_share(channels: int) -> None:
    image, values = noisy(channels, 40, 56)
    gradient = pull(Blend(image, SETTINGS, Workers()), values)
    squared_error = 2 / values.numel() * (values - image)
    size = squared_error.square().mean().sqrt()
    expected = 0.2 * squared_error
    for name, share in SHARES:
        expected -= share * size * unit(measure_of(name, image, Workers())(values).gradient)
    torch.testing.assert_close(gradient, expected, rtol=1e-4, atol=1e-9)


def test_sizes_of_gradients_are_followed_slowly() -> None:
    """After one picture far off, one that is nearly right is not pulled as hard."""
    image, far = noisy(3, 40, 56)
    near = image + 0.01 * (far - image)
    fresh, follows = Blend(image, SETTINGS, Workers()), Blend(image, SETTINGS, Workers())
    follows.targets(far)
    alone, after = pull(fresh, near), pull(follows, near)
    assert not torch.allclose(alone, after)
    forgets = Blend(image, BlendSettings(SHARES, memory=0), Workers())
    forgets.targets(far)
    torch.testing.assert_close(pull(forgets, near), alone)


@pytest.mark.parametrize("channels", [2, 4])
def test_opaque_colours_are_blended_as_without_alpha(channels: int) -> None:
    image, values = noisy(channels, 40, 56)
    image[-1], values[-1] = 1, 1.2
    blend = Blend(image, SETTINGS, Workers())
    assert blend.weights is not None
    assert torch.all(blend.weights == 1)
    targets = blend.targets(values)
    assert torch.equal(targets[-1], values[-1])
    opaque = Blend(image[:-1], SETTINGS, Workers()).targets(values[:-1])
    torch.testing.assert_close(targets[:-1], opaque)


def test_hidden_colours_are_free_whatever_they_are() -> None:
    image, values = noisy(4, 40, 56)
    image[-1] = (torch.arange(56) < 28).to(image)
    other = image.clone()
    other[:3, :, 28:] = 0
    one, two = (Blend(original, SETTINGS, Workers()) for original in (image, other))
    assert one.weights is not None
    assert two.weights is not None
    assert not one.weights[:3, :, 28:].any()
    seen = one.targets(values) * one.weights
    torch.testing.assert_close(seen, two.targets(values) * two.weights)
    assert one.score(values) == two.score(values)


def test_where_measures_have_no_say_squared_error_has_all() -> None:
    """SSIMULACRA2 sees nothing below eight pixels; and a picture may be perfect."""
    image, values = noisy(3, 6, 6)
    blend = Blend(image, BlendSettings((("ssimulacra2", 0.8),)), Workers())
    torch.testing.assert_close(blend.targets(values), image)
    image, _ = noisy(3, 40, 56)
    torch.testing.assert_close(Blend(image, SETTINGS, Workers()).targets(image), image)


def test_the_score_is_the_first_measure() -> None:
    image, values = noisy(3, 40, 56)
    expected = measure_of("ssimulacra2", image, Workers()).value(values)
    assert Blend(image, SETTINGS, Workers()).score(values) == expected


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("curvature", [0.5, 4.0])
def test_a_surrogate_has_the_blends_gradient_whatever_its_curvature(
    channels: int, curvature: float
) -> None:
    image, values = noisy(channels, 40, 56)
    plain, curved = Blend(image, SETTINGS, Workers()), Blend(image, SETTINGS, Workers())
    expected = values - plain.targets(values)
    if plain.weights is not None:
        expected *= plain.weights
    targets, weights = curved.surrogate(values, curvature)
    assert weights is not None
    torch.testing.assert_close(weights * (values - targets), expected, rtol=1e-4, atol=1e-6)
    usual = torch.ones_like(values) if plain.weights is None else plain.weights
    torch.testing.assert_close(weights[:3], curvature * usual[:3])


def test_without_measures_a_surrogate_is_squared_error() -> None:
    image, values = noisy(3, 40, 56)
    targets, weights = Blend(image, BlendSettings(), Workers()).surrogate(values, 4)
    torch.testing.assert_close(targets, image)
    assert weights is None
