"""What ``inspect`` finds in files: golden ones of both profiles, and fresh networks near theory."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

import sirencodec
from sirencodec.bitstream.architecture import Architecture
from sirencodec.bitstream.container import write_container
from sirencodec.bitstream.header import Header
from sirencodec.bitstream.quantize import QuantizedWeights, nearest_step_index, quantize
from sirencodec.entropy.payload import QuantizedPicture, encode_payload, matrix_shapes
from sirencodec.errors import DependencyError, FormatError, LimitError
from sirencodec.fitting.bounds import axis_scale
from sirencodec.inspection.histogram import (
    Histogram,
    activation_histogram,
    phase_histogram,
    shape_distance,
    value_histogram,
)
from sirencodec.inspection.plot import plot_inspection
from sirencodec.inspection.report import Inspection
from tests.paths import INVALID, VALID, golden
from tests.reference_decoder import parse, values

DAMAGED_METADATA = ("16-", "17-", "18-")  # which inspecting does not read


def make_file(
    architecture: Architecture, width: int, height: int, latents: tuple[np.ndarray, ...] = ()
) -> bytes:
    """A file whose matrices are random."""
    generator = np.random.default_rng(0)
    shapes = matrix_shapes(architecture)
    count = len(architecture.layer_shapes)
    layers = [generator.normal(0, 0.3, shape) for shape in shapes[:count]]
    weights = quantize(layers, [nearest_step_index(0.01)] * count)
    rest = tuple(np.zeros(shape, np.int32) for shape in shapes[count:])
    weights = QuantizedWeights(weights.levels + rest, weights.step_indices + (0,) * len(rest))
    payload = encode_payload(QuantizedPicture(weights, latents), architecture)
    return write_container(Header(width, height, 8, architecture), payload, None)


def histograms(found: Inspection) -> list[Histogram]:
    phases = [layer.pre_activations for layer in found.layers]
    return phases + [layer.activations for layer in found.layers if layer.activations is not None]


# Golden files


@pytest.mark.parametrize("at_init", [False, True], ids=["fitted", "init"])
@pytest.mark.parametrize("path", sorted(VALID.glob("*.siren")), ids=lambda path: path.stem)
def test_golden_files(path: Path, at_init: bool) -> None:
    found = sirencodec.inspect(path, at_init=at_init)
    info = sirencodec.read_info(path)
    assert found.info == info
    assert found.at_init == at_init
    assert [layer.kind for layer in found.layers] == ["sine"] * (info.hidden_layers + 1) + [
        "linear"
    ]
    for histogram in histograms(found):
        edges, density = np.array(histogram.edges), np.array(histogram.density)
        assert density.min() >= 0
        assert density @ np.diff(edges) + histogram.outside == pytest.approx(1)
        if histogram.prediction is not None:
            assert 0 <= histogram.prediction.ks_distance <= 1
            mass = np.array(histogram.prediction.density) @ np.diff(edges)
            assert 0.99 < mass < 1 + 1e-9
    for layer in found.layers:
        assert layer.shape_ks_distance is None or 0 <= layer.shape_ks_distance <= 1
    bits = found.bits
    assert bits.payload == 8 * info.payload_bytes
    assert bits.layers == pytest.approx(sum(layer.bits for layer in found.layers))
    spent = (
        bits.layers + bits.kernels + bits.context + bits.refinement + sum(bits.grids) + bits.rest
    )
    assert spent == pytest.approx(bits.payload)
    assert len(bits.grids) == len(info.grids)
    assert (bits.refinement >= 2 * 16) == (bits.context >= 12 * 16) == bool(info.grids)
    record = json.loads(json.dumps(asdict(found), allow_nan=False))
    assert record["layers"][0]["inputs"] == 2 + len(info.grids)


@pytest.mark.parametrize("name", ["rgb", "gray-alpha", "photograph", "pyramid-rgb", "pyramid-half"])
def test_last_layer_is_the_image(name: str) -> None:
    """Mean and deviation over all pixels are those of the reference decoder's values."""
    expected = values(parse(golden(name)))
    last = sirencodec.inspect(golden(name)).layers[-1].pre_activations
    assert last.mean == pytest.approx(expected.mean(), abs=1e-5)
    assert last.standard_deviation == pytest.approx(expected.std(), abs=1e-5)
    assert last.prediction is None


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(INVALID.iterdir()) if not path.name.startswith(DAMAGED_METADATA)],
    ids=lambda path: path.stem,
)
def test_broken_files_are_refused(path: Path) -> None:
    with pytest.raises(FormatError):
        sirencodec.inspect(path)


@pytest.mark.parametrize("limit", ["max_pixels", "max_parameters", "max_multiply_adds"])
def test_limits(limit: str) -> None:
    with pytest.raises(LimitError):
        sirencodec.inspect(golden("photograph"), limits=sirencodec.Limits(**{limit: 10}))


# Fresh networks


