"""Round trips and invariants, on inputs that hypothesis chooses."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

import sirencodec
from sirencodec.bitstream import format as facts
from sirencodec.bitstream.architecture import Architecture, grid_shape
from sirencodec.bitstream.container import (
    checksum,
    parse_container,
    without_metadata,
    write_container,
)
from sirencodec.bitstream.format import LARGEST_LEVEL, LARGEST_LOG_TILE
from sirencodec.bitstream.header import Header
from sirencodec.bitstream.metadata_section import read_metadata, write_metadata
from sirencodec.bitstream.prior_file import PRIORS
from sirencodec.bitstream.quantize import (
    STEP_SIZES,
    QuantizedWeights,
    dequantize,
    nearest_step_index,
    quantize,
)
from sirencodec.bitstream.segments import Payload
from sirencodec.bitstream.tiling import Tiling
from sirencodec.bitstream.varint import read_varint, write_varint
from sirencodec.entropy.latents import LARGEST_LATENT
from sirencodec.entropy.level_tables import (
    NUM_MODELS,
    NUM_SCALES,
    frequency_table,
    largest_level,
)
from sirencodec.entropy.matrices import ZERO_MODEL, best_model, matrices_bits
from sirencodec.entropy.payload import (
    QuantizedPicture,
    encode_payload,
    matrix_shapes,
)
from sirencodec.entropy.prior import context_shapes, prior_shapes
from sirencodec.entropy.range_coder import TOTAL, SymbolDecoder
from sirencodec.entropy.range_decoder_native import open_stream
from sirencodec.entropy.residual_tables import LARGEST_RESIDUAL, NUM_TABLES, residual_table
from sirencodec.entropy.stored import open_stored
from sirencodec.errors import CorruptError
from sirencodec.fitting.pure.pixel_batches import StratifiedBatches
from sirencodec.image.metadata import Metadata
from sirencodec.limits import Limits
from sirencodec.synthesis.coordinates import image_coordinates, pixel_centres
from tests import broken_files, reference_decoder
from tests.payloads import decode_payload

NO_LIMITS = Limits(max_pixels=2**40, max_parameters=2**40, max_latents=2**40)

exponents = st.tuples(st.integers(0, 6), st.integers(0, 6)).map(
    lambda ends: tuple(range(min(ends), max(ends) + 1))
)


@st.composite
def architectures(draw: st.DrawFn) -> Architecture:
    """Pure or pyramid."""
    grids = draw(st.just(()) | exponents)
    return Architecture(
        hidden_features=draw(st.integers(*facts.HIDDEN_FEATURES_RANGE)),
        hidden_layers=draw(st.integers(*facts.HIDDEN_LAYERS_RANGE)),
        channels=draw(st.integers(1, 4)),
        omega_0=draw(st.integers(*facts.OMEGA_0_RANGE)),
        grids=grids,
        prior=draw(st.sampled_from(sorted(PRIORS))) if grids else 0,
    )


small_architectures = st.builds(
    Architecture,
    hidden_features=st.integers(1, 5),
    hidden_layers=st.integers(0, 3),
    channels=st.integers(1, 4),
    omega_0=st.just(30),
)
headers = st.builds(
    Header,
    width=st.integers(*facts.SIDE_RANGE),
    height=st.integers(*facts.SIDE_RANGE),
    bit_depth=st.sampled_from((8, 16)),
    architecture=architectures(),
)
blocks = st.none() | st.binary(min_size=1, max_size=300)


@st.composite
def networks(draw: st.DrawFn) -> tuple[QuantizedWeights, Architecture]:
    """A quantised network of any levels, from all zero to the largest."""
    architecture = draw(small_architectures)
    levels = []
    for shape in architecture.layer_shapes:
        largest = draw(st.sampled_from((0, 1, 6, 7, 100, 3000, LARGEST_LEVEL)))
        elements = st.integers(-largest, largest)
        levels.append(draw(st_numpy.arrays(np.int32, shape, elements=elements)))
    indices = st.integers(0, 255)
    steps = [draw(indices) if matrix.any() else 0 for matrix in levels]
    return QuantizedWeights(tuple(levels), tuple(steps)), architecture


@st.composite
def pyramids(draw: st.DrawFn) -> tuple[QuantizedPicture, Architecture, int, int]:
    """Latents of any values there can be, behind a small network, under any differences.

    Returns:
        Picture, architecture, width and height.
    """
    width, height = draw(st.integers(1, 40)), draw(st.integers(1, 30))
    architecture = Architecture(
        draw(st.integers(1, 4)),
        draw(st.integers(0, 1)),
        draw(st.integers(1, 4)),
        30,
        draw(exponents),
        1,
    )
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    bounds = [draw(st.sampled_from((1, 20)))] * len(architecture.layer_shapes)
    bounds += [draw(st.sampled_from((0, 150)))] * len(architecture.kernel_shapes)
    levels, steps = [], []
    for shape in matrix_shapes(architecture):
        is_difference = len(levels) >= len(bounds)
        bound = draw(st.sampled_from((0, 0, 1, 50, 1500))) if is_difference else bounds[len(levels)]
        levels.append(generator.integers(-bound, bound + 1, shape).astype(np.int32))
        step = draw(st.integers(88, 119)) if is_difference else nearest_step_index(1 / 128)
        steps.append(step if levels[-1].any() else 0)
    latents = []
    for exponent in architecture.grids:
        shape = grid_shape(width, height, exponent)
        deviation = draw(st.sampled_from((0.0, 0.1, 1.0, 10.0, 1e3)))
        grid = generator.laplace(0, 1, shape) * deviation
        latents.append(np.clip(grid.round(), -LARGEST_LATENT, LARGEST_LATENT).astype(np.int32))
    weights = QuantizedWeights(tuple(levels), tuple(steps))
    return QuantizedPicture(weights, tuple(latents)), architecture, width, height


@st.composite
def frequency_tables(draw: st.DrawFn) -> npt.NDArray[np.int64]:
    """Any table the coder takes: two symbols or more, some of them as rare as can be."""
    weights = draw(st.lists(st.integers(0, 2**20), min_size=2, max_size=40))
    spare = TOTAL - len(weights)
    table = 1 + np.array(weights, dtype=np.int64) * spare // max(1, sum(weights))
    table[draw(st.integers(0, len(weights) - 1))] += TOTAL - table.sum()
    return table


# Bytes -----------------------------------------------------------------------------------------


@given(st.integers(0, 2**28 - 1), st.binary(max_size=3), st.binary(max_size=3))
def test_varint(value: int, before: bytes, after: bytes) -> None:
    coded = write_varint(value)
    assert len(coded) == max(1, -(-value.bit_length() // 7))
    end = len(before) + len(coded)
    assert read_varint(before + coded + after, len(before), "field") == (value, end)


@given(st.integers(0, 2**21 - 1), st.integers(2, 4))
def test_a_padded_varint_is_refused(value: int, size: int) -> None:
    padded = broken_files.varint(value, size=size)
    if padded == write_varint(value):
        return
    with pytest.raises(CorruptError, match="shortest"):
        read_varint(padded, 0, "field")


@given(headers, st.binary(min_size=1, max_size=50), st.none() | st.binary(min_size=1, max_size=50))
def test_container(header: Header, matrices: bytes, metadata: bytes | None) -> None:
    tiling, segments = None, ()
    if header.architecture.grids:
        tiling = Tiling(LARGEST_LOG_TILE, header.architecture.grids[0])
        segments = (matrices[1:] or None,)
    payload = Payload(matrices, tiling, segments)
    data = write_container(header, payload, metadata)
    container = parse_container(data, NO_LIMITS)
    assert (container.header, container.matrices, container.metadata) == (
        header,
        matrices,
        metadata,
    )
    assert container.tiling == tiling
    for number, segment in enumerate(segments):
        assert container.table.is_zero(number) == (segment is None)
        assert segment is None or container.sound_segment(number) == segment
    if metadata is not None:
        assert container.metadata_checksum == checksum(metadata)
        assert without_metadata(container) == write_container(header, payload)
    overhead = 31 if header.architecture.grids else 26
    assert len(data) - payload.num_bytes - (len(metadata) + 5 if metadata else 0) <= overhead


@given(blocks, blocks, blocks)
def test_metadata(icc_profile: bytes | None, exif: bytes | None, xmp: bytes | None) -> None:
    metadata = Metadata(icc_profile, exif, xmp)
    section = write_metadata(metadata)
    if section is None:
        assert not metadata
        return
    header = Header(1, 1, 8, Architecture(1, 0, 1, 30))
    data = write_container(header, Payload(b"matrices"), section)
    assert read_metadata(parse_container(data)) == metadata


# Symbols ---------------------------------------------------------------------------------------


@given(st.data(), st.lists(frequency_tables(), min_size=1, max_size=3))
def test_range_coder(data: st.DataObject, tables: list[npt.NDArray[np.int64]]) -> None:
    groups = []
    for table in tables:
        symbols = st.lists(st.integers(0, len(table) - 1), min_size=1, max_size=30)
        groups.append((np.array(data.draw(symbols), dtype=np.int32), table))
    stream = broken_files.stream(groups)
    decoder = SymbolDecoder(stream)
    for symbols, table in groups:
        assert np.array_equal(symbols, decoder.decode(len(symbols), table))
    decoder.finish()
    assert stream == reference_stream(groups)
    bits = sum(float(np.log2(TOTAL / table[symbols]).sum()) for symbols, table in groups)
    assert 8 * len(stream) <= bits + 9, "a byte and a bit is all that rounding up may cost"


@given(st.data(), st.lists(frequency_tables(), max_size=3), st.booleans(), st.integers(0, 2))
def test_every_decoder_takes_the_same_streams(
    data: st.DataObject, tables: list[npt.NDArray[np.int64]], by_words: bool, extreme: int
) -> None:
    """Compiled or not, ended on words or bytes; symbols of the ends of tables make long carries."""
    groups = []
    for table in tables:
        ends = [0] if extreme == 1 else [len(table) - 1] if extreme == 2 else range(len(table))
        symbols = st.lists(st.sampled_from(ends), min_size=1, max_size=40)
        groups.append((np.array(data.draw(symbols), dtype=np.int32), table))
    make = broken_files.old_stream if by_words else broken_files.stream
    reference = reference_words if by_words else reference_stream
    stream = make(groups)
    assert stream == reference(groups)
    unit = bytes(4 if by_words else 1)
    for decoder in (SymbolDecoder, open_stream):
        for coded, is_right in ((stream, True), (stream + unit, False)):
            opened = decoder(coded, by_words=by_words)
            for symbols, table in groups:
                assert np.array_equal(symbols, opened.decode(len(symbols), table))
            if is_right:
                opened.finish()
            else:
                with pytest.raises(CorruptError):
                    opened.finish()


@given(st.data(), st.lists(frequency_tables(), min_size=1, max_size=4), st.integers(0, 60))
def test_every_decoder_ends_where_a_cut_stream_does(
    data: st.DataObject, tables: list[npt.NDArray[np.int64]], cut: int
) -> None:
    """Without compiled loops, after the very symbols that they take; rare ones take 24 bits."""
    groups = []
    for table in tables:
        symbols = st.lists(st.integers(0, len(table) - 1), min_size=1, max_size=40)
        groups.append((np.array(data.draw(symbols), dtype=np.int32), table))
    stream = broken_files.stream(groups)[: max(0, cut)]
    decoder = SymbolDecoder(stream, may_end=True)
    found = [decoder.decode(len(symbols), table) for symbols, table in groups]
    assert [len(each) for each in found] == symbols_before_the_end(stream, groups)
    for (symbols, _), part in zip(groups, found, strict=True):
        assert np.array_equal(part, symbols[: len(part)])


def symbols_before_the_end(
    stream: bytes, groups: list[tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]]
) -> list[int]:
    """One at a time, as range_decoder.c does: none once a word beyond the bytes was taken."""
    taken, width = 8, 2**64 - 1
    counts = []
    for symbols, table in groups:
        counts.append(0)
        for symbol in symbols:
            if taken > len(stream):
                break
            counts[-1] += 1
            width = (width >> 24) * int(table[symbol])
            if width < 2**32:
                width, taken = width << 32, taken + 4
    return counts


def reference_stream(groups: list[tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]]) -> bytes:
    """The stream that FORMAT.md's encoder makes."""
    return reference_encoder(groups).finish_bytes()


