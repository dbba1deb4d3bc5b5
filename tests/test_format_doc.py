"""docs/FORMAT.md is executed: its example, its rules and its numbers are those of the code."""

from __future__ import annotations

import json
import re
import zlib
from pathlib import Path

import numpy as np
import pytest

import sirencodec
from sirencodec import format as facts
from sirencodec.architecture import Architecture
from sirencodec.container import Header, parse_container, write_container
from sirencodec.entropy import coder, frequency
from sirencodec.entropy.payload import decode_payload
from sirencodec.metadata_section import ZSTD_MAX_WINDOW_BYTES
from sirencodec.quantize import NUM_STEPS, STEP_SIZES
from sirencodec.rate_control import OVERHEAD_BYTES
from sirencodec.varint import write_varint
from tests.forge import take_apart
from tests.reference_decoder import step

ROOT = Path(__file__).parents[1]
DOCUMENT = (ROOT / "docs" / "FORMAT.md").read_text(encoding="utf-8")
SECTIONS = {
    int(number): text
    for number, text in re.findall(r"^## (\d+)\..*\n((?:(?!## ).*\n?)*)", DOCUMENT, re.MULTILINE)
}
EXAMPLE = ROOT / "tests" / "golden" / "valid" / "gray-4x4.siren"
MANIFEST = json.loads((ROOT / "tests" / "golden" / "manifest.json").read_text())


def table(section: int) -> list[list[str]]:
    """Rows of all tables in a section, heads and rules left out."""
    lines = [line for line in SECTIONS[section].splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in rows if row[0] not in ("offset", "size", "matrix", "---")]


def integers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"-?\d+", text)]


def rows_of_integers(section: int) -> list[list[int]]:
    """Numbers of each indented line."""
    lines = SECTIONS[section].splitlines()
    return [integers(line) for line in lines if line.startswith("    ")]


# Section 9, the example ------------------------------------------------------------------------


def test_hexdump_is_the_file() -> None:
    assert f"<!-- hexdump: {EXAMPLE.relative_to(ROOT)} -->" in SECTIONS[9]
    data = b""
    for offset, cell, _, _ in table(9):
        assert int(offset) == len(data)
        data += bytes.fromhex(cell.strip("`"))
    assert data == EXAMPLE.read_bytes()
    assert f"of {len(data)} bytes" in SECTIONS[9]


def test_fields_of_the_example() -> None:
    data = EXAMPLE.read_bytes()
    container = parse_container(data)
    header, payload = container.header, container.payload
    words = [int(word) for word in np.frombuffer(payload[4:], "<u4")]
    decoded = {
        "version": data[4],
        "flags": data[5],
        "width": header.width,
        "height": header.height,
        "hidden_features": header.architecture.hidden_features,
        "hidden_layers": header.architecture.hidden_layers,
        "omega_0": header.architecture.omega_0,
        "payload_bytes": len(payload),
        "step_index of the first matrix": payload[0],
        "model_index of the first matrix": payload[1],
        "step_index of the last matrix": payload[2],
        "model_index of the last matrix": payload[3],
        "stream, first word": words[0],
        "stream, second word": words[1],
        "checksum": zlib.crc32(data[:-4]),
    }
    stated = {field: value for _, _, field, value in table(9)}
    assert stated.pop("magic") == r"`\x89SRN`"
    assert facts.MAGIC == b"\x89SRN"
    assert {field: int(re.split(r"\W", value)[0], 0) for field, value in stated.items()} == decoded


