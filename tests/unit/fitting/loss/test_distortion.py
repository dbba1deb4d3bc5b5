"""Error of a pyramid's image, by PyTorch and compiled: a decode's, with its gradient."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from sirencodec.fitting.loss.distortion_torch import TorchDistortion
from sirencodec.synthesis.features import FeatureField
from sirencodec.synthesis.query_torch import query_strips
from sirencodec.synthesis.refinement import LocalRefinement
from sirencodec.synthesis.region import Region
from sirencodec.synthesis.torch_picture import TorchPicture
from sirencodec.synthesis.torch_threads import worker_threads
from tests.unit.builders import ALL_GRIDS, random_refinement
from tests.unit.fitting.loss.distortion_cases import SIZES, Case, flat
from tests.unit.fitting.loss.reference_loss import squared_error

pytestmark = pytest.mark.usefixtures("one_thread", "both_distortions")
HALVED_GRIDS = [ALL_GRIDS, (0,), (1, 2)]


def decoded_errors(case: Case) -> npt.NDArray[np.float64]:
    """(height, width) of a decode's pixels."""
    nothing = [torch.from_numpy(0 * matrix) for matrix in random_refinement()]
    refinement = case.refinement or nothing
    width, height = case.width, case.height
    local = LocalRefinement(case.grids, refinement).matrices
    local = local if len(local[1]) else []
    field = FeatureField(case.latents, case.grids, case.kernels, local, width, height)
    region = Region(0, 0, width, height, width, height, width, height)
    values = np.concatenate(list(query_strips(TorchPicture(case.layers, field), region)))
    return np.square(values - case.targets.permute(1, 2, 0).numpy()).mean(-1)


@pytest.mark.parametrize(
    ("grids", "refined"),
    [(ALL_GRIDS, True), (ALL_GRIDS, False), ((0,), True), ((6,), False), ((1, 2), True)],
    ids=str,
)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_error_is_that_of_a_decode(
    size: tuple[int, int], grids: tuple[int, ...], refined: bool
) -> None:
    """Of the image's edges as well, and where tiles end beyond them."""
    case = Case(*size, grids, refined=refined)
    ours = case.distortion()
    expected = decoded_errors(case)
    assert ours.error == pytest.approx(expected.mean(), rel=1e-9)
    alone = case.term().errors(*case.parts)
    np.testing.assert_allclose(alone.numpy(), expected, rtol=1e-9, atol=1e-12)
    assert len(ours.gradient.refinement) == 2 * refined


def test_refinement_makes_a_difference() -> None:
    refined, plain = (Case(70, 100, refined=refined).distortion() for refined in (True, False))
    assert refined.error != pytest.approx(plain.error, rel=1e-3)


@pytest.mark.parametrize("longest", [64, 128, 256])
def test_tiles_do_not_show(longest: int) -> None:
    case = Case(130, 65)
    expected = case.distortion()
    ours = case.distortion(case.torch_term(longest))
    assert ours.error == pytest.approx(expected.error)
    torch.testing.assert_close(flat(ours.gradient), flat(expected.gradient))


def directions(tensor: Tensor) -> Sequence[Tensor]:
    """A random one, and a corner's alone."""
    generator = torch.Generator().manual_seed(1)
    corner = torch.zeros_like(tensor)
    corner[-1:, -1:] = 1
    return torch.randn(tensor.shape, generator=generator, dtype=torch.float64), corner


