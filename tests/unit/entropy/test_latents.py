"""Latents <-> symbols: whole, in one order, and the same however they are computed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from sirencodec.bitstream.architecture import grid_shape
from sirencodec.bitstream.tiling import Window
from sirencodec.entropy import prediction
from sirencodec.entropy.context_model import PHASES, Floats
from sirencodec.entropy.latents import (
    LARGEST_CENTRE,
    LARGEST_LATENT,
    LARGEST_WEIGHT,
    ContextWeights,
    Latents,
    code_part,
    phase_networks,
    residual_decoder,
)
from sirencodec.entropy.prediction import (
    POINTS_AT_ONCE,
    PhaseNetwork,
    Source,
    compiled_predictions,
    plain_predictions,
)
from sirencodec.entropy.range_coder import SymbolDecoder, SymbolEncoder
from sirencodec.entropy.residual_tables import (
    CENTRE_PARTS,
    LARGEST_RESIDUAL,
    UNIT_SCALE,
    residual_table,
)
from sirencodec.errors import CorruptError
from sirencodec.native.entropy import phase_predictors
from tests.payloads import encode_whole_grids
from tests.unit.builders import UNIT, random_context, random_latents, zero_context

SIZES = [(1, 1), (2, 1), (1, 9), (3, 3), (8, 8), (37, 21), (64, 65), (130, 2)]


def encode(
    latents: Latents, weights: ContextWeights, grids: tuple[int, ...] = tuple(range(7))
) -> tuple[Latents, bytes]:
    return encode_whole_grids(latents, grids, weights)


def decode(
    stream: bytes,
    size: tuple[int, int],
    weights: ContextWeights,
    grids: tuple[int, ...] = tuple(range(7)),
) -> Latents:
    decoder = SymbolDecoder(stream)
    latents = {k: np.zeros(grid_shape(*size, k), np.int32) for k in grids}
    part = [(k, Window.whole(latents[k].shape)) for k in reversed(grids)]
    code_part(latents, part, phase_networks(weights, grids), residual_decoder(decoder))
    decoder.finish()
    return tuple(latents.values())


def assert_equal(ours: Latents, expected: Latents) -> None:
    for grid, other in zip(ours, expected, strict=True):
        assert grid.dtype == np.int32
        np.testing.assert_array_equal(grid, other)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_round_trip(size: tuple[int, int]) -> None:
    latents, weights = random_latents(*size), random_context()
    coded, stream = encode(latents, weights)
    assert_equal(coded, latents)
    assert_equal(decode(stream, size, weights), latents)


@pytest.mark.parametrize("grids", [(0,), (6,), (1, 2), (2, 3, 4)], ids=str)
def test_round_trip_of_some_grids(grids: tuple[int, ...]) -> None:
    latents, weights = random_latents(45, 70, grids), random_context()
    _, stream = encode(latents, weights, grids)
    assert_equal(decode(stream, (45, 70), weights, grids), latents)


def test_numpy_codes_as_compiled_loops_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here in strips of which the finest grid has several."""
    latents, weights = random_latents(137, 153), random_context()
    _, stream = encode(latents, weights)
    monkeypatch.setattr(prediction, "phase_predictors", tuple)
    assert encode(latents, weights)[1] == stream
    assert_equal(decode(stream, (137, 153), weights), latents)


