"""Random layers of a network of coordinates: the distribution of its activations."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from sirencodec.bitstream.architecture import Architecture
from sirencodec.fitting.start import initial_layers
from sirencodec.synthesis.network import Layers
from tests.unit.builders import random_points


def random_start(architecture: Architecture, axes: tuple[float, float] = (1.0, 1.0)) -> Layers:
    return initial_layers(architecture, axes, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("features", [32, 256])
def test_phases_keep_their_variance_through_depth(features: int) -> None:
    """In the first hidden layer it is 1. Where it is Gaussian, that of a sine is (1 - e^-2v) / 2;
    the variance thus settles near the v with v = 1 - e^-2v, which is 0.8.
    """
    layers = random_start(Architecture(features, 6, 3, 30))
    hidden, variances = random_points(4096).float(), []
    for layer in layers[:-1]:
        phase = layer @ hidden
        variances.append(float(phase.var()))
        hidden = torch.cat([torch.sin(phase), torch.ones_like(phase[:1])])
    assert variances[1] == pytest.approx(1, abs=0.1)
    assert variances[2:] == pytest.approx([0.85] * 5, abs=0.12)


def test_activations_are_arcsine_distributed() -> None:
    """After the first layer exactly so; after Gaussian phases of variance 0.8 within 0.1."""
    layers = random_start(Architecture(256, 6, 3, 30))
    hidden, distances = random_points(4096).float(), []
    for layer in layers[:-1]:
        hidden = torch.sin(layer[:, :-1] @ hidden[: layer.shape[1] - 1] + layer[:, -1:])
        sorted_values = np.sort(hidden.double().numpy().ravel())
        arcsine = 0.5 + np.arcsin(sorted_values) / np.pi
        empirical = (np.arange(len(arcsine)) + 0.5) / len(arcsine)
        distances.append(float(np.abs(empirical - arcsine).max()))
    assert distances[0] < 0.01
    assert max(distances) < 0.1


def test_bounds_of_the_initial_weights() -> None:
    layers = random_start(Architecture(50, 2, 3, 30))
    hidden_bound = math.sqrt(6 / 50)
    bounds = [15.0, hidden_bound, hidden_bound, 0.1 * hidden_bound]
    for layer, bound in zip(layers, bounds, strict=True):
        assert 0.9 * bound < layer[:, :-1].abs().max() <= bound
    assert 0.9 * math.pi < layers[0][:, -1].abs().max() <= math.pi
    assert layers[1][:, -1].abs().max() <= hidden_bound / 2
    assert not layers[-1][:, -1].any()


def test_axis_scale_and_seed() -> None:
    architecture = Architecture(9, 1, 1, 30)
    square, wide = random_start(architecture), random_start(architecture, (1.0, 0.25))
    torch.testing.assert_close(wide[0], square[0] * torch.tensor([1.0, 0.25, 1.0]))
    torch.testing.assert_close(wide[1:], square[1:])
    other = initial_layers(architecture, (1.0, 1.0), torch.Generator().manual_seed(1))
    assert not torch.equal(other[0], square[0])
