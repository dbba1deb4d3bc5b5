"""An image by swaths is judged as a whole one is."""

from __future__ import annotations

import pytest
import torch

from sirencodec.fitting.loss.appraisal import Appraisal
from sirencodec.fitting.loss.appraisal_swaths import SwathAppraisal
from sirencodec.fitting.loss.appraisal_whole import WholeAppraisal
from sirencodec.fitting.loss.pixel.blend_settings import BlendSettings
from sirencodec.fitting.loss.pixel_rows import SampleRows
from sirencodec.fitting.loss.values import values_of
from sirencodec.fitting.settings import VISUAL
from sirencodec.native.library import single_loops
from sirencodec.synthesis.threads import Workers
from sirencodec.synthesis.torch_threads import worker_threads
from tests.pictures import make_clouds
from tests.unit.builders import ALL_GRIDS
from tests.unit.fitting.loss.distortion_cases import Case, flat

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.skipif(not single_loops(), reason="loops are not built"),
]
WIDTH, HEIGHT = 70, 203


def both(
    channels: int, blend: BlendSettings, workers: Workers | None = None, height: int = HEIGHT
) -> tuple[Appraisal, Appraisal, Case]:
    case, samples = Case(WIDTH, height, channels=channels), make_clouds(WIDTH, height, channels)
    case.layers = [layer.float() for layer in case.layers]
    case.layers[-1] *= 0.3
    case.layers[-1][:, -1] = 0.5
    case.kernels = case.kernels.float()
    case.latents = [grid.float() for grid in case.latents]
    case.refinement = [matrix.float() for matrix in case.refinement]
    workers = workers or Workers()
    return (
        WholeAppraisal(values_of(samples), ALL_GRIDS, case.layers, blend, workers),
        SwathAppraisal(SampleRows(samples), ALL_GRIDS, blend, workers, rows=64),
        case,
    )


@pytest.mark.parametrize("blend", [BlendSettings(), VISUAL], ids=["plain", "visual"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_swaths_say_the_same(channels: int, blend: BlendSettings) -> None:
    whole, swaths, case = both(channels, blend)
    assert swaths.renews == whole.renews
    for name in ("error", "squared_error", "score", "ssimulacra2", "largest_error"):
        expected = getattr(whole, name)(case.parts)
        assert getattr(swaths, name)(case.parts) == pytest.approx(expected, rel=2e-3), name


@pytest.mark.parametrize("curvature", [1.0, 0.5])
def test_what_is_followed_is_the_same(curvature: float) -> None:
    whole, swaths, case = both(3, VISUAL)
    expected = whole.follow(case.parts, curvature)
    assert swaths.follow(case.parts, curvature) == pytest.approx(expected, rel=1e-3)
    one, other = (each.distortion(*case.parts) for each in (whole, swaths))
    assert other.error == pytest.approx(one.error, rel=5e-3)
    for ours, theirs in zip(flat(other.gradient), flat(one.gradient), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0.01 * float(theirs.abs().max()))


def test_an_update_renews_as_a_look_does() -> None:
    _, swaths, case = both(3, VISUAL)
    _, others, _ = both(3, VISUAL)
    swaths.distortion(*case.parts, values=swaths.room)
    assert swaths.renew() == others.follow(case.parts, 1.0)
    assert swaths.error(case.parts) == others.error(case.parts)


def test_threads_change_nothing() -> None:
    _, alone, case = both(3, VISUAL)
    alone.follow(case.parts, 1.0)
    expected = alone.distortion(*case.parts)
    with worker_threads(3) as workers:
        _, shared, _ = both(3, VISUAL, workers)
        shared.follow(case.parts, 1.0)
        found = shared.distortion(*case.parts)
    assert found.error == expected.error
    for one, other in zip(flat(found.gradient), flat(expected.gradient), strict=True):
        assert torch.equal(one, other)


def test_swaths_have_the_errors_of_all_rows() -> None:
    whole, swaths, case = both(3, BlendSettings())
    parts = list(swaths.distortion.errors_by_rows(*case.parts))
    assert [top for top, _ in parts] == [0, 64, 128, 192]
    found = torch.cat([errors for _, errors in parts])
    torch.testing.assert_close(found, whole.distortion.errors(*case.parts))


@pytest.mark.parametrize("number", [0, 1], ids=["whole", "swaths"])
def test_a_sample_of_rows_stands_for_all(number: int) -> None:
    *appraisals, case = both(3, BlendSettings(), height=600)
    appraisal = appraisals[number]
    found = appraisal.distortion.errors(*case.parts)
    some = list(appraisal.distortion.errors_by_rows(*case.parts, is_sampled=True))
    assert 0 < sum(len(errors) for _, errors in some) < len(found) / 2
    for top, errors in some:
        torch.testing.assert_close(errors, found[top : top + len(errors)])
    assert appraisal.error(case.parts) == pytest.approx(float(found.mean()), rel=0.2)


def test_of_a_low_image_all_rows_are_the_sample() -> None:
    whole, swaths, case = both(3, BlendSettings())
    for appraisal in (whole, swaths):
        errors = appraisal.distortion.errors(*case.parts)
        assert appraisal.error(case.parts) == pytest.approx(float(errors.mean()))
