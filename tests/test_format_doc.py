"""docs/FORMAT.md is executed: its example, its rules and its numbers are those of the code."""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import replace

import numpy as np
import pytest

import sirencodec
from sirencodec.bitstream import format as facts
from sirencodec.bitstream import prior_file
from sirencodec.bitstream.architecture import REFINED, Architecture, grid_shape
from sirencodec.bitstream.container import Container, write_container
from sirencodec.bitstream.format import EXPONENTS, LARGEST_EXPONENT
from sirencodec.bitstream.header import Header
from sirencodec.bitstream.metadata_section import ZSTD_MAX_WINDOW_BYTES
from sirencodec.bitstream.prior_file import PRIORS
from sirencodec.bitstream.quantize import NUM_STEPS, STEP_SIZES
from sirencodec.bitstream.segments import Payload, segment_checksum
from sirencodec.bitstream.tiling import Tiling
from sirencodec.bitstream.varint import write_varint
from sirencodec.entropy import (
    context_model,
    latents,
    level_tables,
    prior,
    range_coder,
    residual_tables,
)
from sirencodec.entropy.context_model import PHASES
from sirencodec.entropy.matrices import ZERO_MODEL
from sirencodec.entropy.payload import LARGEST_KERNEL_WEIGHT, QuantizedPicture
from sirencodec.entropy.stored import open_stored
from sirencodec.fitting.target import OVERHEAD_BYTES, PYRAMID_BYTES
from tests import reference_decoder
from tests.broken_files import take_apart
from tests.paths import GOLDEN, PACKAGE, ROOT
from tests.reference_decoder import step

DOCUMENT = (ROOT / "docs" / "FORMAT.md").read_text(encoding="utf-8")
SECTIONS = {
    int(number): text
    for number, text in re.findall(r"^## (\d+)\..*\n((?:(?!## ).*\n?)*)", DOCUMENT, re.MULTILINE)
}
EXAMPLES = {
    name: re.sub(r"^.*\n", "", text)
    for text in SECTIONS[11].split("### ")[1:]
    for name in re.findall(r"<!-- hexdump: (.*) -->", text)
}
PURE, PYRAMID = EXAMPLES
both = pytest.mark.parametrize("example", EXAMPLES)
MANIFEST = json.loads((GOLDEN / "manifest.json").read_text())


def prose(text: str) -> str:
    """A text as one line, for a sentence may be broken anywhere."""
    return re.sub(r"\s+", " ", text)