def reference_words(groups: list[tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]]) -> bytes:
    """As ``reference_stream``, of version 0."""
    words = reference_encoder(groups).finish_words() if groups else []
    return np.array(words, dtype="<u4").tobytes()


def reference_encoder(
    groups: list[tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]],
) -> reference_decoder.RangeEncoder:
    encoder = reference_decoder.RangeEncoder()
    for symbols, table in groups:
        lefts = np.concatenate([[0], np.cumsum(table)])
        for symbol in symbols:
            encoder.encode(int(lefts[symbol]), int(table[symbol]))
    return encoder


@given(networks())
def test_payload(network: tuple[QuantizedWeights, Architecture]) -> None:
    quantized, architecture = network
    payload = encode_payload(QuantizedPicture(quantized), architecture)
    decoded = decode_payload(payload, architecture, 1, 1).weights
    assert decoded.step_indices == quantized.step_indices
    for levels, again in zip(quantized.levels, decoded.levels, strict=True):
        assert np.array_equal(levels, again)
        assert again.dtype == np.int32
    assert 8 * payload.num_bytes <= matrices_bits(quantized) + 9


@given(networks())
@settings(max_examples=20)
def test_payload_by_the_reference_decoder(network: tuple[QuantizedWeights, Architecture]) -> None:
    quantized, architecture = network
    shapes = list(architecture.layer_shapes)
    assert shapes == reference_decoder.matrix_shapes(
        architecture.channels, architecture.hidden_features, architecture.hidden_layers
    )
    payload = encode_payload(QuantizedPicture(quantized), architecture)
    steps, _, levels, symbols = reference_decoder.decode_matrices(payload.matrices, shapes)
    symbols.finish()
    assert tuple(steps) == quantized.step_indices
    for ours, theirs in zip(quantized.levels, levels, strict=True):
        assert np.array_equal(ours, theirs)


