"""Reduced pictures: hidden colours do not show, by every way there is to compute them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from sirencodec.bitstream.architecture import Architecture
from sirencodec.bitstream.container import Header
from sirencodec.native.picture import double_painters, single_painters
from sirencodec.synthesis.device import choose_device
from sirencodec.synthesis.picture import Picture
from sirencodec.synthesis.query_native import paint_native
from sirencodec.synthesis.query_numpy import paint_numpy
from sirencodec.synthesis.query_torch import query_samples
from sirencodec.synthesis.region import choose_region
from sirencodec.synthesis.torch_picture import to_torch

SIDE = 16
Samples = npt.NDArray[np.uint16]


def picture(channels: int) -> Picture:
    """Transparent left of the middle, opaque right of it; colours rise from left to right."""
    header = Header(SIDE, SIDE, 16, Architecture(1, 0, channels, 1))
    colour, alpha = [0.3, 0.5], [1000.0, 0.5]  # of a sine, which x alone moves, and a bias
    layers = [np.array([[1.0, 0.0, 0.0]]), np.array([colour] * (channels - 1) + [alpha])]
    return Picture(header, SIDE, SIDE, layers, (), (), np.empty((0, 4)), ())


def by_numpy(asked: Picture, width: int) -> Samples:
    wanted = choose_region(asked.header, width=width)
    samples = np.zeros((width, width, asked.header.architecture.channels), np.uint16)
    paint_numpy(asked, wanted, samples, np.float32)
    return samples


def by_torch(asked: Picture, width: int) -> Samples:
    wanted = choose_region(asked.header, width=width)
    samples: Samples = query_samples(to_torch(asked, choose_device("cpu"), exact=True), wanted, 16)
    return samples


def by_loops(number: int, asked: Picture, width: int) -> Samples:
    painters, dtype = [(single_painters(), np.float32), (double_painters(), np.float64)][number]
    if not painters:
        pytest.skip("nothing was compiled")
    wanted = choose_region(asked.header, width=width)
    samples = np.zeros((width, width, asked.header.architecture.channels), np.uint16)
    paint_native(painters[0], asked, wanted, samples, dtype)
    return samples


WAYS = [
    by_numpy,
    by_torch,
    lambda asked, width: by_loops(0, asked, width),
    lambda asked, width: by_loops(1, asked, width),
]


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("paint", WAYS, ids=["numpy", "torch", "single", "double"])
def test_a_mean_of_transparent_and_opaque_has_the_colour_of_the_opaque(
    paint: Callable[[Picture, int], Samples], channels: int
) -> None:
    asked = picture(channels)
    stored = paint(asked, SIDE)[0].astype(float)
    visible = stored[SIDE // 2 :, 0].mean()
    (found,) = paint(asked, 1)[0].astype(float)
    assert found[-1] == pytest.approx(0.5 * 65535, abs=1)
    assert found[:-1] == pytest.approx([visible] * (channels - 1), abs=3)


@pytest.mark.parametrize("paint", WAYS, ids=["numpy", "torch", "single", "double"])
def test_regions_stay_opaque_and_transparent_and_hidden_colours_go_on(
    paint: Callable[[Picture, int], Samples],
) -> None:
    asked = picture(4)
    stored, reduced = paint(asked, SIDE)[0].astype(float), paint(asked, 4)[0]
    assert reduced[:, 3].tolist() == [0, 0, 65535, 65535]
    means = stored[:, :3].reshape(4, 4, 3).mean(1)
    np.testing.assert_allclose(reduced[:, :3], means, atol=2)
