"""Measures and their blend by swaths say what they say of a whole image, borders included."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from sirencodec.fitting.loss.pixel.blend import Blend
from sirencodec.fitting.loss.pixel.blend_settings import BlendSettings
from sirencodec.fitting.loss.pixel.blend_swaths import SwathBlend
from sirencodec.fitting.loss.pixel.measures import NAMES, measure_of, swath_measure_of
from sirencodec.fitting.loss.pixel.score import Judge, score_by_swaths
from sirencodec.fitting.loss.pixel.swaths import Swath, cut_image
from sirencodec.fitting.loss.pixel_rows import PARTS, PackedRows, TensorRows
from sirencodec.native.library import single_loops
from sirencodec.synthesis.threads import Workers
from sirencodec.synthesis.torch_threads import worker_threads
from tests.distortions import noisy

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.skipif(not single_loops(), reason="loops are not built"),
]
SIZES = [(64, 9), (331, 77), (320, 50), (333, 61), (700, 40)]  # (height, width)
NAMED_SHARES = (("ssimulacra2", 0.3), ("ms-ssim", 0.3))
SETTINGS = BlendSettings(NAMED_SHARES)


def pair(channels: int, height: int, width: int) -> tuple[Tensor, Tensor]:
    original, near = (torch.from_numpy(a).float() for a in noisy(channels, height, width))
    return original.contiguous(), near.contiguous()


def by_swaths(
    name: str, original: Tensor, values: Tensor, rows: int, workers: Workers | None = None
) -> tuple[float, Tensor]:
    channels, height, width = original.shape
    swaths = cut_image(height, width, rows)
    measure = swath_measure_of(name, (channels, height, width), swaths, workers or Workers())

    def seen(swath: Swath) -> tuple[Swath, Tensor, Tensor]:
        rows_seen = slice(swath.first, swath.last)
        return swath, values[:, rows_seen].contiguous(), original[:, rows_seen].contiguous()

    for _ in range(2):  # what is kept from the first time serves the second
        for swath in swaths:
            measure.look(*seen(swath))
        number = measure.settle()
    return number, torch.cat([measure.gradient(*seen(swath)) for swath in swaths], 1)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", SIZES)
def test_a_measure_by_swaths_is_the_measure(
    size: tuple[int, int], channels: int, name: str
) -> None:
    original, values = pair(channels, *size)
    whole = measure_of(name, original, Workers())(values)
    for rows in (64, 192):
        number, gradient = by_swaths(name, original, values, rows)
        assert number == pytest.approx(whole.value, rel=1e-5)
        scale = float(whole.gradient.abs().max())
        torch.testing.assert_close(gradient, whole.gradient, rtol=0, atol=2e-4 * scale)


@pytest.mark.parametrize("name", NAMES)
def test_threads_change_nothing(name: str) -> None:
    original, values = pair(3, 331, 290)
    number, gradient = by_swaths(name, original, values, 128)
    with worker_threads(3) as workers:
        again, same = by_swaths(name, original, values, 128, workers)
    assert number == again
    assert torch.equal(gradient, same)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_score_by_swaths_is_the_score(channels: int) -> None:
    original, values = pair(channels, 201, 90)
    expected = Judge(original, Workers()).score(values)
    for rows in (64, 256):
        found = score_by_swaths(TensorRows(original), TensorRows(values), Workers(), rows=rows)
        assert found == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("curvature", [1.0, 0.5, 4.0])
def test_targets_by_swaths_are_those_of_the_blend(channels: int, curvature: float) -> None:
    original, values = pair(channels, 201, 90)
    expected, weights = Blend(original, SETTINGS, Workers()).surrogate(values, curvature)
    blend = SwathBlend(TensorRows(original), SETTINGS, Workers(), rows=64)
    picture = PackedRows(tuple(values.shape))
    picture.put(0, values)
    blend.renew(picture, curvature)
    found, own_weights = picture.rows(0, 201), blend.weights(0, 201)
    # Rounding decides where a map has a kink, so single values may differ.
    differences = (found - expected).abs()
    assert float(differences.median()) < 1 / PARTS
    assert float(differences.square().mean().sqrt()) < 0.02 * float((expected - values).std())
    assert (weights is None) == (own_weights is None)
    if weights is not None and own_weights is not None:
        torch.testing.assert_close(own_weights, weights)


def test_targets_at_borders_of_swaths_are_as_good_as_others() -> None:
    original, values = pair(3, 450, 90)
    expected = Blend(original, SETTINGS, Workers()).targets(values)
    picture = PackedRows((3, 450, 90))
    picture.put(0, values)
    SwathBlend(TensorRows(original), SETTINGS, Workers(), rows=64).renew(picture)
    off = (picture.rows(0, 450) - expected).abs().mean((0, 2))
    is_near = torch.zeros(450, dtype=torch.bool)
    for border in range(64, 450, 64):
        is_near[border - 8 : border + 8] = True
    assert float(off[is_near].median()) < 1.5 * float(off[~is_near].median())


def test_rows_in_16_bits_come_back_within_half_a_part() -> None:
    values = torch.linspace(-3.9, 3.9, 3 * 70 * 11).view(3, 70, 11)
    packed = PackedRows((3, 70, 11))
    packed.put(0, values[:, :20])
    packed.put(20, values[:, 20:])
    assert float((packed.rows(0, 70) - values).abs().max()) <= 0.5 / PARTS + 1e-6
    packed.put(0, torch.full((3, 1, 11), 100.0))
    assert float(packed.rows(0, 1).min()) == pytest.approx(4, abs=1e-3)