@given(networks())
def test_best_model_holds_all_levels(network: tuple[QuantizedWeights, Architecture]) -> None:
    for levels in network[0].levels:
        model, bits = best_model(levels)
        if not levels.any():
            assert (model, bits) == (ZERO_MODEL, 0)
            continue
        assert np.abs(levels).max() <= largest_level(model)
        assert 0 < bits <= 24 * levels.size


@given(pyramids())
@settings(max_examples=60, deadline=None)
def test_payload_of_a_pyramid(
    pyramid: tuple[QuantizedPicture, Architecture, int, int],
) -> None:
    """Latents come back, but for those too far from their prediction; then all of them do."""
    picture, architecture, width, height = pyramid
    payload = encode_payload(picture, architecture)
    decoded = decode_payload(payload, architecture, width, height)
    assert decoded.weights.step_indices == picture.weights.step_indices
    for ours, again in zip(picture.weights.levels, decoded.weights.levels, strict=True):
        assert np.array_equal(ours, again)
    for wanted, read in zip(picture.latents, decoded.latents, strict=True):
        assert read.dtype == np.int32
        assert np.abs(read).max() <= LARGEST_LATENT
        moved = wanted != read
        centre = read - LARGEST_RESIDUAL * np.sign(wanted - read)
        assert np.abs(centre[moved]).max(initial=0) <= LARGEST_LATENT - LARGEST_RESIDUAL
        assert (np.abs(wanted - centre)[moved] > LARGEST_RESIDUAL).all()
    differences = picture.weights.levels[-len(prior_shapes(1)) :]
    adapted = any(matrix.any() for matrix in differences[: len(context_shapes(1))])
    if not adapted and max(np.abs(grid).max() for grid in picture.latents) <= 100:
        for wanted, read in zip(picture.latents, decoded.latents, strict=True):
            assert np.array_equal(wanted, read)
    assert encode_payload(decoded, architecture) == payload


