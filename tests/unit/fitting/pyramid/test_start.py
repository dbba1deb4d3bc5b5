"""The network that the fit of a pyramid starts from: trained, for any lambda and channels."""

from __future__ import annotations

import math

import pytest
import torch

from sirencodec.bitstream.architecture import INPUTS, Architecture
from sirencodec.fitting.pyramid.plan import plan_pyramid_architecture
from sirencodec.fitting.pyramid.plan_settings import PlanSettings
from sirencodec.fitting.pyramid.start import (
    LUMA,
    TRAINED_ARCHITECTURE,
    TRAINED_LAMBDA,
    random_network,
    starting_network,
)
from sirencodec.fitting.pyramid.start_settings import StartSettings
from sirencodec.synthesis.network import augment, evaluate
from tests.unit.builders import architecture

FEATURES = len(TRAINED_ARCHITECTURE.grids)
SETTINGS = StartSettings()


def usual(channels: int) -> Architecture:
    """What the encoder fits."""
    return plan_pyramid_architecture(channels, PlanSettings())


def start(shape: Architecture, mean: float = 0.5, lambda_: float = TRAINED_LAMBDA):
    generator = torch.Generator().manual_seed(3)
    return starting_network(
        shape, torch.full((shape.channels,), mean), lambda_, generator, SETTINGS
    )


def colours(shape: Architecture, scale: float = 1.0, **options: float) -> torch.Tensor:
    """Values of the network for some features."""
    generator = torch.Generator().manual_seed(4)
    features = torch.randn(FEATURES, 50, generator=generator) * scale
    layers, _ = start(shape, **options)
    return evaluate(layers, augment(torch.zeros(50, INPUTS), features))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_it_has_the_shapes_of_the_encoder_s_network(channels: int) -> None:
    shape = usual(channels)
    layers, kernels = start(shape)
    assert tuple(tuple(layer.shape) for layer in layers) == shape.layer_shapes
    assert (tuple(kernels.shape),) == shape.kernel_shapes
    assert torch.count_nonzero(layers[0][:, INPUTS:-1]) > 0.9 * 16 * FEATURES, "it is the trained"


def test_the_mean_shifts_all_values() -> None:
    shape = usual(3)
    shifted = colours(shape, mean=0.7) - colours(shape, mean=0.5)
    torch.testing.assert_close(shifted, torch.full((3, 50), 0.2))


def test_features_count_by_the_root_of_the_lambda() -> None:
    """At a quarter of it the same colours take latents twice as large."""
    shape = usual(3)
    same = colours(shape, 2.0, lambda_=TRAINED_LAMBDA / 4)
    torch.testing.assert_close(same, colours(shape), atol=1e-5, rtol=1e-4)


def test_gray_is_the_luma_of_the_colours() -> None:
    luma = torch.tensor(LUMA) @ (colours(usual(3)) - 0.5)
    torch.testing.assert_close(colours(usual(1))[0] - 0.5, luma)


@pytest.mark.parametrize("channels", [2, 4])
def test_opacity_starts_at_its_mean(channels: int) -> None:
    values = colours(usual(channels))
    torch.testing.assert_close(values[-1], torch.full((50,), 0.5))
    torch.testing.assert_close(values[:-1], colours(usual(channels - 1)))


def test_starts_do_not_share_their_numbers() -> None:
    """A fit moves them in place."""
    shape = usual(3)
    layers, kernels = start(shape)
    for matrix in (*layers, kernels):
        matrix.zero_()
    layers, kernels = start(shape)
    assert all(matrix.any() for matrix in (*layers, kernels))


def test_other_architectures_start_at_random() -> None:
    shape = architecture((0, 1, 2), channels=3)
    layers, kernels = start(shape)
    expected = random_network(
        shape, torch.full((3,), 0.5), torch.Generator().manual_seed(3), SETTINGS
    )
    for ours, other in zip((*layers, kernels), (*expected[0], expected[1]), strict=True):
        torch.testing.assert_close(ours, other, rtol=0, atol=0)


def test_random_phases_have_unit_variance_for_unit_latents() -> None:
    shape = Architecture(400, 1, 1, 1, tuple(range(7)), 1)
    generator = torch.Generator().manual_seed(0)
    layers, _ = random_network(shape, torch.zeros(1), generator, SETTINGS)
    features = torch.randn(FEATURES, 1000, generator=generator)
    phases = layers[0][:, :-1] @ augment(torch.zeros(1000, INPUTS), features)[:-1]
    assert float(phases.std()) == pytest.approx(1, rel=0.1)
    assert float(layers[0][:, -1].abs().max()) <= math.pi / 4
