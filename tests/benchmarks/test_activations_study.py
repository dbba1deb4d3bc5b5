"""The study of activations in its quick form: it runs, its figures are sane, the page is theirs."""

import json
import math
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from benchmarks import readme
from benchmarks.cli import main, studying
from benchmarks.measuring.machine import ROOT
from benchmarks.measuring.results import read_run
from benchmarks.studies.activations import (
    arcsine,
    bias,
    central_limit,
    depth,
    folding,
    omega_0,
    rivals,
)
from benchmarks.studies.activations.fitting import Schedule, fit
from benchmarks.studies.activations.folding import Case, with_plain_biases
from benchmarks.studies.activations.networks import KINDS, Network, gradient_of, start, width_for
from benchmarks.studies.activations.page import BLOCKS
from benchmarks.studies.activations.pictures import low_pass, periodic_signal, picture_signal, waves
from benchmarks.studies.activations.plots import PLOTS
from benchmarks.studies.activations.rounding import sensitivities
from benchmarks.studies.activations.study import PARTS
from benchmarks.studies.activations.summary import select, values
from sirencodec.fitting.loss.backpropagation import Backpropagation
from sirencodec.fitting.pure import bit_allocation
from sirencodec.theory import fixed_point, sine_variance

pytestmark = pytest.mark.slow
PAGE = ROOT / "docs" / "why-sine.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("study")


@pytest.fixture(scope="module")
def run(folder):
    output = folder / "quick.json"
    arguments = ["activations", "--quick", "--output", str(output), "--plots", str(folder)]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return read_run(output)


def test_quick_study_has_every_part_and_plot(run, folder):
    parts = {point["part"] for point in run["points"]}
    assert parts == {"time", *(name for names in PARTS.values() for name in names)}
    assert set(PARTS) == set(studying.PARTS)
    drawn = {path.stem for path in folder.glob("*.png")}
    assert drawn == {*PLOTS, "derivatives"}
    assert set(run["sessions"][0]) >= {"command", "commit", "machine", "versions"}
    assert str(folder) not in json.dumps(run)


def test_quick_study_is_all_numbers(run):
    for point in run["points"]:
        for value in point.values():
            if isinstance(value, float):
                assert math.isfinite(value), point


@pytest.mark.parametrize("part", BLOCKS)
def test_every_block_of_the_page_can_be_written(run, part):
    assert BLOCKS[part](run)


def test_sines_of_uniform_phases_are_arcsine(run):
    for point in select(run, arcsine.PART):
        assert point["ks"] < point["ks_significant"]
        assert point["variance"] == pytest.approx(0.5, abs=0.01)


def test_sums_are_nearly_normal(run):
    redrawn = select(run, central_limit.PART, weights="redrawn")
    assert max(values(redrawn, "ks")) < redrawn[0]["ks_significant"]
    wide, narrow = (
        select(run, central_limit.PART, weights="fixed", width=width) for width in (64, 8)
    )
    assert np.mean(values(wide, "ks")) < np.mean(values(narrow, "ks"))
    # Of arcsine inputs under uniform weights: 36 * 3/40 - 3, over the width.
    assert central_limit.excess_kurtosis(10) == pytest.approx(-0.03)


def test_sines_of_normal_phases_have_the_variance_of_theory(run):
    for name, frequency in depth.FREQUENCIES.items():
        for point in select(run, depth.SAMPLE_PART, frequency=name):
            assert point["variance"] == pytest.approx(sine_variance(1.0, frequency), abs=0.01)
        last = select(run, depth.PART, frequency=name, state="start", layer=4)
        expected = fixed_point(frequency=frequency)
        assert np.mean(values(last, "variance")) == pytest.approx(expected, abs=0.06)


def test_growth_is_what_theory_says(run):
    for name, frequency in depth.FREQUENCIES.items():
        points = select(run, depth.PART, frequency=name, state="start", layer=4)
        expected = depth.expected_growth(fixed_point(frequency=frequency), frequency)
        assert np.mean(values(points, "growth")) == pytest.approx(expected, rel=0.05)


def test_pytorch_biases_widen_phases_by_what_they_add(run):
    for width in (16, 32):
        ours, theirs = (
            [point["variances"][-1] for point in select(run, bias.PART, bias=name, width=width)]
            for name in ("here", "PyTorch")
        )
        added = bias.added_variance("PyTorch", width)
        assert added == pytest.approx(300 / width)
        assert np.mean(theirs) - np.mean(ours) == pytest.approx(added, rel=0.3)


def test_rescaled_forms_fit_alike_and_folded_weights_slowly(run):
    def quality(case):
        facts = {"form": case.form, "rescaled": case.rescaled, "plain_biases": case.plain_biases}
        points = select(run, folding.PART, optimizer=case.optimizer, **facts)
        return np.mean(values(points, "psnr_db"))

    for optimizer in folding.REFERENCE_RATES:
        inside = quality(Case(optimizer, "inside"))
        for form in ("weights folded", "biases folded", "both folded"):
            # SOAP's eigenvectors make much of differences in rounding.
            assert quality(Case(optimizer, form, rescaled=True)) == pytest.approx(inside, abs=0.2)
        assert quality(Case(optimizer, "weights folded")) < inside


