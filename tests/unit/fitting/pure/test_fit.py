"""Fitting: reaches a quality, keeps a budget, repeats itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

import sirencodec
from sirencodec.bitstream.architecture import Architecture
from sirencodec.bitstream.quantize import QuantizedWeights, quantize
from sirencodec.entropy.matrices import matrices_bits
from sirencodec.entropy.payload import QuantizedPicture, encode_payload, largest_payload_bits
from sirencodec.errors import FitError, ImageError, LimitError
from sirencodec.fitting.progress import FitProgress
from sirencodec.fitting.pure.fit import PureFit, largest_rate
from sirencodec.fitting.pure.plan import PurePlan
from sirencodec.fitting.pure.settings import PureSettings, RateSettings
from sirencodec.fitting.soap import Soap
from sirencodec.image.quality import psnr_db
from sirencodec.limits import DEFAULT_LIMITS
from tests.pictures import make_clouds
from tests.threads import torch_threads

CPU = torch.device("cpu")
SMALL = Architecture(8, 1, 1, 30)
FLOOR_DB = 24.9


def waves(width: int = 24, height: int = 16) -> npt.NDArray[np.uint8]:
    """A smooth gray picture, (height, width, 1)."""
    y, x = np.mgrid[0:height, 0:width]
    return (128 + 60 * np.sin(x / 5) + 50 * np.cos(y / 4)).round().astype(np.uint8)[:, :, None]


USUAL = PureSettings()


def plan(
    updates: int = 60, budget_bits: float = 700, seed: int = 0, settings: PureSettings = USUAL
) -> PurePlan:
    return PurePlan(updates, 384, budget_bits, seed, settings)


def fit(*arguments: Any) -> QuantizedWeights:
    return PureFit(*arguments).whole()


def empty_network() -> QuantizedWeights:
    """All zeros, the shortest of its shape."""
    shapes = SMALL.layer_shapes
    return quantize([np.zeros(shape) for shape in shapes], [0] * len(shapes))


def as_bytes(quantized: QuantizedWeights) -> bytes:
    return encode_payload(QuantizedPicture(quantized), SMALL).matrices


def encode(picture: npt.NDArray[np.uint8], **options: Any) -> bytes:
    return sirencodec.encode(picture, **{"effort": 0, "device": "cpu", "tune": "psnr"} | options)


# Quality ---------------------------------------------------------------------------------------


def test_a_smooth_picture_is_fitted_closely() -> None:
    picture = waves()
    decoded = sirencodec.decode(encode(picture), device="cpu")
    assert psnr_db(picture, decoded.samples) > 28


@pytest.mark.parametrize("value", [0, 1, 100, 255])
def test_a_flat_picture_stays_flat(value: int) -> None:
    picture = np.full((5, 7, 3), value, dtype=np.uint8)
    decoded = sirencodec.decode(encode(picture), device="cpu").samples.astype(int)
    assert np.abs(decoded - value).max() <= 1


def test_a_single_pixel() -> None:
    picture = np.array([[[10, 200, 90, 255]]], dtype=np.uint8)
    decoded = sirencodec.decode(encode(picture), device="cpu").samples.astype(int)
    assert np.abs(decoded - picture).max() <= 2


def test_a_photograph_is_fitted_as_closely_as_ever() -> None:
    """A floor, 0.3 dB below what this fit came to when it was written: 25.24 dB."""
    data = encode(make_clouds(64, 48), bpp=1.5, profile="pure", seed=1)
    decoded = sirencodec.decode(data, device="cpu")
    assert psnr_db(make_clouds(64, 48), decoded.samples) > FLOOR_DB


# Repetition ------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, second, other = (encode(waves(), seed=seed, size_bytes=150) for seed in (3, 3, 4))
    assert first == second
    assert first != other


@pytest.mark.parametrize("threads", [1, 2])
def test_any_number_of_threads_gives_a_valid_file(threads: int) -> None:
    """Here with enough pixels in a batch for two threads; torch's setting is left as it was."""
    with torch_threads(threads):
        picture = waves(48, 40)
        quantized = fit(picture, SMALL, PurePlan(60, 48 * 40, 700, 0), CPU)
        assert torch.get_num_threads() == threads
    assert matrices_bits(quantized) <= 700
    assert [levels.shape for levels in quantized.levels] == list(SMALL.layer_shapes)


# Budget ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("budget_bits", [250, 400, 700, 1500])
@pytest.mark.parametrize("seed", [0, 1])
def test_budget_is_kept(budget_bits: float, seed: int) -> None:
    quantized = fit(waves(), SMALL, plan(budget_bits=budget_bits, seed=seed), CPU)
    assert matrices_bits(quantized) <= 8 * len(as_bytes(quantized)) <= budget_bits


def test_budget_is_used() -> None:
    quantized = fit(waves(), SMALL, plan(budget_bits=700), CPU)
    assert matrices_bits(quantized) > 0.93 * 700


