"""The loss of a stage's picture: its terms add up, its gradient is theirs, and a blend is heard."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from sirencodec.bitstream.architecture import grid_shape
from sirencodec.fitting.loss.pixel.blend_settings import BlendSettings
from sirencodec.fitting.loss.pixel.measures import measure_of
from sirencodec.fitting.loss.terms import distortion_of
from sirencodec.fitting.loss.values import psnr_db, values_of
from sirencodec.fitting.pyramid.matrices import Parts, TrainedMatrices
from sirencodec.fitting.pyramid.settings import PyramidSettings
from sirencodec.fitting.pyramid.stage import StageView
from sirencodec.fitting.pyramid.stage_loss import StageLoss
from sirencodec.fitting.settings import VISUAL
from sirencodec.synthesis.threads import Workers
from tests.pictures import make_clouds
from tests.unit.builders import architecture, random_latents

pytestmark = pytest.mark.usefixtures("one_thread")
SHAPE = architecture(channels=3)
WIDTH, HEIGHT = 37, 26
BIT_ERROR = 1e-5
ALL_LAYERS = 3  # of a context network


def image() -> Tensor:
    return values_of(make_clouds(WIDTH, HEIGHT)).double()


def make(blend: BlendSettings = VISUAL, octaves: int = 0) -> tuple[StageLoss, Parts, list[Tensor]]:
    """A loss in double precision, shipped matrices and random latents."""
    generator, mean = torch.Generator().manual_seed(0), image().mean((1, 2)).float()
    settings, device = PyramidSettings(), torch.device("cpu")
    shipped = TrainedMatrices(SHAPE, mean, 0.002, settings, generator, device).parts
    parts = Parts(
        [layer.double() for layer in shipped.layers],
        shipped.kernels.double(),
        [[layer.double() for layer in network] for network in shipped.networks],
        [matrix.double() for matrix in shipped.refinement],
    )
    view = StageView(SHAPE, octaves, parts)
    shapes = [grid_shape(WIDTH << octaves, HEIGHT << octaves, k) for k in view.exponents]
    loss = StageLoss(view, image(), shapes, parts, blend, Workers())
    latents = random_latents(WIDTH << octaves, HEIGHT << octaves, view.exponents, spread=0.5)
    noise = np.random.default_rng(0)
    grids = [torch.from_numpy(grid + noise.uniform(-0.3, 0.3, grid.shape)) for grid in latents]
    return loss, parts, grids


PLAIN = BlendSettings()


def test_terms_add_up() -> None:
    loss, parts, grids = make(PLAIN)
    found = loss(parts, grids, BIT_ERROR, 1)
    assert found.squared_error == pytest.approx(loss.error(parts, grids))
    assert found.squared_error == pytest.approx(loss.squared_error(parts, grids))
    assert found.bits == pytest.approx(loss.bits(parts, grids))
    found_by_rows = list(loss.contributions(parts, grids, BIT_ERROR, len(grids)))
    pixels, *latents = (each.values for each in found_by_rows)
    assert [each.plane for each in found_by_rows] == list(range(len(grids) + 1))
    assert pixels.shape == (HEIGHT, WIDTH)
    assert [each.shape for each in latents] == [grid.shape for grid in grids]
    whole = found.squared_error + BIT_ERROR * found.bits
    assert sum(float(each.sum()) for each in (pixels, *latents)) == pytest.approx(whole)


def test_the_gradient_is_that_of_both_terms() -> None:
    """Along a random direction of everything at once, by finite differences."""
    loss, parts, grids = make(PLAIN)
    found = loss(parts, grids, BIT_ERROR, ALL_LAYERS)
    generator = torch.Generator().manual_seed(1)
    places = [*parts.flat(), *grids]
    steps = [1e-6 * torch.randn(each.shape, generator=generator).double() for each in places]
    sides = []
    for side in (1, -2):
        for place, step in zip(places, steps, strict=True):
            place.add_(step, alpha=side)
        sides.append(loss.error(parts, grids) + BIT_ERROR * loss.bits(parts, grids))
    gradients = [*found.matrices.flat(), *found.latents]
    expected = sum(float((g * s).sum()) for g, s in zip(gradients, steps, strict=True))
    assert (sides[0] - sides[1]) / 2 == pytest.approx(expected, rel=1e-4)


def test_the_gradient_of_latents_alone_is_the_same() -> None:
    loss, parts, grids = make(PLAIN)
    found = loss(parts, grids, BIT_ERROR, 1).latents
    torch.testing.assert_close(loss.latents_gradient(parts, grids, BIT_ERROR), found)


def test_a_blend_turns_the_gradient_and_not_the_error_that_is_told() -> None:
    plain, parts, grids = make(PLAIN)
    visual = make()[0]
    visual.follow(parts, grids, curvature=1.0)
    assert visual.squared_error(parts, grids) == pytest.approx(plain.squared_error(parts, grids))
    ours, theirs = (
        torch.cat([each.flatten() for each in loss.latents_gradient(parts, grids, 0.0)])
        for loss in (visual, plain)
    )
    cosine = float(torch.nn.functional.cosine_similarity(ours, theirs, dim=0))
    assert 0.3 < cosine < 0.999


def test_targets_are_renewed_once_a_period() -> None:
    """So that D is what stands in for the blend around the picture as it was then."""
    loss, parts, grids = make()
    loss(parts, grids, BIT_ERROR, 1)
    first = loss.error(parts, grids)
    grids[3] += 0.5
    for _ in range(VISUAL.period - 1):
        loss(parts, grids, BIT_ERROR, 1)
    moved = loss.error(parts, grids)
    loss(parts, grids, BIT_ERROR, 1)
    assert first != pytest.approx(moved)
    assert loss.error(parts, grids) != pytest.approx(moved)


def test_the_score_is_what_the_fit_is_tuned_for() -> None:
    plain, parts, grids = make(PLAIN)
    assert plain.score(parts, grids) == psnr_db(plain.squared_error(parts, grids))
    view = StageView(SHAPE, 0, parts)
    term = distortion_of(image(), view.exponents, view.layers(parts.layers), Workers())
    values = term.values(*view.shown(parts, grids))
    measure = measure_of("ssimulacra2", image(), Workers())
    assert make()[0].score(parts, grids) == pytest.approx(measure.value(values))


def test_a_coarse_stage_knows_squared_error_alone() -> None:
    octaves = VISUAL.most_octaves + 1
    (ours, parts, grids), (plain, _, _) = make(octaves=octaves), make(PLAIN, octaves)
    ours.follow(parts, grids, curvature=1.0)
    torch.testing.assert_close(
        ours.latents_gradient(parts, grids, BIT_ERROR),
        plain.latents_gradient(parts, grids, BIT_ERROR),
    )
