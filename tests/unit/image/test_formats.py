"""Samples of a mode that a format lacks -> the nearest that it has, and what is said of it."""

import numpy as np
import pytest

from sirencodec.errors import ConversionWarning
from sirencodec.image.files import read_image
from sirencodec.image.image import Image
from tests.unit.image.builders import make_image, make_samples, messages, written


@pytest.mark.parametrize("mode", ["L;16", "RGB;16"])
def test_16_bits_are_rounded_for_jpeg(mode: str) -> None:
    with pytest.warns(ConversionWarning, match="JPEG: 16 bits a sample were rounded to 8"):
        data = written(Image(np.full_like(make_samples(mode), 128 * 257 + 100)), "JPEG")
    assert np.all(read_image(data).samples == 128)


@pytest.mark.parametrize(
    ("mode", "colour"), [("LA", (0, 51)), ("RGBA", (0, 0, 0, 51)), ("RGBA;16", (0, 0, 0, 51 * 257))]
)
def test_transparency_is_laid_on_white(mode: str, colour: tuple[int, ...]) -> None:
    samples = np.zeros_like(make_samples(mode)) + np.array(colour, make_samples(mode).dtype)
    with pytest.warns(ConversionWarning) as caught:
        back = read_image(written(Image(samples), "BMP"))
    assert "transparency was replaced by white" in messages(caught)
    assert back.mode == mode[: len(mode.removesuffix(";16")) - 1]
    assert np.all(back.samples == 204)


def test_opaque_alpha_goes_without_a_word() -> None:
    samples = make_samples("RGBA")
    samples[:, :, 3] = 255
    assert np.array_equal(read_image(written(Image(samples), "BMP")).samples, samples[:, :, :3])


@pytest.mark.parametrize(("mode", "wider"), [("L", "RGB"), ("LA", "RGBA")])
def test_gray_becomes_rgb_where_there_is_no_gray(mode: str, wider: str) -> None:
    image = make_image(mode)
    back = read_image(written(image, "WEBP"))
    assert back.mode == wider
    assert np.array_equal(back.samples[:, :, 2], image.samples[:, :, 0])
    assert np.array_equal(back.samples[:, :, -1], image.samples[:, :, -1])