def test_hidden_omega_is_a_learning_rate(run):
    rescaled = select(run, folding.HIDDEN_PART, rescaled=True, seed=0)
    assert max(values(rescaled, "psnr_db")) - min(values(rescaled, "psnr_db")) < 0.05


def test_the_rule_and_the_old_omega_are_both_measured(run):
    for point in select(run, omega_0.PART):
        same = [p for p in select(run, omega_0.PART) if p["parameters"] == point["parameters"]]
        assert {point["planned"], omega_0.OLD_OMEGA_0} <= {other["omega_0"] for other in same}


def test_rivals_have_no_more_parameters_than_sine(run):
    for point in select(run, rivals.PART):
        sine = select(run, rivals.PART, signal=point["signal"], kind="sine")[0]
        assert 0.9 * sine["parameters"] < point["parameters"] <= sine["parameters"]
    for point in select(run, rivals.WEIGHT_PART):
        assert 0 < point["coded_bits_per_weight"] < point["bits"] + 1
    relu = select(run, rivals.DERIVATIVE_PART, kind="ReLU")[0]
    assert relu["laplacian"] == 0


def test_autograd_and_the_codec_agree_on_the_gradient_of_a_sine_network():
    signal = picture_signal(waves(8))
    layers = start("sine", 2, 6, 1, 3, seed=0)
    mine = gradient_of(Network(KINDS["sine"], 1).values)(layers, signal.points, signal.targets)
    _, theirs = Backpropagation(layers, 64)(layers, signal.points, signal.targets)
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one, other / signal.targets.numel(), rtol=1e-4, atol=1e-7)


def test_sensitivities_of_a_sine_network_are_the_codecs():
    signal = picture_signal(waves(8))
    layers = start("sine", 2, 6, 1, 3, seed=0)
    mine = sensitivities(Network(KINDS["sine"], 1), layers, signal.points)
    assert mine == pytest.approx(bit_allocation.sensitivities(layers, signal.points), rel=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_learns(kind):
    signal = periodic_signal(12)
    inputs = 1 + 2 * 2 if KINDS[kind].is_encoded else 1
    values_at = Network(KINDS[kind], 2).values
    layers = start(kind, inputs, 16, 1, 1, seed=0)
    schedule = Schedule("Adam", 0.01, 200, 0)
    fitted = fit(layers, signal, schedule, values=values_at, gradient=gradient_of(values_at))
    assert fitted.psnr_db > fitted.curve[0][1]
    assert fitted.curve[-1][0] == 200


def test_plain_biases_change_nothing_but_biases():
    layers = start("sine", 2, 4, 1, 3, seed=0)
    plain = with_plain_biases(layers)
    for one, other in zip(layers[:-1], plain[:-1], strict=True):
        assert torch.equal(one[:, :-1], other[:, :-1])
        torch.testing.assert_close(one[:, -1], 30 * other[:, -1])
    assert torch.equal(layers[-1], plain[-1])


def test_widest_network_within_a_limit():
    count = partial(width_for, inputs=2, hidden_layers=1, channels=3)
    # width (2 + 1) + width (width + 1) + 3 (width + 1) at 4: 12 + 20 + 15
    assert count(47) == 4
    assert count(46) == 3


def test_low_pass_leaves_nothing_above_the_band():
    # Three quarters of Nyquist's frequency, in step with the edges that the picture is mirrored at.
    wave = np.cos(np.pi * 24 * (np.arange(32) + 0.5) / 32)
    stripes = np.rint(128 + 100 * wave).astype(np.uint8)[None, :, None].repeat(32, 0).repeat(3, 2)
    assert np.ptp(low_pass(stripes, 0.5)) <= 1
    assert np.array_equal(low_pass(stripes, 1.0), stripes)


def test_part_can_be_run_again_and_strangers_are_named(run, folder):
    output = folder / "quick.json"
    again = ["activations", "--quick", "--parts", "arcsine", "--output", str(output)]
    result = CliRunner().invoke(main, [*again, "--plots", str(folder)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    rerun = read_run(output)
    assert len(rerun["sessions"]) == 2
    assert select(rerun, arcsine.PART)[0]["ks"] == select(run, arcsine.PART)[0]["ks"]
    assert len(rerun["points"]) == len(run["points"])
    for options, named in ((["--parts", "moon"], "moon"), (["--images", "a"], "--dataset")):
        failed = CliRunner().invoke(main, ["activations", *options])
        assert failed.exit_code == 2
        assert named in failed.output


def test_the_page_says_what_the_committed_results_say():
    text = Path(PAGE).read_text(encoding="utf-8")
    assert readme.MARKER.search(text)
    assert readme.render(text) == text, f"run `python -m benchmarks readme --file {PAGE.name}`"
    for name in (*PLOTS, "derivatives"):
        assert f"(images/why-sine/{name}.png)" in text
        assert (PAGE.parent / "images" / "why-sine" / f"{name}.png").exists()
