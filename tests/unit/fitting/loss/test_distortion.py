"""Error of a pyramid's image, by PyTorch and compiled: a decode's, with its gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor
from torch.nn.functional import pad

from sirencodec.fitting.loss import distortion_torch
from sirencodec.fitting.loss.costs import Distortion
from sirencodec.fitting.loss.distortion_native import NativeDistortion
from sirencodec.fitting.loss.distortion_torch import TorchDistortion
from sirencodec.fitting.loss.terms import DistortionTerm
from sirencodec.native.library import Loops, double_loops
from sirencodec.synthesis.features import FeatureField
from sirencodec.synthesis.query import query_strips
from sirencodec.synthesis.refinement import HALO, corrections
from sirencodec.synthesis.region import Region
from sirencodec.synthesis.threads import Workers
from sirencodec.synthesis.torch_picture import TorchPicture
from sirencodec.synthesis.upsampling import MARGIN, upsampling_matrices
from tests.unit.builders import (
    ALL_GRIDS,
    architecture,
    random_kernels,
    random_latents,
    random_refinement,
)

pytestmark = pytest.mark.usefixtures("one_thread")
KERNELS = double_loops()
SIZES = [(1, 1), (5, 3), (64, 64), (70, 100), (130, 65)]


@dataclass
class Case:
    """A network in double precision, and an image for it.

    Unless it is ``refined``, features are as they are upsampled: so fits of a reduced image.
    """

    loops_used: ClassVar[Loops | None] = None

    width: int
    height: int
    grids: tuple[int, ...] = ALL_GRIDS
    channels: int = 2
    refined: bool = True

    def __post_init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        shape = architecture(self.grids, self.channels)

        def normal(*size: int) -> Tensor:
            return torch.randn(size, generator=generator, dtype=torch.float64)

        self.targets = normal(self.channels, self.height, self.width) / 4 + 0.5
        self.layers = [normal(*size) / size[1] ** 0.5 for size in shape.layer_shapes]
        self.kernels = torch.from_numpy(random_kernels(self.grids[-1]))
        latents = random_latents(self.width, self.height, self.grids, spread=1.0)
        self.latents = [torch.from_numpy(grid) + normal(*grid.shape) / 4 for grid in latents]
        matrices = random_refinement() if self.refined else []
        self.refinement = [torch.from_numpy(matrix) for matrix in matrices]

    def gradient(self) -> DistortionTerm:
        if Case.loops_used is None:
            return TorchDistortion(self.targets, self.grids, self.layers)
        return NativeDistortion(self.targets, self.grids, Workers(), Case.loops_used)

    def distortion(self, gradient: DistortionTerm | None = None) -> Distortion:
        compute = gradient or self.gradient()
        return compute(self.layers, self.kernels, self.latents, self.refinement)

    def tensors(self) -> list[Tensor]:
        return [*self.layers, self.kernels, *self.latents, *self.refinement]


def gradient_of(ours: Distortion) -> list[Tensor]:
    """In the order of ``Case.tensors``."""
    gradient = ours.gradient
    return [*gradient.layers, gradient.kernels, *gradient.grids, *gradient.refinement]


@pytest.fixture(autouse=True, params=["pytorch", "compiled"])
def implementation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "compiled":
        if not KERNELS:
            pytest.skip("loops are not built")
        monkeypatch.setattr(Case, "loops_used", KERNELS[0])


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that small images have several."""
    monkeypatch.setattr(distortion_torch, "TILE", 64)


def decoded_errors(case: Case) -> npt.NDArray[np.float64]:
    """(height, width) of a decode's pixels."""
    nothing = [torch.from_numpy(0 * matrix) for matrix in random_refinement()]
    refinement = case.refinement or nothing
    width, height = case.width, case.height
    field = FeatureField(case.latents, case.grids, case.kernels, refinement, width, height)
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
    alone = case.gradient().errors(case.layers, case.kernels, case.latents, case.refinement)
    np.testing.assert_allclose(alone.numpy(), expected, rtol=1e-9, atol=1e-12)
    assert len(ours.gradient.refinement) == 2 * refined


def test_refinement_makes_a_difference() -> None:
    refined, plain = (Case(70, 100, refined=refined).distortion() for refined in (True, False))
    assert refined.error != pytest.approx(plain.error, rel=1e-3)


