"""Small sizes of large pictures, asked of coarse grids, against the means of all stored pixels."""

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from sirencodec.bitstream.architecture import grid_shape
from sirencodec.bitstream.header import Header
from sirencodec.entropy.payload import QuantizedPicture
from sirencodec.entropy.stored import open_stored
from sirencodec.synthesis.picture import Picture, to_picture
from sirencodec.synthesis.region import choose_region
from sirencodec.synthesis.samples import paint
from tests.paths import ROOT

WIDTH, HEIGHT = 2400, 1800


@pytest.fixture(scope="module")
def picture() -> Picture:
    """A fitted picture of letters and colours, mirrored to four megapixels."""
    stored = open_stored((ROOT / "tests" / "iiif" / "validation.siren").read_bytes())
    architecture, quantized = stored.header.architecture, stored.decode()
    latents = tuple(
        mirrored(grid, grid_shape(WIDTH, HEIGHT, exponent))
        for exponent, grid in zip(architecture.grids, quantized.latents, strict=True)
    )
    header = Header(WIDTH, HEIGHT, 8, architecture)
    return to_picture(QuantizedPicture(quantized.weights, latents), header)


def mirrored(grid: npt.NDArray[np.int32], shape: tuple[int, int]) -> npt.NDArray[np.int32]:
    missing = [(0, max(0, wanted - had)) for wanted, had in zip(shape, grid.shape, strict=True)]
    return np.ascontiguousarray(np.pad(grid, missing, "symmetric")[: shape[0], : shape[1]])


@pytest.fixture(scope="module")
def whole(picture: Picture) -> PIL.Image.Image:
    return PIL.Image.fromarray(paint(picture, choose_region(picture.header), exact=False))


@pytest.mark.parametrize(
    ("width", "octave", "floor"),
    [
        (8, 2, 38),
        (20, 2, 40),
        (40, 2, 38),
        (80, 2, 36),
        (160, 2, 34),
        (240, 1, 42),
        (320, 1, 41),
        (600, 0, 50),
    ],
)
def test_small_sizes_are_near_means_of_the_whole(
    picture: Picture, whole: PIL.Image.Image, width: int, octave: int, floor: float
) -> None:
    """PSNR, in decibels; each some 2 below what was measured."""
    region = choose_region(picture.header, width=width)
    assert region.octave == octave
    means = whole.resize((region.width, region.height), PIL.Image.Resampling.BOX)
    error = np.square(paint(picture, region, exact=False) - np.asarray(means, float)).mean()
    assert 10 * np.log10(255**2 / error) > floor
