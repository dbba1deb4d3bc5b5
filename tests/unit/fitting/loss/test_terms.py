"""Which implementation of a loss term is taken: the compiled one where it can be."""

from __future__ import annotations

import PIL.Image
import pytest
import torch

from sirencodec.bitstream.architecture import grid_shape
from sirencodec.config import EncodeConfig
from sirencodec.encoder import encode_image
from sirencodec.fitting.loss.distortion_torch import TorchDistortion
from sirencodec.fitting.loss.rate_torch import TorchRate
from sirencodec.fitting.loss.terms import distortion_of, rate_of
from sirencodec.image.files import from_pillow
from sirencodec.native.tasks import LARGEST_DEPTH
from sirencodec.synthesis.threads import Workers
from tests.pictures import make_clouds
from tests.quick import quick_settings
from tests.unit.builders import ALL_GRIDS


@pytest.mark.usefixtures("without_loops")
def test_without_loops_pytorch_takes_their_place() -> None:
    targets, layers = torch.zeros(1, 4, 4), [torch.zeros(2, 10), torch.zeros(1, 3)]
    shapes = [grid_shape(4, 4, exponent) for exponent in ALL_GRIDS]
    assert isinstance(distortion_of(targets, ALL_GRIDS, layers, Workers()), TorchDistortion)
    assert isinstance(rate_of(ALL_GRIDS, shapes, targets, Workers()), TorchRate)


def test_a_network_too_deep_for_loops_is_pytorch_s() -> None:
    layers = [torch.zeros(2, 10), *(torch.zeros(2, 3) for _ in range(LARGEST_DEPTH))]
    found = distortion_of(torch.zeros(2, 4, 4), ALL_GRIDS, layers, Workers())
    assert isinstance(found, TorchDistortion)


@pytest.mark.filterwarnings("ignore::sirencodec.TargetWarning")
@pytest.mark.usefixtures("one_thread")
def test_a_fit_without_loops_comes_out_as_well(request: pytest.FixtureRequest) -> None:
    """Not to the same bytes: sums are taken in another order."""
    image = from_pillow(PIL.Image.fromarray(make_clouds(90, 50)))
    config = EncodeConfig(profile="pyramid", bpp=2.5, effort=0, device="cpu")
    compiled = encode_image(image, config, settings=quick_settings())
    request.getfixturevalue("without_loops")
    plain = encode_image(image, config, settings=quick_settings())
    assert plain.psnr_db == pytest.approx(compiled.psnr_db, abs=1.0)
    assert len(plain.data) == pytest.approx(len(compiled.data), rel=0.1)
