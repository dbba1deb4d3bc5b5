"""What batches come near: the image, or what stands for a blend at the picture as it is."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from sirencodec.bitstream.architecture import Architecture
from sirencodec.fitting.loss.pixel.blend import Blend
from sirencodec.fitting.loss.pixel.blend_settings import BlendSettings
from sirencodec.fitting.pure.pixel_targets import PixelTargets
from sirencodec.fitting.settings import VISUAL
from sirencodec.fitting.start import initial_layers
from sirencodec.synthesis.coordinates import image_coordinates
from sirencodec.synthesis.network import augment, evaluate
from sirencodec.synthesis.threads import Workers
from tests.pictures import make_clouds

WIDTH, HEIGHT = 80, 64  # more than one chunk
POINTS = augment(torch.from_numpy(image_coordinates(WIDTH, HEIGHT)).float())


def image(channels: int = 3) -> Tensor:
    clouds = torch.from_numpy(make_clouds(WIDTH, HEIGHT).astype(np.float32) / 255)
    ramp = torch.linspace(0, 1, WIDTH).expand(HEIGHT, WIDTH)[..., None]
    return torch.cat([clouds, ramp], 2)[..., :channels].permute(2, 0, 1)


def network(channels: int = 3) -> list[Tensor]:
    return initial_layers(
        Architecture(8, 1, channels, 30), (1.0, 1.0), torch.Generator().manual_seed(0)
    )


def test_without_measures_batches_come_near_the_image() -> None:
    targets = PixelTargets(image(), POINTS, BlendSettings(), Workers())
    targets.renew(network())
    assert torch.equal(targets.values, image().flatten(1))
    assert targets.weight_roots is None
    assert targets.squared_error is None


def test_with_measures_they_come_near_what_the_blend_has_of_the_whole_picture() -> None:
    targets = PixelTargets(image(), POINTS, VISUAL, Workers())
    assert torch.equal(targets.values, image().flatten(1))  # before the first look
    targets.renew(network())
    picture = evaluate(network(), POINTS).view(3, HEIGHT, WIDTH)
    wanted = Blend(image(), VISUAL, Workers()).targets(picture)
    torch.testing.assert_close(targets.values, wanted.flatten(1))
    assert targets.squared_error is not None
    assert abs(targets.squared_error - (picture - image()).square().mean().item()) < 1e-6


def test_colours_count_by_their_alpha_with_and_without_measures() -> None:
    with_alpha = image(4)
    for settings in (BlendSettings(), VISUAL):
        targets = PixelTargets(with_alpha, POINTS, settings, Workers())
        assert targets.weight_roots is not None
        weights = targets.weight_roots.square().view(4, HEIGHT, WIDTH)
        torch.testing.assert_close(weights[:3], with_alpha[3:].expand(3, -1, -1))
        assert (weights[3] == 1).all()