def table(text: str) -> list[list[str]]:
    """Rows of all tables in a text, heads and rules left out."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [
        row for row in rows if row[0] not in ("offset", "size", "matrix", "number", "what", "---")
    ]


def integers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"-?\d+", text)]


def rows_of_integers(text: str) -> list[list[int]]:
    """Numbers of each indented line, the names of grids left out."""
    lines = [line for line in text.splitlines() if line.startswith("    ")]
    return [integers(re.sub(r"grid \d", "", line)) for line in lines]


def example_bytes(example: str) -> bytes:
    return (ROOT / example).read_bytes()


def example_picture(example: str) -> tuple[Container, QuantizedPicture]:
    stored = open_stored(example_bytes(example))
    return stored.container, stored.decode()


# Section 11, the examples ----------------------------------------------------------------------


@both
def test_hexdump_is_the_file(example: str) -> None:
    data = b""
    for offset, cell, _, _ in table(EXAMPLES[example]):
        assert int(offset) == len(data)
        data += bytes.fromhex(cell.strip("`"))
    assert data == example_bytes(example)
    assert f"of {len(data)} bytes, `{example}`" in EXAMPLES[example]


@both
def test_fields_of_the_example(example: str) -> None:
    data = example_bytes(example)
    container, picture = example_picture(example)
    header, coded = container.header, container.matrices
    architecture = header.architecture
    decoded = {
        "version": data[4],
        "flags": data[5],
        "width": header.width,
        "height": header.height,
        "hidden_features": architecture.hidden_features,
        "hidden_layers": architecture.hidden_layers,
        "omega_0": architecture.omega_0,
        "matrices_bytes": len(coded),
        "checksum": zlib.crc32(data[: container.segments_start - 4]),
    }
    matrices = ["first matrix", "last matrix"]
    if architecture.grids:
        decoded["grids"] = architecture.grids[0] + EXPONENTS * architecture.grids[-1]
        decoded["prior"] = architecture.prior
        decoded["prior_checksum"] = prior_file.prior_checksum(architecture.prior)
        matrices.append("kernels")
        assert container.tiling is not None
        decoded["tiling"] = container.tiling.log_side - 6 + 16 * container.tiling.shared
        for number, grid in enumerate(("grid 1", "grid 0")):
            segment = container.sound_segment(number)
            decoded[f"segment_bytes of {grid}"] = len(segment) + 1
            decoded[f"segment_checksum of {grid}"] = segment_checksum(segment)
    for index, name in enumerate(matrices):
        decoded[f"step_index of the {name}"] = coded[2 * index]
        decoded[f"model_index of the {name}"] = coded[2 * index + 1]
    rows = {field: (cell, value) for _, cell, field, value in table(EXAMPLES[example])}
    stated = {field: value for field, (_, value) in rows.items()}
    streams = {"stream": coded[2 * len(picture.weights.levels) :]}
    if architecture.grids:
        streams |= {f"segment of grid {k}": container.segment(1 - k) for k in (0, 1)}
    for name, stream in streams.items():
        counts = {4: "four", 5: "five", 7: "seven", 9: "nine"}
        assert stated.pop(name).startswith(f"{counts[len(stream)]} bytes")
        assert bytes.fromhex(rows[name][0].strip("`")) == stream
    assert stated.pop("magic") == r"`\x89SRN`"
    assert facts.MAGIC == b"\x89SRN"
    if architecture.grids:
        assert stated.pop("indices of the context differences").startswith("twelve times 0 and 144")
        stated_refinement = stated.pop("indices of the refinement differences")
        assert stated_refinement.startswith("twice 0 and 144")
        assert coded[6:34] == 14 * b"\0\x90"
    assert {field: int(re.split(r"\W", value)[0], 0) for field, value in stated.items()} == decoded


@both
def test_what_the_example_says_of_steps_and_models(example: str) -> None:
    for _, _, field, value in table(EXAMPLES[example]):
        if field.startswith("step_index"):
            index, numerator, denominator = integers(value)
            assert STEP_SIZES[index] == numerator / denominator
        if field.startswith("model_index"):
            index, scale, largest = integers(value)
            assert index % level_tables.NUM_SCALES == scale
            assert level_tables.largest_level(index) == largest
            shapes = ("Gaussian", "logistic", "Laplace")
            assert value.split()[1].strip(",") == shapes[index // level_tables.NUM_SCALES]


def test_frequencies_of_the_pure_example() -> None:
    found = re.search(r"Model (\d+) gives level (.*)\. The nine", prose(EXAMPLES[PURE]))
    assert found is not None
    table_of_model = level_tables.frequency_table(int(found[1]))
    for level, stated in re.findall(r"(\d+) (?:a frequency of )?(\d+)", found[2]):
        assert table_of_model[len(table_of_model) // 2 + int(level)] == int(stated)


def test_prediction_of_the_pyramid_example() -> None:
    text = prose(EXAMPLES[PYRAMID])
    found = re.search(
        r"c = (-?\d+) and s = (-?\d+), hence a centre of 0 and table (\d+), in which "
        r"residual -2 has a frequency of (\d+), and residual 0 (\d+)\. ",
        text,
    )
    assert found is not None
    c, s, index, first, second = map(int, found.groups())
    network = reference_decoder.context_networks(1, 14 * [0], [*prior_zeros()])[0]
    assert reference_decoder.outputs(network, [{}, {}], (0, 0), 1) == (c, s)
    assert reference_decoder.prediction(network, [{}, {}], (0, 0), 1) == (index, 0)
    frequencies = residual_tables.residual_table(index)
    assert frequencies[residual_tables.LARGEST_RESIDUAL - 2] == first
    assert frequencies[residual_tables.LARGEST_RESIDUAL] == second
    file = reference_decoder.parse(example_bytes(PYRAMID))
    features = reference_decoder.pixel_features(file, file.levels[2] * step(file.step_indices[2]))
    fine, coarse = (float(feature[0, 0]) for feature in features)
    refined = [feature[0, 0] for feature in reference_decoder.refined(file, features)]
    stated = "the features are {:g} and {}, refined {:.4f} and {:.4f},".format(
        fine, coarse, *refined
    )
    assert stated in text


def prior_zeros() -> list[np.ndarray]:
    return [np.zeros(shape, np.int64) for shape in prior.prior_shapes(1)]


@both
def test_integers_and_samples_of_the_example(example: str) -> None:
    _, picture = example_picture(example)
    samples = sirencodec.decode(ROOT / example, exact=True).samples[:, :, 0]
    parts = [levels for levels in picture.weights.levels if levels.any()]
    expected = [row for part in (*parts, *picture.latents, samples) for row in part.tolist()]
    assert rows_of_integers(EXAMPLES[example]) == expected


# Section 10, what a reader must reject ---------------------------------------------------------


def test_rules_and_invalid_files_agree() -> None:
    rules = [int(number) for number in re.findall(r"^(\d+)\. ", SECTIONS[10], flags=re.MULTILINE)]
    assert rules == list(range(1, len(rules) + 1))
    assert {entry["number"] for entry in MANIFEST["invalid"].values()} == set(rules)
    for name, entry in MANIFEST["invalid"].items():
        assert int(name[:2]) == entry["number"]


# Sections 1 to 9, numbers ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "bounds"),
    [
        ("width", facts.SIDE_RANGE),
        ("height", facts.SIDE_RANGE),
        ("hidden_features", facts.HIDDEN_FEATURES_RANGE),
        ("hidden_layers", facts.HIDDEN_LAYERS_RANGE),
        ("omega_0", facts.OMEGA_0_RANGE),
        ("grids", facts.GRIDS_RANGE),
        ("prior", facts.PRIOR_RANGE),
        ("tiling", facts.TILING_RANGE),
        ("extension_bytes", facts.EXTENSION_BYTES_RANGE),
        ("matrices_bytes", facts.MATRICES_BYTES_RANGE),
        ("segment_bytes", facts.SEGMENT_BYTES_RANGE),
        ("metadata_bytes", facts.METADATA_BYTES_RANGE),
    ],
)
def test_ranges(field: str, bounds: tuple[int, int]) -> None:
    rows = [
        row
        for section in (2, 4)
        for row in table(SECTIONS[section])
        if row[:2] == ["varint", field]
    ]
    assert len(rows) == 1
    low, high = rows[0][2].replace("2^28 - 1", str(2**28 - 1)).split(" to ")
    assert (int(low), int(high)) == bounds


def test_overhead() -> None:
    """The longest header there can be, and the longest an encoder writes."""
    widest = (facts.SIDE_RANGE[1], facts.SIDE_RANGE[1], facts.HIDDEN_FEATURES_RANGE[1])
    for omega_0, word in ((facts.OMEGA_0_RANGE[1], "at most"), (127, "and")):
        fields = (*widest, facts.HIDDEN_LAYERS_RANGE[1], omega_0, facts.MATRICES_BYTES_RANGE[1])
        size = 6 + sum(len(write_varint(field)) for field in fields) + facts.CHECKSUM_BYTES
        assert f"{word} {size}" in prose(SECTIONS[2])
    assert size == OVERHEAD_BYTES
    longest = max(
        len(write_varint(coarsest * EXPONENTS)) for coarsest in range(LARGEST_EXPONENT + 1)
    )
    pyramid = longest + len(write_varint(facts.PRIOR_RANGE[1])) + facts.PRIOR_CHECKSUM_BYTES
    pyramid += len(write_varint(facts.TILING_RANGE[1]))
    assert pyramid == PYRAMID_BYTES
    assert f"a pyramid has {pyramid} more" in prose(SECTIONS[2])


def test_flags() -> None:
    assert facts.CHANNELS_MASK == 0b11
    assert facts.SIXTEEN_BIT_FLAG == 1 << 2
    assert facts.METADATA_FLAG == 1 << 3
    assert facts.PYRAMID_FLAG == 1 << 4
    assert facts.EXTENSIONS_FLAG == 1 << 5
    assert facts.RESERVED_FLAGS == 0b11 << 6
    pyramid = Payload(b"matrices", Tiling(6, 0), (None,))
    header = Header(1, 1, 8, Architecture(1, 0, 1, 1, (0, 1), 1))
    assert take_apart(write_container(header, pyramid)).flags == 16
    extended = replace(header, extensions=b"\2\0")
    assert take_apart(write_container(extended, pyramid)).flags == 48
    for channels in (1, 2, 3, 4):
        for bit_depth in (8, 16):
            header = Header(1, 1, bit_depth, Architecture(1, 0, channels, 1))
            for metadata in (None, b"frame"):
                flags = channels - 1 | (bit_depth == 16) << 2 | (metadata is not None) << 3
                data = write_container(header, Payload(b"matrices"), metadata)
                assert take_apart(data).flags == flags


def states(section: int, text: str) -> bool:
    return text in prose(SECTIONS[section])


def test_constants_of_sections_1_to_6() -> None:
    assert states(1, f"1 to {facts.MAX_VARINT_BYTES} bytes")
    assert states(2, f"| 1 | version | {facts.VERSION} |")
    assert states(2, f"| {facts.CHECKSUM_BYTES} | checksum |")
    assert states(4, f"window at most {ZSTD_MAX_WINDOW_BYTES >> 20} MiB")
    assert states(5, f"**step_index** (0 to {NUM_STEPS - 1})")
    assert states(5, f"**model_index** (0 to {ZERO_MODEL})")
    assert states(5, f"Model index {ZERO_MODEL} says that all levels")
    assert states(5, f"sum 2^{range_coder.PRECISION}")
    assert range_coder.WORD_BYTES == 4
    assert states(5, "A *word* is the next four bytes")
    assert states(6, f"model_index // {level_tables.NUM_SCALES}`")
    assert states(6, f"up to {level_tables.NUM_MODELS - 1}")
    reciprocals = ", ".join(map(str, level_tables._RECIPROCAL_SCALES))
    assert states(6, f"R = {reciprocals}.")
    for rate in (
        level_tables._GAUSSIAN_RATE,
        level_tables._LOGISTIC_RATE,
        level_tables._LAPLACE_RATE,
    ):
        assert states(6, f"* {rate} >> 16")
    shapes = [level_tables.GAUSSIAN, level_tables.LOGISTIC, level_tables.LAPLACE]
    assert states(6, "{} Gaussian, {} logistic, {} Laplace".format(*shapes))
    assert states(10, f"above {ZERO_MODEL}")


def test_tiles_and_checksums() -> None:
    found = re.search(r"`(\d+)` it is ([0-9A-F]{4})", prose(SECTIONS[1]))
    assert found is not None
    assert segment_checksum(found[1].encode()) == int(found[2], 16)
    smallest, largest = facts.SMALLEST_LOG_TILE, facts.LARGEST_LOG_TILE
    assert states(8, f"side S of a tile, 2^{smallest} to 2^{largest},")
    assert states(2, f"log2 of the side of a tile - {smallest}, + {facts.TILES} * shared")
    assert facts.TILING_RANGE[1] == largest - smallest + facts.TILES * (LARGEST_EXPONENT + 1)
    assert states(10, f"above 2^{largest}")


def test_old_version() -> None:
    low, high = facts.PAYLOAD_BYTES_RANGE
    assert (low, high) == (1, 2**28 - 1)
    assert states(12, f"a varint from {low} to 2^28 - 1")
    assert states(12, f"The version is {facts.OLD_VERSION}.")


def test_priors_are_those_that_ship() -> None:
    """For ever: a number is never given anew."""
    stated, channels = {}, {}
    for number, widths, hidden, size, checksum in table(SECTIONS[7]):
        data = (PACKAGE / "priors" / f"{number}.bin").read_bytes()
        assert (len(data), zlib.crc32(data)) == (int(size), int(checksum, 16))
        stated[int(number)] = tuple(integers(widths))
        channels[int(number)] = int(hidden)
    assert {n: (*known.hidden_widths, 2) for n, known in PRIORS.items()} == stated
    assert stated == reference_decoder.WIDTHS
    assert {n: known.refinement_channels for n, known in PRIORS.items()} == channels
    assert channels == reference_decoder.CHANNELS
    for number in stated:
        assert list(prior.context_shapes(number)) == reference_decoder.context_shapes(number)
        assert list(prior.prior_shapes(number)) == reference_decoder.prior_shapes(number)
        (rows, inputs), (refined, outputs) = prior.prior_shapes(number)[-2:]
        assert states(7, f"{rows} x {inputs} and {refined} x {outputs} in prior {number}")


def test_constants_of_sections_7_to_9() -> None:
    assert states(2, f"finest <= coarsest <= {LARGEST_EXPONENT}.")
    assert states(2, f"finest + {EXPONENTS} * coarsest")
    assert grid_shape(70, 45, 3) == reference_decoder.grid_shape((70, 45), 3) == (6, 9)
    columns = f"9 (p + {context_model.COARSER_SOURCES}) + {LARGEST_EXPONENT + 1} columns"
    assert states(7, columns)
    assert states(7, f"units of 2^-{context_model.WEIGHT_BITS}")
    assert states(7, f"at least {prior._SMALLEST_STEP_INDEX},")
    assert states(10, f"step index below {prior._SMALLEST_STEP_INDEX}")
    assert latents.LARGEST_WEIGHT == 2**26
    assert states(7, "No sum is beyond 2^26")
    assert prior.LARGEST_REFINEMENT_WEIGHT == LARGEST_KERNEL_WEIGHT == 16
    assert states(7, "No sum is beyond 16")
    assert states(9, "none of which is beyond 16")
    assert states(9, "features of grids {} and {},".format(*REFINED))
    assert states(8, ", ".join(map(str, PHASES)))
    assert (
        context_model.HIDDEN_BITS,
        context_model.LARGEST_HIDDEN,
        context_model.INPUT_BITS,
    ) == (12, 2**20, 3)
    rates = ", ".join(map(str, residual_tables._EIGHTH_RATES))
    assert states(8, f"Q = {rates}.")
    assert states(8, f"+ {residual_tables.UNIT_SCALE}, 0), {residual_tables.NUM_SCALES - 1})")
    assert states(8, f"0 to {residual_tables.NUM_TABLES - 1},")
    assert states(
        8, f"from -{residual_tables.LARGEST_RESIDUAL} to {residual_tables.LARGEST_RESIDUAL};"
    )
    assert states(8, f"beyond {latents.LARGEST_LATENT} in magnitude")


def test_steps() -> None:
    assert "`(8 + step_index % 8) * 2^(step_index // 8 - 27)`" in SECTIONS[5]
    assert STEP_SIZES.tolist() == [step(index) for index in range(256)]
