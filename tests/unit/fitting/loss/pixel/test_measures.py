"""Every measure: the public number, the reference's number and gradient, and finite ones."""

from __future__ import annotations

import numpy as np
import PIL.Image
import pytest
import torch
from torch import Tensor

from sirencodec.fitting.loss.pixel.measure import Measure
from sirencodec.fitting.loss.pixel.measures import NAMES, measure_of
from sirencodec.fitting.loss.pixel.ms_ssim_native import NativeMsSsim
from sirencodec.fitting.loss.pixel.ms_ssim_torch import TorchMsSsim
from sirencodec.fitting.loss.pixel.ssimulacra2_native import NativeSsimulacra2
from sirencodec.fitting.loss.pixel.ssimulacra2_torch import TorchSsimulacra2
from sirencodec.fitting.loss.pixel.visible_error import VisibleError
from sirencodec.native.library import Loops, double_loops, single_loops
from sirencodec.native.measures import MeasureLoops
from sirencodec.synthesis.threads import Workers
from sirencodec.synthesis.torch_threads import worker_threads
from tests.distortions import clouds, compressed, noisy, photograph, png

pytestmark = pytest.mark.usefixtures("one_thread")
needs_loops = pytest.mark.skipif(not double_loops(), reason="loops are not built")
REFERENCES = {"ssimulacra2": TorchSsimulacra2, "ms-ssim": TorchMsSsim}
COMPILED = {"ssimulacra2": NativeSsimulacra2, "ms-ssim": NativeMsSsim}
STRUCTURAL = list(REFERENCES)
SIZES = [(1, 1), (7, 5), (8, 8), (9, 200), (200, 9), (35, 41), (131, 290), (177, 170)]
PICTURES = {"photograph": photograph, "clouds": clouds}


def tensors(channels: int, height: int, width: int) -> tuple[Tensor, Tensor]:
    original, decoded = noisy(channels, height, width)
    return torch.from_numpy(original), torch.from_numpy(decoded)


def values(picture: PIL.Image.Image) -> Tensor:
    return torch.from_numpy(np.moveaxis(np.array(picture) / 255, 2, 0).copy())


def compiled(
    name: str, targets: Tensor, loops: Loops | None = None, workers: Workers | None = None
) -> Measure:
    found = MeasureLoops(loops or double_loops()[0])
    return COMPILED[name](targets, workers or Workers(), found)


@pytest.mark.parametrize(("codec", "quality"), [("JPEG", 10), ("JPEG", 75), ("WEBP", 40)])
@pytest.mark.parametrize("picture", PICTURES)
def test_ssimulacra2_is_the_public_number(picture: str, codec: str, quality: int) -> None:
    from ssimulacra2 import compute_ssimulacra2

    original = PICTURES[picture]()
    decoded = compressed(original, codec, quality)
    expected = compute_ssimulacra2(png(original), png(decoded))
    found = TorchSsimulacra2(values(original)).value(values(decoded))
    assert found == pytest.approx(expected, abs=0.01)  # of small weights that are left out


def test_ssimulacra2_of_few_scales_is_the_public_number() -> None:
    from ssimulacra2 import compute_ssimulacra2

    original = clouds().crop((0, 0, 70, 41))
    decoded = compressed(original, "JPEG", 60)
    expected = compute_ssimulacra2(png(original), png(decoded))
    found = TorchSsimulacra2(values(original)).value(values(decoded))
    assert found == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(("codec", "quality"), [("JPEG", 10), ("WEBP", 60)])
@pytest.mark.parametrize("picture", PICTURES)
def test_ms_ssim_is_the_public_number(picture: str, codec: str, quality: int) -> None:
    from pytorch_msssim import ms_ssim

    original = PICTURES[picture]()
    pair = values(original), values(compressed(original, codec, quality))
    expected = ms_ssim(pair[1][None], pair[0][None], data_range=1.0).item()
    assert TorchMsSsim(pair[0]).value(pair[1]) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 3])
def test_gradient_is_that_of_finite_differences(name: str, channels: int) -> None:
    original, decoded = tensors(channels, 43, 50)
    measure = measure_of(name, original, Workers())
    gradient = measure(decoded).gradient
    generator = torch.Generator().manual_seed(1)
    # Along the gradient, and any which way: but not where a clamped value has a kink.
    is_inside = ((decoded - 0.5).abs() - 0.5).abs() > 1e-4
    random = torch.randn(decoded.shape, generator=generator, dtype=torch.float64)
    for direction in (gradient / gradient.abs().max(), random):
        step = 1e-6 * direction * is_inside
        difference = measure.value(decoded + step) - measure.value(decoded - step)
        expected = 2 * (gradient * step).sum().item()
        assert difference == pytest.approx(expected, rel=2e-5, abs=1e-12)


@needs_loops
@pytest.mark.parametrize("name", STRUCTURAL)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", SIZES)
def test_compiled_is_the_reference(name: str, channels: int, size: tuple[int, int]) -> None:
    original, decoded = tensors(channels, *size)
    expected = REFERENCES[name](original)(decoded)
    measure = compiled(name, original)
    found = measure(decoded)
    assert found.value == pytest.approx(expected.value, abs=1e-9)
    assert measure.value(decoded) == found.value
    scale = expected.gradient.abs().max().item()
    torch.testing.assert_close(found.gradient, expected.gradient, rtol=1e-7, atol=1e-9 * scale)


@needs_loops
@pytest.mark.parametrize("variant", range(len(single_loops())))
@pytest.mark.parametrize("name", STRUCTURAL)
def test_single_precision_is_near(name: str, variant: int) -> None:
    original, decoded = tensors(3, 170, 301)
    expected = REFERENCES[name](original)(decoded)
    found = compiled(name, original.float(), single_loops()[variant])(decoded.float())
    assert found.value == pytest.approx(expected.value, abs=1e-4)
    difference = (found.gradient - expected.gradient).norm() / expected.gradient.norm()
    assert difference < 1e-4