@pytest.mark.parametrize("grids", [ALL_GRIDS, (0,), (2, 3)], ids=str)
@pytest.mark.parametrize("size", [(1, 1), (5, 3), (70, 100)], ids=str)
def test_gradient_is_that_of_finite_differences(
    size: tuple[int, int], grids: tuple[int, ...]
) -> None:
    """Without the refinement, which has no derivative where a hidden unit passes zero."""
    case, step = Case(*size, grids, refined=False), 1e-5
    term = case.term()
    for slope, tensor in zip(flat(case.distortion(term).gradient), case.tensors(), strict=True):
        assert slope.shape == tensor.shape
        original = tensor.clone()
        for direction in directions(tensor):
            errors = []
            for side in (step, -step):
                tensor.copy_(original + side * direction)
                errors.append(case.distortion(term).error)
            tensor.copy_(original)
            difference = (errors[0] - errors[1]) / (2 * step)
            expected = float((slope * direction).sum())
            assert difference == pytest.approx(expected, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("grids", [ALL_GRIDS, (0,), (1, 2), (0, 1)], ids=str)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_gradient_is_that_of_autograd(size: tuple[int, int], grids: tuple[int, ...]) -> None:
    case = Case(*size, grids)
    ours = case.distortion()
    error = squared_error(case.expected_values(), case.targets)
    assert ours.error == pytest.approx(error.item(), rel=1e-9)
    expected = case.expected_gradient(lambda values: squared_error(values, case.targets))
    torch.testing.assert_close(flat(ours.gradient), expected, rtol=1e-7, atol=1e-10)
    assert all(tensor.any() for tensor in expected if tensor.numel())


def test_parts_of_the_refinement_without_a_grid_have_no_slope() -> None:
    """Columns of the first matrix and rows of the second."""
    first, second = Case(70, 100, (1, 2)).distortion().gradient.refinement
    of_grids = first[:, :-1].view(8, 7, 9).abs().sum((0, 2)) > 0
    assert of_grids.tolist() == [False, True, True, False, False, False, False]
    assert (second.abs().sum(1) > 0).tolist() == [False, True]


def test_calls_do_not_remember() -> None:
    case = Case(70, 100)
    term = case.term()
    first = case.distortion(term)
    term([2 * layer for layer in case.layers], case.kernels, case.latents)
    term.errors([3 * layer for layer in case.layers], case.kernels, case.latents)
    again = case.distortion(term)
    assert again.error == first.error
    torch.testing.assert_close(flat(again.gradient), flat(first.gradient), rtol=0, atol=0)


def test_nothing_given_is_changed() -> None:
    case = Case(70, 100)
    before = [tensor.clone() for tensor in case.tensors()]
    case.distortion()
    torch.testing.assert_close(case.tensors(), before, rtol=0, atol=0)
    assert not any(tensor.requires_grad for tensor in case.tensors())


def test_the_target_itself_has_no_error_and_no_slope() -> None:
    """Gray of 1/4 everywhere, from a network that says nothing else."""
    case = Case(70, 100)
    case.targets[:] = 0.25
    case.layers[-1].zero_()
    case.layers[-1][:, -1] = 0.25
    ours = case.distortion()
    assert ours.error == 0
    assert not any(slope.any() for slope in flat(ours.gradient))


@pytest.mark.gpu
@pytest.mark.parametrize("both_distortions", ["pytorch"], indirect=True)
@pytest.mark.parametrize("is_weighted", [False, True])
def test_cuda_computes_the_same(is_weighted: bool) -> None:
    """At every call: a GPU replays the first, with other numbers in it."""
    case, here = Case(70, 100), Case(70, 100).term()
    there = TorchDistortion(case.targets.cuda(), case.grids, [m.cuda() for m in case.layers])
    for seed in range(3):
        targets = normal(2, 100, 70, seed=seed)
        weights = normal(1, 100, 70, seed=seed).square() if is_weighted else None
        here.set_targets(targets, weights)
        there.set_targets(targets.cuda(), None if weights is None else weights.cuda())
        parts = (case.layers, case.latents, case.refinement)
        layers, latents, refinement = ([tensor.cuda() for tensor in part] for part in parts)
        moved = layers, case.kernels.cuda(), latents, refinement
        expected, values = here(*case.parts), torch.empty_like(targets).cuda()
        ours = there(*moved, values=values)
        assert ours.error == pytest.approx(expected.error)
        torch.testing.assert_close(values.cpu(), here.values(*case.parts))
        found = [tensor.cpu() for tensor in flat(ours.gradient)]
        torch.testing.assert_close(found, flat(expected.gradient))
        found = [tensor.cpu() for tensor in flat(there.gradient(targets.cuda(), *moved))]
        torch.testing.assert_close(found, flat(here.gradient(targets, *case.parts)))
        for tensor in case.tensors():
            tensor *= 0.9


# Halves, targets and weights ----------------------------------------------------------------------


def normal(*size: int, seed: int = 5) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(size, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("grids", HALVED_GRIDS, ids=str)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_values_are_those_of_the_formulas(size: tuple[int, int], grids: tuple[int, ...]) -> None:
    case = Case(*size, grids)
    values = case.term().values(*case.parts)
    torch.testing.assert_close(values, case.expected_values(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("grids", HALVED_GRIDS, ids=str)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_gradient_of_any_loss_goes_back(size: tuple[int, int], grids: tuple[int, ...]) -> None:
    """Targets and weights have no say in it."""
    case = Case(*size, grids)
    given, term = normal(case.channels, case.height, case.width), case.term()
    term.set_targets(case.targets * torch.nan, torch.full_like(case.targets, torch.nan))
    expected = case.expected_gradient(lambda values: (given * values).sum())
    ours = term.gradient(given, *case.parts)
    torch.testing.assert_close(flat(ours), expected, rtol=1e-7, atol=1e-10)


def test_both_halves_are_the_whole() -> None:
    case, term = Case(70, 100), Case(70, 100).term()
    difference = term.values(*case.parts) - case.targets
    halves = term.gradient(2 / difference.numel() * difference, *case.parts)
    whole = term(*case.parts)
    assert whole.error == pytest.approx(float(difference.square().mean()))
    torch.testing.assert_close(flat(halves), flat(whole.gradient))


def test_a_value_gradient_may_lie_anywhere_in_memory() -> None:
    case, term = Case(70, 100), Case(70, 100).term()
    given = normal(case.channels, 100, 70)
    turned = given.permute(2, 0, 1).contiguous().permute(1, 2, 0)
    expected = flat(term.gradient(given, *case.parts))
    torch.testing.assert_close(flat(term.gradient(turned, *case.parts)), expected)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_pass_hands_out_its_values(size: tuple[int, int]) -> None:
    """And its error and gradient are what they are without."""
    case, term = Case(*size), Case(*size).term()
    alone = term(*case.parts)
    values = torch.full_like(case.targets, torch.nan)
    ours = term(*case.parts, values=values)
    torch.testing.assert_close(values, term.values(*case.parts))
    assert ours.error == alone.error
    torch.testing.assert_close(flat(ours.gradient), flat(alone.gradient), rtol=0, atol=0)


@pytest.mark.parametrize("planes", [1, 2])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_weights_count_squares(size: tuple[int, int], planes: int) -> None:
    """One weight a pixel, or one for each of its channels."""
    case, term = Case(*size), Case(*size).term()
    weights = normal(planes, case.height, case.width).square()
    term.set_targets(case.targets, weights)
    ours = term(*case.parts)

    def loss(values: Tensor) -> Tensor:
        return squared_error(values, case.targets, weights)

    assert ours.error == pytest.approx(float(loss(case.expected_values())))
    expected = case.expected_gradient(loss)
    torch.testing.assert_close(flat(ours.gradient), expected, rtol=1e-7, atol=1e-10)
    errors = term.errors(*case.parts)
    squares = weights * (case.expected_values() - case.targets).square()
    torch.testing.assert_close(errors, squares.mean(0), rtol=1e-9, atol=1e-12)


def test_targets_are_replaced() -> None:
    """Weights come and go with them."""
    case, term = Case(70, 100), Case(70, 100).term()
    new = normal(*case.targets.shape)
    case.distortion(term)
    for weights in (None, normal(1, 100, 70).square(), normal(2, 100, 70).square(), None):
        term.set_targets(new, weights)
        expected = squared_error(case.expected_values(), new, weights)
        assert term(*case.parts).error == pytest.approx(float(expected))
        errors = term.errors(*case.parts)
        assert float(errors.mean()) == pytest.approx(float(expected))


def test_targets_may_change_afterwards() -> None:
    """A term keeps its own copy."""
    case, term = Case(70, 100), Case(70, 100).term()
    new, weights = normal(*case.targets.shape), normal(1, 100, 70).square()
    term.set_targets(new, weights)
    expected = term(*case.parts).error
    new.zero_(), weights.zero_()
    assert term(*case.parts).error == expected


def test_a_surrogate_has_the_gradient_of_the_loss_that_it_stands_for() -> None:
    """Targets v0 - N G / (2 w) with weights w, for a loss of fourth powers."""
    case, term = Case(70, 100), Case(70, 100).term()
    values = term.values(*case.parts)
    gradient = 4 * (values - case.targets) ** 3
    weights = 1 + normal(1, 100, 70).square()
    term.set_targets(values - values.numel() * gradient / (2 * weights), weights)
    expected = case.expected_gradient(lambda found: ((found - case.targets) ** 4).sum())
    ours = term(*case.parts).gradient
    torch.testing.assert_close(flat(ours), expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("planes", [3, 0])
def test_weights_of_other_channels_are_refused(planes: int) -> None:
    case = Case(5, 3)
    with pytest.raises((ValueError, RuntimeError)):
        case.term().set_targets(case.targets, torch.ones(planes, 3, 5, dtype=torch.float64))


def test_planes_of_another_size_are_refused() -> None:
    """Compiled loops would write beyond them."""
    case = Case(5, 3)
    small = torch.zeros(2, 3, 4, dtype=torch.float64)
    with pytest.raises((ValueError, RuntimeError)):
        case.term()(*case.parts, values=small)
    with pytest.raises((ValueError, RuntimeError)):
        case.term().gradient(small, *case.parts)


@pytest.mark.parametrize("threads", [2, 5])
def test_threads_do_not_show(threads: int) -> None:
    case = Case(70, 100)
    given, weights = normal(2, 100, 70), normal(1, 100, 70).square()

    def everything() -> list[Tensor]:
        term, values = case.term(), torch.empty_like(case.targets)
        term.set_targets(case.targets, weights)
        whole, back = term(*case.parts, values=values), term.gradient(given, *case.parts)
        parts = [term.values(*case.parts), term.errors(*case.parts)]
        return [values, *flat(whole.gradient), *flat(back), *parts]

    expected = everything()
    with worker_threads(threads) as case.workers:
        torch.testing.assert_close(everything(), expected)
