"""What a picture in the making is asked, and that it does not mind."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from sirencodec.fitting.pyramid.plan import PyramidPlan, plan_pyramid_architecture
from sirencodec.fitting.pyramid.settings import PyramidSettings
from sirencodec.fitting.pyramid.state import PyramidState
from sirencodec.fitting.settings import VISUAL
from sirencodec.synthesis.threads import Workers
from tests.pictures import make_clouds

pytestmark = pytest.mark.usefixtures("one_thread")


def gradients(*, asks: bool) -> list[torch.Tensor]:
    """Of a visual fit's second update, with or without questions before it."""
    settings = replace(PyramidSettings(), blend=VISUAL)
    plan = PyramidPlan(((0, 20),), 0.001, 0, settings=settings)
    architecture = plan_pyramid_architecture(3, settings.plan)
    picture, device = make_clouds(61, 63), torch.device("cpu")
    state = PyramidState(picture, architecture, plan, device, Workers())
    state.start_stage(octaves=0)
    latents = state.soften(0.5, 0.2)
    state.move_latents(state.loss(latents, 1.0), latents, 0.5)
    if asks:
        state.rounded.matrices_bits(state.rounded.matrix_steps(0.001, ()))
        state.rounded.score()
        state.rounded.psnr_db()
    return state.loss(state.soften(0.5, 0.2), 1.0).latents


def test_asking_leaves_the_targets_of_a_visual_fit() -> None:
    torch.testing.assert_close(gradients(asks=True), gradients(asks=False), rtol=0, atol=0)