@needs_loops
@pytest.mark.parametrize("name", STRUCTURAL)
def test_threads_do_not_matter(name: str) -> None:
    original, decoded = (part.float() for part in tensors(3, 150, 280))
    alone = compiled(name, original, single_loops()[0])(decoded)
    with worker_threads(3) as workers:
        together = compiled(name, original, single_loops()[0], workers)(decoded)
    assert together.value == alone.value
    assert torch.equal(together.gradient, alone.gradient)


@pytest.mark.parametrize("name", STRUCTURAL)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shade", [0.0, 0.3, 1.0])
def test_all_is_finite(name: str, dtype: torch.dtype, shade: float) -> None:
    flat = torch.full((3, 40, 37), shade, dtype=dtype)
    original, decoded = (part.to(dtype) for part in tensors(3, 40, 37))
    pairs = [(flat, flat), (flat, decoded), (original, flat), (flat, flat + 1e-5)]
    pairs += [(flat, 3 * decoded - 1), (flat, flat - 1e-7), (original, original), (flat, 1 - flat)]
    for targets, other in pairs:
        for measure in (measure_of(name, targets, Workers()), REFERENCES[name](targets)):
            found = measure(other)
            assert np.isfinite(found.value)
            assert found.gradient.isfinite().all()


@pytest.mark.parametrize("name", STRUCTURAL)
def test_what_is_equal_is_perfect(name: str) -> None:
    original, _ = tensors(3, 40, 37)
    for measure in (measure_of(name, original.float(), Workers()), REFERENCES[name](original)):
        targets = original.float() if isinstance(measure, COMPILED[name]) else original
        found = measure(targets)
        assert found.value == {"ssimulacra2": 100, "ms-ssim": 1}[name]
        assert found.gradient.abs().max() == 0


@pytest.mark.parametrize("name", STRUCTURAL)
def test_values_outside_count_as_the_nearest_inside(name: str) -> None:
    original, decoded = tensors(3, 40, 37)
    decoded[:, 10:20, 5:30] += 0.7
    measure = measure_of(name, original, Workers())
    found = measure(decoded)
    assert found.value == measure.value(decoded.clamp(0, 1))
    assert not found.gradient[(decoded < 0) | (decoded > 1)].any()


@pytest.mark.parametrize("name", STRUCTURAL)
def test_gray_is_equal_red_green_and_blue(name: str) -> None:
    original, decoded = tensors(1, 61, 90)
    gray = measure_of(name, original, Workers())(decoded)
    coloured = measure_of(name, original.expand(3, -1, -1), Workers())(decoded.expand(3, -1, -1))
    assert gray.value == pytest.approx(coloured.value, abs=1e-9)
    torch.testing.assert_close(gray.gradient[0], coloured.gradient.sum(0), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", STRUCTURAL)
def test_a_step_along_the_gradient_is_better(name: str) -> None:
    original = values(clouds()).float()
    decoded = values(compressed(clouds(), "JPEG", 30)).float()
    measure = measure_of(name, original, Workers())
    found = measure(decoded)
    step = 0.002 * found.gradient / found.gradient.abs().max()
    assert measure.value(decoded + measure.better * step) > found.value


def test_images_too_small_for_ssimulacra2_have_no_gradient() -> None:
    original, decoded = tensors(3, 7, 300)
    for measure in (measure_of("ssimulacra2", original, Workers()), TorchSsimulacra2(original)):
        found = measure(decoded)
        assert found.value == measure.value(decoded) == 100
        assert not found.gradient.any()


def test_ms_ssim_of_opposites_is_zero() -> None:
    original, _ = tensors(3, 60, 60)
    for measure in (measure_of("ms-ssim", original, Workers()), TorchMsSsim(original)):
        found = measure(1 - original)
        assert found.value == 0
        assert not found.gradient.any()


def test_errors_count_by_how_well_they_are_seen() -> None:
    """Light more than colour, slow waves more than fast ones, as the formula says."""
    original = torch.full((3, 32, 48), 0.5, dtype=torch.float64)
    measure = VisibleError(original, Workers())
    place = torch.arange(48, dtype=torch.float64)

    def counted(frequency: float, colour: tuple[float, float, float]) -> float:
        wave = torch.cos(2 * np.pi * frequency * (place + 0.5))
        error = torch.tensor(colour, dtype=torch.float64)[:, None, None] * wave.expand(32, 48)
        return measure.value(original + error) / error.square().mean().item()

    gray, colour = (1.0, 1.0, 1.0), (0.587, -0.299, 0.0)
    for frequency in (0.0, 1 / 48, 1 / 8, 1 / 4):
        blur = np.cos(np.pi * frequency) ** 4
        expected = 0.2 + 0.8 * blur
        assert counted(frequency, gray) == pytest.approx(4 * expected)
        assert counted(frequency, colour) == pytest.approx(expected)


def test_visible_errors_of_gray_are_those_of_equal_colours() -> None:
    original, decoded = tensors(1, 21, 30)
    gray = VisibleError(original, Workers())(decoded)
    coloured = VisibleError(original.expand(3, -1, -1), Workers())(decoded.expand(3, -1, -1))
    assert gray.value == pytest.approx(coloured.value)
    torch.testing.assert_close(gray.gradient[0], coloured.gradient.sum(0))


def test_other_names_are_unknown() -> None:
    with pytest.raises(KeyError):
        measure_of("butteraugli", torch.zeros(3, 8, 8), Workers())