@pytest.mark.parametrize("tile", [64, 128, 256])
def test_tiles_do_not_show(tile: int, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(130, 65)
    expected = case.distortion()
    monkeypatch.setattr(distortion_torch, "TILE", tile)
    ours = case.distortion()
    assert ours.error == pytest.approx(expected.error)
    torch.testing.assert_close(gradient_of(ours), gradient_of(expected))


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
    gradient = case.gradient()
    for slope, tensor in zip(gradient_of(case.distortion(gradient)), case.tensors(), strict=True):
        assert slope.shape == tensor.shape
        original = tensor.clone()
        for direction in directions(tensor):
            errors = []
            for side in (step, -step):
                tensor.copy_(original + side * direction)
                errors.append(case.distortion(gradient).error)
            tensor.copy_(original)
            difference = (errors[0] - errors[1]) / (2 * step)
            expected = float((slope * direction).sum())
            assert difference == pytest.approx(expected, rel=1e-5, abs=1e-8)


def whole_error(case: Case) -> Tensor:
    """Error of the image made in one piece, by what PyTorch can differentiate."""
    matrices = [] if case.kernels is None else upsampling_matrices(case.kernels, 192)
    features = []
    for exponent, grid in zip(case.grids, case.latents, strict=True):
        if exponent:
            for axis, size in enumerate((case.height, case.width)):
                index = torch.arange(-MARGIN, (192 >> exponent) + MARGIN)
                repeated = grid.index_select(axis, index.clamp(0, grid.shape[axis] - 1))
                weights = matrices[exponent - 1][HALO : HALO + size]
                grid = weights @ repeated if axis == 0 else repeated @ weights.T
        features.append(grid)
    stacked = torch.stack(features)
    around = pad(stacked, (HALO,) * 4, mode="replicate")
    added = corrections(around, case.grids, case.refinement)
    stacked = torch.cat([stacked[: len(added)] + added, stacked[len(added) :]])
    x, y = (
        torch.arange(0.5, side, dtype=torch.float64) * 2 / side - 1
        for side in (case.width, case.height)
    )
    coordinates = torch.stack([x.expand(case.height, -1), y[:, None].expand(-1, case.width)])
    hidden = torch.cat([coordinates, stacked]).flatten(1)
    for number, layer in enumerate(case.layers):
        hidden = layer[:, :-1] @ (hidden.sin() if number else hidden) + layer[:, -1:]
    return (hidden - case.targets.flatten(1)).square().mean()


@pytest.mark.parametrize("grids", [ALL_GRIDS, (0,), (1, 2), (0, 1)], ids=str)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_gradient_is_pytorch_s(size: tuple[int, int], grids: tuple[int, ...]) -> None:
    case = Case(*size, grids)
    ours = case.distortion()
    for tensor in case.tensors():
        tensor.requires_grad_()
    error = whole_error(case)
    assert ours.error == pytest.approx(error.item(), rel=1e-9)
    expected = torch.autograd.grad(error, case.tensors(), materialize_grads=True)
    torch.testing.assert_close(gradient_of(ours), list(expected), rtol=1e-7, atol=1e-10)
    assert all(slope.any() for slope in expected if slope.numel())


def test_parts_of_the_refinement_without_a_grid_have_no_slope() -> None:
    """Columns of the first matrix and rows of the second."""
    first, second = Case(70, 100, (1, 2)).distortion().gradient.refinement
    of_grids = first[:, :-1].view(8, 7, 9).abs().sum((0, 2)) > 0
    assert of_grids.tolist() == [False, True, True, False, False, False, False]
    assert (second.abs().sum(1) > 0).tolist() == [False, True]


def test_calls_do_not_remember() -> None:
    case = Case(70, 100)
    gradient = case.gradient()
    first = case.distortion(gradient)
    gradient([2 * layer for layer in case.layers], case.kernels, case.latents)
    gradient.errors([3 * layer for layer in case.layers], case.kernels, case.latents)
    again = case.distortion(gradient)
    assert again.error == first.error
    torch.testing.assert_close(gradient_of(again), gradient_of(first), rtol=0, atol=0)


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
    assert not any(slope.any() for slope in gradient_of(ours))


@pytest.mark.gpu
@pytest.mark.parametrize("implementation", ["pytorch"], indirect=True)
def test_cuda_computes_the_same() -> None:
    """At every call: a GPU replays the first, with other numbers in it."""
    case = Case(70, 100)
    on_cuda = TorchDistortion(case.targets.cuda(), case.grids, [m.cuda() for m in case.layers])
    for _ in range(3):
        expected = case.distortion()
        parts = (case.layers, case.latents, case.refinement)
        layers, latents, refinement = ([tensor.cuda() for tensor in part] for part in parts)
        ours = on_cuda(layers, case.kernels.cuda(), latents, refinement)
        assert ours.error == pytest.approx(expected.error)
        torch.testing.assert_close(
            [slope.cpu() for slope in gradient_of(ours)], gradient_of(expected)
        )
        for tensor in case.tensors():
            tensor *= 0.9