@pytest.mark.parametrize("size_bytes", [150, 300, 700])
def test_a_file_has_the_size_asked_for(size_bytes: int) -> None:
    """To the last bytes of its stream."""
    data = encode(waves(), size_bytes=size_bytes)
    assert size_bytes - 6 <= len(data) <= size_bytes


@pytest.mark.parametrize("budget_bits", [0, 90, 250, 700, 701, 1500.5])
def test_the_largest_payload_is_one_of_whole_bytes(budget_bits: float) -> None:
    largest = largest_payload_bits(budget_bits, SMALL)
    least = 8 * len(as_bytes(empty_network()))
    assert (largest - least) % 8 == 0
    assert largest == least or largest + 8 <= budget_bits < largest + 16


def test_few_updates_still_make_a_network() -> None:
    for updates in (1, 2, 5):
        quantized = fit(waves(), SMALL, plan(updates), CPU)
        assert matrices_bits(quantized) <= 700


# Progress --------------------------------------------------------------------------------------


def test_progress_is_told_after_every_update() -> None:
    told: list[FitProgress] = []
    fit(waves(), SMALL, plan(30), CPU, told.append)
    assert [progress.step for progress in told] == list(range(1, 31))
    assert {progress.steps for progress in told} == {30}
    assert all(math.isfinite(progress.psnr_db) for progress in told)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_progress_tells_of_the_file(seed: int) -> None:
    """What is written is as good as the last step: to meet its budget it needs no further cut."""
    picture, told = make_clouds(100, 100), list[FitProgress]()
    options = {"profile": "pure", "effort": 0, "seed": seed, "device": "cpu", "tune": "psnr"}
    data = sirencodec.encode(picture, size_bytes=210, on_step=told.append, **options)
    decoded = sirencodec.decode(data)
    assert told[-1].psnr_db > told[0].psnr_db + 6
    assert told[-1].psnr_db == pytest.approx(psnr_db(picture, decoded.samples), abs=0.18)


def test_an_exception_in_the_callback_ends_the_fit() -> None:
    """So does Ctrl-C; the setting of threads is put back."""
    before = torch.get_num_threads()

    def stop(progress: FitProgress) -> None:
        if progress.step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(waves(), SMALL, plan(), CPU, stop)
    assert torch.get_num_threads() == before


# Failure ---------------------------------------------------------------------------------------


class Dynamite(Soap):
    """SOAP that throws the network away at its last update."""

    def __init__(self, layers: Sequence[Tensor], fuse: float) -> None:
        super().__init__(layers)
        self._fuse = fuse

    def update(self, gradients: Sequence[Tensor], learning_rates: Sequence[float]) -> None:
        self._fuse -= 1
        super().update(gradients, learning_rates if self._fuse else [1e30] * len(learning_rates))


def test_a_fit_that_blows_up_is_an_error() -> None:
    """Samples are integers, so only the updates themselves can make a loss that is not finite."""
    rates = RateSettings(largest=1e30, narrow=1e30, wide=1e30)
    with pytest.raises(FitError, match="diverged at every learning rate"):
        fit(waves(), SMALL, plan(settings=replace(USUAL, rates=rates)), CPU)


def test_a_fit_that_blew_up_starts_again() -> None:
    """Here by its second update, then by its fourth, and then not any more."""
    fuses = iter([2, 4, math.inf])
    settings = replace(USUAL, optimizer=lambda layers: Dynamite(layers, next(fuses)))
    told: list[FitProgress] = []
    fit(waves(), SMALL, plan(12, settings=settings), CPU, told.append)
    assert [progress.step for progress in told] == [1, 2, *range(1, 5), *range(1, 13)]


def test_a_fit_worse_than_a_flat_picture_starts_again() -> None:
    """With patience of ten updates and none for any error."""
    rates = replace(USUAL.rates, settling_updates=10, diverged=0.0, most_restarts=1)
    told: list[FitProgress] = []
    with pytest.raises(FitError, match="diverged at every learning rate"):
        fit(waves(), SMALL, plan(settings=replace(USUAL, rates=rates)), CPU, told.append)
    assert [progress.step for progress in told] == 2 * [*range(1, 11)]


def test_wide_networks_learn_slowly() -> None:
    """By one bound after another, each holding where it is the smallest."""
    rates = [largest_rate(width, USUAL.rates) for width in (1, 16, 36, 60, 500)]
    assert rates == pytest.approx([0.04, 0.04, 0.16 / 6, 41 / 3600, 41 / 250_000])


def test_an_image_too_long_for_a_file_is_refused_at_once() -> None:
    with pytest.raises(ImageError, match="65535"):
        sirencodec.encode(np.zeros((1, 65_536), np.uint8))
    with pytest.raises(ImageError, match="65535"):
        sirencodec.encode(np.zeros((65_536, 1), np.uint8))


def test_metadata_too_large_for_a_reader_is_refused_at_once() -> None:
    metadata = sirencodec.Metadata(xmp=bytes(DEFAULT_LIMITS.max_metadata_bytes))
    with pytest.raises(LimitError, match="metadata bytes"):
        sirencodec.encode(sirencodec.Image(waves(), metadata))