@pytest.mark.parametrize("size", [(64, 48), (31, 90)], ids=str)
def test_a_wide_fresh_network_is_near_theory(size: tuple[int, int]) -> None:
    found = sirencodec.inspect(make_file(Architecture(256, 3, 3, 30), *size), at_init=True)
    for layer in found.layers[:-1]:
        assert layer.activations is not None
        prediction = layer.pre_activations.prediction
        assert prediction is not None
        assert layer.pre_activations.standard_deviation == pytest.approx(
            prediction.standard_deviation, rel=0.08
        )
        assert prediction.ks_distance < 0.04
        assert layer.activations.prediction is not None
        assert layer.activations.prediction.ks_distance < 0.1
    first = found.layers[0].pre_activations.prediction
    scales = axis_scale(*size)
    # Weights U(-15, 15) times their scale, coordinates U(-1, 1), biases U(-pi, pi).
    expected = sum((15 * scale) ** 2 / 3 / 3 for scale in scales) + math.pi**2 / 3
    assert first is not None
    assert first.standard_deviation == pytest.approx(math.sqrt(expected), rel=1e-2)
    assert found.frequencies.largest <= 15 / (math.pi * max(size))


def test_a_wide_fresh_pyramid_is_near_theory() -> None:
    generator = np.random.default_rng(1)
    shapes = [(40, 64), (20, 32)]
    latents = tuple(generator.integers(-2, 3, shape).astype(np.int32) for shape in shapes)
    data = make_file(Architecture(256, 1, 3, 1, (0, 1), 1), 64, 40, latents)
    found = sirencodec.inspect(data, at_init=True)
    for layer in found.layers[:-1]:
        prediction = layer.pre_activations.prediction
        assert prediction is not None
        assert layer.pre_activations.standard_deviation == pytest.approx(
            prediction.standard_deviation, rel=0.08
        )
    assert found.frequencies.largest == 0
    assert min(found.bits.grids) > 0


def test_the_seed_chooses_the_fresh_network() -> None:
    data = golden("rgb")
    assert sirencodec.inspect(data, at_init=True) == sirencodec.inspect(data, at_init=True)
    assert sirencodec.inspect(data, at_init=True, seed=1) != sirencodec.inspect(data, at_init=True)


# Points


def points(data: bytes) -> tuple[int, int]:
    found = sirencodec.inspect(data)
    return found.points_across, found.points_down


def test_large_images_are_asked_at_some_pixels() -> None:
    """The same function over more pixels: 65,536 of them are enough."""
    network = Architecture(12, 2, 3, 30)
    small, large = (make_file(network, 4 * scale, 3 * scale) for scale in (60, 100))
    assert points(small) == (240, 180)
    assert points(large) == (133, 100)  # every third
    pairs = zip(*(histograms(sirencodec.inspect(data)) for data in (small, large)), strict=True)
    for ours, theirs in pairs:
        assert ours.standard_deviation == pytest.approx(theirs.standard_deviation, rel=0.01)


def test_wide_networks_are_asked_at_fewer() -> None:
    assert points(make_file(Architecture(200, 0, 3, 30), 240, 180)) == (80, 60)


def test_a_long_thin_image_keeps_its_only_line() -> None:
    assert points(make_file(Architecture(200, 0, 3, 30), 65_535, 1)) == (13_107, 1)  # every fifth


# Histograms


def test_histograms_of_what_is_predicted() -> None:
    generator = np.random.default_rng(2)
    phases = generator.normal(0, 2, (50, 1000)).astype(np.float32)
    found = phase_histogram(phases, 4.0)
    assert found.prediction is not None
    assert found.prediction.name == "normal"
    assert found.prediction.standard_deviation == 2
    assert found.prediction.ks_distance < 0.01
    np.testing.assert_allclose(found.density, found.prediction.density, atol=0.015)
    assert shape_distance(3 + 5 * phases) == pytest.approx(shape_distance(phases), abs=1e-4)
    sines = activation_histogram(np.sin(generator.uniform(0, 20 * math.pi, 50_000)))
    assert sines.prediction is not None
    assert sines.prediction.name == "arcsine"
    assert sines.prediction.ks_distance < 0.01
    assert sines.outside == 0


def test_histograms_of_equal_samples() -> None:
    flat = np.full((2, 3), 0.25, np.float32)
    assert shape_distance(flat) is None
    for found in (value_histogram(flat), phase_histogram(flat, 1.0), activation_histogram(flat)):
        assert found.standard_deviation == 0
        assert np.dot(found.density, np.diff(found.edges)) == pytest.approx(1)


# Picture


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "at_init"),
    [
        ("rgb", False),
        ("zeros", False),
        ("one-pixel", False),
        ("deep", False),
        ("pyramid-half", True),
        ("pyramid-only-64", False),
    ],
)
def test_pictures_are_drawn(name: str, at_init: bool, tmp_path: Path) -> None:
    """Whatever the network: one of zeros, one deeper than is shown."""
    found = sirencodec.inspect(golden(name), at_init=at_init)
    figure = plot_inspection(found, "an odd $name_{x")
    figure.savefig(tmp_path / "picture.png", dpi=30)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    sines = min(len(found.layers) - 1, 12)
    assert sum("phases (" in title for title in titles) == sines
    assert sum("their sines" in title for title in titles) == sines
    for axes in figure.axes:
        if axes.get_title(loc="left"):
            assert axes.get_xlabel()


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.axes", None)
    monkeypatch.delitem(sys.modules, "sirencodec.inspection.plot")
    monkeypatch.delitem(vars(sirencodec), "plot_inspection", raising=False)
    with pytest.raises(DependencyError, match=r"pip install 'sirencodec\[plots\]'"):
        _ = sirencodec.plot_inspection
    assert sirencodec.inspect(golden("rgb")).layers