def test_what_the_example_says_of_steps_and_models() -> None:
    for _, _, field, value in table(9):
        if field.startswith("step_index"):
            index, numerator, denominator = integers(value)
            assert STEP_SIZES[index] == numerator / denominator
        if field.startswith("model_index"):
            index, scale, largest = integers(value)
            assert index % frequency.NUM_SCALES == scale
            assert frequency.largest_level(index) == largest
            shapes = ("Gaussian", "logistic", "Laplace")
            assert value.split()[1].strip(",") == shapes[index // frequency.NUM_SCALES]


def test_frequencies_of_the_example() -> None:
    found = re.search(r"Model (\d+) gives level (.*)\. The nine", SECTIONS[9])
    assert found is not None
    table_of_model = frequency.frequency_table(int(found[1]))
    for level, stated in re.findall(r"(\d+) (?:a frequency of )?(\d+)", found[2]):
        assert table_of_model[len(table_of_model) // 2 + int(level)] == int(stated)


def test_levels_and_samples_of_the_example() -> None:
    container = parse_container(EXAMPLE.read_bytes())
    levels = decode_payload(container.payload, container.header.architecture).levels
    samples = sirencodec.decode(EXAMPLE, exact=True).samples[:, :, 0]
    expected = [*levels[0].tolist(), *levels[1].tolist(), *samples.tolist()]
    assert rows_of_integers(9) == expected


# Section 7, what a reader must reject ----------------------------------------------------------


def test_rules_and_invalid_files_agree() -> None:
    rules = [int(number) for number in re.findall(r"^(\d+)\. ", SECTIONS[7], flags=re.MULTILINE)]
    assert rules == list(range(1, len(rules) + 1))
    assert {entry["number"] for entry in MANIFEST["invalid"].values()} == set(rules)
    for name, entry in MANIFEST["invalid"].items():
        assert int(name[:2]) == entry["number"]


# Sections 1 to 6, numbers ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "bounds"),
    [
        ("width", facts.SIDE_RANGE),
        ("height", facts.SIDE_RANGE),
        ("hidden_features", facts.HIDDEN_FEATURES_RANGE),
        ("hidden_layers", facts.HIDDEN_LAYERS_RANGE),
        ("omega_0", facts.OMEGA_0_RANGE),
        ("payload_bytes", facts.PAYLOAD_BYTES_RANGE),
        ("metadata_bytes", facts.METADATA_BYTES_RANGE),
    ],
)
def test_ranges(field: str, bounds: tuple[int, int]) -> None:
    rows = [row for section in (2, 4) for row in table(section) if row[:2] == ["varint", field]]
    assert len(rows) == 1
    low, high = rows[0][2].replace("2^28 - 1", str(2**28 - 1)).split(" to ")
    assert (int(low), int(high)) == bounds


def test_overhead() -> None:
    """The longest header there can be, and the longest an encoder writes."""
    widest = (facts.SIDE_RANGE[1], facts.SIDE_RANGE[1], facts.HIDDEN_FEATURES_RANGE[1])
    for omega_0, word in ((facts.OMEGA_0_RANGE[1], "at most"), (127, "and")):
        fields = (*widest, facts.HIDDEN_LAYERS_RANGE[1], omega_0, facts.PAYLOAD_BYTES_RANGE[1])
        size = 6 + sum(len(write_varint(field)) for field in fields) + facts.CHECKSUM_BYTES
        assert f"{word} {size}" in SECTIONS[2]
    assert size == OVERHEAD_BYTES


def test_flags() -> None:
    assert facts.CHANNELS_MASK == 0b11
    assert facts.SIXTEEN_BIT_FLAG == 1 << 2
    assert facts.METADATA_FLAG == 1 << 3
    assert facts.RESERVED_FLAGS == 0b1111 << 4
    for channels in (1, 2, 3, 4):
        for bit_depth in (8, 16):
            header = Header(1, 1, bit_depth, Architecture(1, 0, channels, 1))
            for metadata in (None, b"frame"):
                flags = channels - 1 | (bit_depth == 16) << 2 | (metadata is not None) << 3
                assert take_apart(write_container(header, b"payload", metadata)).flags == flags


def test_constants_of_sections_1_to_6() -> None:
    def states(section: int, text: str) -> bool:
        return text in re.sub(r"\s+", " ", SECTIONS[section])

    assert states(1, f"1 to {facts.MAX_VARINT_BYTES} bytes")
    assert states(2, f"| 1 | version | {facts.VERSION} |")
    assert states(2, f"| {facts.CHECKSUM_BYTES} | checksum |")
    assert states(4, f"window at most {ZSTD_MAX_WINDOW_BYTES >> 20} MiB")
    assert states(5, f"**step_index** (0 to {NUM_STEPS - 1})")
    assert states(5, f"**model_index** (0 to {frequency.NUM_MODELS - 1})")
    assert states(5, f"sum 2^{coder.PRECISION}")
    assert states(5, f"{8 * coder.WORD_BYTES}-bit words")
    assert states(6, f"model_index // {frequency.NUM_SCALES}`")
    reciprocals = ", ".join(map(str, frequency._RECIPROCAL_SCALES))
    assert states(6, f"R = {reciprocals}.")
    for rate in (frequency._GAUSSIAN_RATE, frequency._LOGISTIC_RATE, frequency._LAPLACE_RATE):
        assert states(6, f"* {rate} >> 16")
    shapes = [frequency.GAUSSIAN, frequency.LOGISTIC, frequency.LAPLACE]
    assert states(6, "{} Gaussian, {} logistic, {} Laplace".format(*shapes))
    assert states(7, f"above {frequency.NUM_MODELS - 1}")


def test_steps() -> None:
    assert "`(8 + step_index % 8) * 2^(step_index // 8 - 27)`" in SECTIONS[5]
    assert STEP_SIZES.tolist() == [step(index) for index in range(256)]