def test_strips_do_not_show() -> None:
    """Of a phase whose rows are each more places than NumPy takes at once, and one of several."""
    network = PhaseNetwork.of_grid(random_context()[0], 1, 0)
    for rows, columns in ((3, POINTS_AT_ONCE + 1), (POINTS_AT_ONCE // 8, 20)):
        whole = Window.whole((rows, columns))
        samples = np.random.default_rng(0).integers(-3, 3, (rows, columns), np.int32)
        sources = [Source(samples, whole)]
        together = plain_predictions(sources, whole, network)
        for row in range(rows):
            alone = plain_predictions(sources, Window(row, row + 1, 0, columns), network)
            for ours, others in zip(alone, together, strict=True):
                np.testing.assert_array_equal(ours[0], others[row])


def outermost_network(columns: int, generator: np.random.Generator) -> list[Floats]:
    """Weights as large as a file may hold, that do not all have one sign."""
    shapes = ((24, columns), (24, 25), (2, 25))
    return [LARGEST_WEIGHT * generator.choice([-1.0, 1.0], shape) for shape in shapes]


@pytest.mark.parametrize("shape", [(1, 1), (3, 65), (7, 64), (40, 129)], ids=str)
@pytest.mark.parametrize("kind", ["usual", "outermost"])
def test_compiled_predictions_are_those_of_numpy(kind: str, shape: tuple[int, int]) -> None:
    """To the last bit, and so for every instruction set; where sources end, too."""
    generator = np.random.default_rng(0)
    largest = 3 if kind == "usual" else LARGEST_LATENT
    rows, columns = shape
    grids = generator.integers(-largest, largest, (5, 2 * rows, 2 * columns), endpoint=True)
    known = [
        Window(0, rows, 0, columns),
        Window(-1, rows + 5, 1, columns - 1),
        Window(1, rows, 0, columns + 1),
        Window(0, 0, 0, 0),
        Window(0, rows - 1, 0, columns),
    ]
    sources = [
        Source(grid.astype(np.int32)[::2, ::2], window.common(Window.whole(shape)), shift)
        for grid, window, shift in zip(grids, known, (0, 1, 0, 0, 0), strict=True)
    ]
    network = random_context()[3]
    if kind == "outermost":
        network = outermost_network(9 * 5 + 7, generator)
    prepared = PhaseNetwork.of_grid(network, 5, 2)
    expected = plain_predictions(sources, Window.whole(shape), prepared)
    assert expected[1].any()
    for predict in phase_predictors():
        found = compiled_predictions(predict, sources, Window.whole(shape), prepared)
        for ours, plain in zip(found, expected, strict=True):
            np.testing.assert_array_equal(ours, plain)


def test_order_of_the_symbols() -> None:
    """Networks of zeros leave one table: grids from the coarsest, phase by phase, by rows."""
    latents = random_latents(21, 13)
    table = residual_table(CENTRE_PARTS * UNIT_SCALE + CENTRE_PARTS // 2)
    encoder = SymbolEncoder()
    for grid in latents[::-1]:
        for top, left in PHASES:
            samples = grid[top::2, left::2].ravel()
            if samples.size:
                encoder.encode(samples + LARGEST_RESIDUAL, table)
    assert encode(latents, zero_context())[1] == encoder.stream()


def test_latents_too_far_from_their_prediction_come_nearer() -> None:
    wanted = (np.array([[700, -700], [255, -256]], np.int32),)
    coded, stream = encode(wanted, zero_context(), (0,))
    assert coded[0].tolist() == [[255, -255], [255, -255]]
    assert_equal(decode(stream, (2, 2), zero_context(), (0,)), coded)


@pytest.mark.parametrize("grids", [(3,), (4,)])
def test_biases_say_what_a_grid_is_like(grids: tuple[int, ...]) -> None:
    """A first layer that gives grid 4 away, and a last one that makes of it a centre of 30."""
    weights = zero_context()
    for network in weights:
        network[0][0, -7 + 4] = UNIT
        network[1][0, 0] = UNIT
        network[2][0, 0] = 30 * UNIT
        network[2][1, -1] = -6 * UNIT
    latents = tuple(grid * 0 + 30 for grid in random_latents(320, 320, grids))
    stream = encode(latents, weights, grids)[1]
    assert (len(stream) <= 4) == (grids == (4,))


@pytest.mark.parametrize("neighbour", [0, 2, 4, 7])
@pytest.mark.parametrize("source", [0, 1])
def test_neighbours_in_coarser_grids(source: int, neighbour: int) -> None:
    """A first phase that repeats a sample of parent (0) or grandparent (1) costs nothing."""
    coarser = tuple(np.abs(grid) for grid in random_latents(64, 64, (1, 2), spread=8))
    seen = np.pad((coarser[0], coarser[1].repeat(2, 0).repeat(2, 1))[source], 1)
    row, column = divmod(neighbour, 3)
    finest = np.zeros((64, 64), np.int32)
    finest[::2, ::2] = seen[row : row + 32, column : column + 32]
    weights = zero_context()
    for phase, network in enumerate(weights):
        network[0][0, 9 * source + neighbour] = UNIT * (phase == 0)
        network[0][0, -6:] = -1000 * UNIT  # leave other grids alone
        network[0][1, -7] = UNIT  # and tell the finest one
        for layer in network[1:]:
            layer[:2, :2] = UNIT * np.eye(2)
        network[2][:, :2] *= [[8], [-6]]  # latents enter as eighths
    alone = encode(coarser, weights, (1, 2))[1]
    assert len(encode((finest, *coarser), weights, (0, 1, 2))[1]) <= len(alone) + 8


def extreme_context(seed: int) -> list[list[npt.NDArray[np.float64]]]:
    """Weights as large as any may be, where sums would be the first to be rounded."""
    generator = np.random.default_rng(seed)
    return [
        [
            generator.integers(-LARGEST_WEIGHT, LARGEST_WEIGHT + 1, layer.shape).astype(float)
            for layer in network
        ]
        for network in zero_context()
    ]


@pytest.mark.parametrize("seed", range(3))
def test_sums_have_no_order(seed: int) -> None:
    """Hidden units in another order are the same network, to the last bit."""
    generator = np.random.default_rng(seed)
    shape = (40, 40)
    latents = (generator.integers(-LARGEST_LATENT, LARGEST_LATENT + 1, shape).astype(np.int32),)
    weights, reordered = extreme_context(seed), []
    for first, second, last in weights:
        one, two = generator.permutation(len(first)), generator.permutation(len(second))
        bias_last = [[*order, len(order)] for order in (one, two)]
        reordered.append([first[one], second[two][:, bias_last[0]], last[:, bias_last[1]]])
    coded, stream = encode(latents, weights, (0,))
    other, other_stream = encode(latents, reordered, (0,))
    assert stream == other_stream
    assert_equal(coded, other)
    assert_equal(decode(stream, (40, 40), weights, (0,)), coded)
    assert np.abs(coded[0]).max() <= LARGEST_LATENT
    assert np.abs(coded[0]).max() > LARGEST_CENTRE, "else the extremes are none"


def test_a_stream_that_is_not_one() -> None:
    size = (16, 16)
    _, stream = encode(random_latents(*size), random_context())
    for wrong in (stream[:-9], stream + bytes(4), stream + bytes(1), b"\xff" * len(stream)):
        with pytest.raises(CorruptError):
            decode(wrong, size, random_context())