@given(pyramids())
@settings(max_examples=25, deadline=None)
def test_a_pyramid_by_the_reference_decoder(
    pyramid: tuple[QuantizedPicture, Architecture, int, int],
) -> None:
    """Latents exactly, pixels within a level, at the stored size and at another."""
    picture, architecture, width, height = pyramid
    header = Header(width, height, 8, architecture)
    data = write_container(header, encode_payload(picture, architecture))
    decoded = open_stored(data).decode()
    file = reference_decoder.parse(data)
    for ours, theirs in zip(decoded.latents, file.latents, strict=True):
        assert np.array_equal(ours, theirs)
    for size in ((width, height), (9, 20)):
        samples = sirencodec.decode(
            data, width=size[0], height=size[1], exact=True, device="cpu"
        ).samples
        assert np.abs(samples - reference_decoder.samples(file, size)).max() <= 1


def test_frequency_tables() -> None:
    for model in range(NUM_MODELS):
        table = frequency_table(model)
        assert table.sum() == TOTAL, model
        assert table.min() >= 1, model
        assert np.array_equal(table, table[::-1]), model
        assert (np.diff(table[: len(table) // 2 + 1]) >= 0).all(), f"{model} rises up to level 0"
        assert np.array_equal(table, reference_decoder.frequency_table(model)), model


def test_a_table_has_the_deviation_it_is_named_for() -> None:
    """From two levels up; narrower ones are too coarsely sampled to be bells."""
    for model in range(NUM_MODELS):
        levels = np.arange(-largest_level(model), largest_level(model) + 1)
        variance = np.square(levels) @ frequency_table(model) / TOTAL
        expected = 2 ** (model % NUM_SCALES / 4) / 2
        if model % NUM_SCALES >= 8:
            assert variance**0.5 == pytest.approx(expected, rel=0.05), model


def test_residual_tables() -> None:
    generator = np.random.default_rng(0)
    groups = []
    for index in range(NUM_TABLES):
        table = residual_table(index)
        assert len(table) == 2 * LARGEST_RESIDUAL + 1
        assert table.sum() == TOTAL
        assert table.min() >= 1
        assert np.array_equal(table, reference_decoder.residual_table(index))
        middle = LARGEST_RESIDUAL
        # The last residuals stand for all beyond them as well.
        likeliest = 1 + table[1:-1].argmax()
        assert likeliest == middle or index % 8 == 0, "the whole centre is the likeliest"
        assert (np.diff(table[1 : middle - 1]) >= 0).all()
        assert (np.diff(table[middle + 1 : -1]) <= 0).all()
        symbols = np.append(generator.integers(0, 511, 4), [0, 255, 510]).astype(np.int32)
        groups.append((symbols, table))
    assert broken_files.stream(groups) == reference_stream(groups)


# Numbers ---------------------------------------------------------------------------------------


def test_steps_rise_by_an_eighth_of_an_octave_at_most() -> None:
    ratios = STEP_SIZES[1:] / STEP_SIZES[:-1]
    assert ratios.min() > 1
    assert ratios.max() <= 9 / 8
    assert [nearest_step_index(step) for step in STEP_SIZES] == list(range(256))


@given(
    st_numpy.arrays(np.float64, (3, 4), elements=st.floats(-1e6, 1e6)),
    st.integers(0, 255),
)
def test_quantisation_error(matrix: npt.NDArray[np.float64], index: int) -> None:
    step = STEP_SIZES[index]
    quantized = quantize([matrix], [index])
    (restored,) = dequantize(quantized)
    inside = np.abs(matrix) <= LARGEST_LEVEL * step
    assert (np.abs(matrix - restored)[inside] <= step / 2 * (1 + 1e-12)).all()
    assert (np.abs(restored) <= LARGEST_LEVEL * step).all()
    assert np.array_equal(restored.astype(np.float32), restored), "float32 holds it exactly"
    assert quantized.levels[0].dtype == np.int32


# Coordinates -----------------------------------------------------------------------------------


@given(st.integers(1, 300), st.integers(1, 300))
def test_grid_is_symmetric_and_inside(width: int, height: int) -> None:
    coordinates = image_coordinates(width, height)
    assert coordinates.shape == (width * height, 2)
    assert np.abs(coordinates).max() < 1
    np.testing.assert_allclose(coordinates, -coordinates[::-1], atol=1e-12)
    np.testing.assert_allclose(coordinates[0], [1 / width - 1, 1 / height - 1], atol=1e-12)


@given(st.data(), st.integers(1, 1000))
def test_a_crop_has_the_coordinates_of_its_pixels(data: st.DataObject, size: int) -> None:
    start = data.draw(st.integers(0, size - 1))
    stop = data.draw(st.integers(start + 1, size))
    whole = pixel_centres(0, size, size, size)
    crop = pixel_centres(start, stop, size, stop - start)
    np.testing.assert_allclose(crop, whole[start:stop], atol=1e-12)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 700), st.integers(0, 2**32))
def test_batches_cover_the_image(width: int, height: int, wanted: int, seed: int) -> None:
    """A round of batches shows every pixel once, but for what fills up the last group."""
    batches = StratifiedBatches(width, height, wanted, np.random.default_rng(seed))
    round_batches = max(1, round(width * height / wanted))
    seen = np.concatenate([next(batches) for _ in range(round_batches)])
    assert len(seen) == round_batches * batches.batch_pixels < width * height + round_batches
    assert np.array_equal(np.unique(seen), np.arange(width * height))


def test_a_batch_takes_a_pixel_from_every_block() -> None:
    block = 8
    batches = StratifiedBatches(64, 64, (64 // block) ** 2, np.random.default_rng(0), block)
    rows, columns = np.divmod(next(batches), 64)
    assert len({*zip(rows // block, columns // block, strict=True)}) == (64 // block) ** 2


# The codec -------------------------------------------------------------------------------------


@given(
    channels=st.integers(1, 4),
    width=st.integers(1, 20),
    height=st.integers(1, 13),
    dtype=st.sampled_from((np.uint8, np.uint16)),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_encode_and_decode(
    channels: int, width: int, height: int, dtype: type[np.uint8 | np.uint16], seed: int
) -> None:
    """Whatever goes in, even noise, comes back in size and mode, and better than a flat colour."""
    generator = np.random.default_rng(seed)
    peak = np.iinfo(dtype).max
    samples = generator.integers(0, peak, (height, width, channels), dtype, endpoint=True)
    data = sirencodec.encode(samples, effort=0, device="cpu")
    decoded = sirencodec.decode(data, device="cpu").samples
    assert decoded.shape == samples.shape
    assert decoded.dtype == samples.dtype
    error = np.square(decoded.astype(float) - samples).mean()
    assert error <= max(samples.astype(float).var(), (peak / 255) ** 2)
