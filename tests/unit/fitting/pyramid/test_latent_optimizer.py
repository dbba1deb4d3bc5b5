"""Moves of latents, in units that a whole grid shares."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from sirencodec.entropy.latents import LARGEST_LATENT
from sirencodec.fitting.pyramid.latent_optimizer import LatentOptimizer
from sirencodec.fitting.pyramid.settings import LatentSettings

SETTINGS = LatentSettings()
SIZES = [40, 10]


def random_gradient() -> Tensor:
    return torch.randn(sum(SIZES), generator=torch.Generator().manual_seed(0))


def moved(
    gradients: list[Tensor], rate: float = 0.1, settings: LatentSettings = SETTINGS
) -> Tensor:
    """Latents that began at zero."""
    latents = torch.zeros(sum(SIZES))
    optimizer = LatentOptimizer(latents, SIZES, settings)
    for gradient in gradients:
        optimizer.update(torch.split(gradient.clone(), SIZES), rate)
    return latents


def test_the_first_update_is_in_units_of_each_grids_root_mean_square() -> None:
    gradient = random_gradient()
    gradient[SIZES[0] :] *= 1000
    for found, own in zip(moved([gradient]).split(SIZES), gradient.split(SIZES), strict=True):
        torch.testing.assert_close(found, -0.1 * own / own.square().mean().sqrt())


def test_the_size_of_the_loss_does_not_matter() -> None:
    gradients = [random_gradient(), 2 * random_gradient().flip(0)]
    torch.testing.assert_close(moved([1e-6 * one for one in gradients]), moved(gradients))


def test_a_lasting_gradient_moves_latents_by_the_rate() -> None:
    ones = [torch.ones(sum(SIZES))] * 7
    torch.testing.assert_close(moved(ones), torch.full((sum(SIZES),), -0.7))


def test_momentum_is_how_much_of_a_gradient_lasts() -> None:
    """After a gradient that is gone, without it nothing moves."""
    gradient, nothing = random_gradient(), torch.zeros(sum(SIZES))
    for momentum in (0.0, 0.4):
        settings = replace(SETTINGS, momentum=momentum)
        once = moved([gradient], settings=settings)
        twice = moved([gradient, nothing], settings=settings)
        assert torch.equal(once, twice) == (momentum == 0)


def test_no_latent_goes_further_than_the_longest_move() -> None:
    """One of 40 has a gradient: sqrt(40) = 6.3 times the root mean square."""
    gradient = torch.zeros(sum(SIZES))
    gradient[0] = -1
    for longest, expected in ((8.0, math.sqrt(40)), (2.0, 2.0), (math.inf, math.sqrt(40))):
        latents = moved([gradient], settings=replace(SETTINGS, longest_move=longest))
        assert float(latents[0]) == pytest.approx(0.1 * expected)
        assert not latents[1:].any()


def test_latents_stay_within_what_a_file_may_hold() -> None:
    latents = moved([torch.ones(sum(SIZES))] * 3, rate=LARGEST_LATENT)
    assert (latents == -LARGEST_LATENT).all()
