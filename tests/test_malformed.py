"""Any bytes either decode or raise SirenCodecError, within the memory and time of `Limits`.

Nothing else may escape: no exception of numpy, torch or zstandard, no warning (pytest turns them
into errors), no PanicException of constriction, which is a BaseException. And what is damaged never
decodes silently, since checksums cover every byte.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

import sirencodec
from sirencodec.bitstream.architecture import Architecture, grid_shape
from sirencodec.bitstream.format import LARGEST_LEVEL
from sirencodec.bitstream.quantize import QuantizedWeights, nearest_step_index, step_size
from sirencodec.entropy.latents import LARGEST_LATENT
from sirencodec.entropy.level_tables import frequency_table, largest_level
from sirencodec.entropy.payload import QuantizedPicture, matrix_shapes
from sirencodec.entropy.prior import LARGEST_REFINEMENT_WEIGHT, prior_refinement
from sirencodec.errors import (
    CorruptError,
    FormatError,
    LimitError,
    NotSirenError,
    SirenCodecError,
    TruncatedError,
)
from sirencodec.limits import Limits
from tests.broken_files import (
    HEADER_FIELDS,
    PYRAMID_FIELDS,
    PYRAMID_FLAG,
    Parts,
    blocks,
    coded,
    frame,
    join,
    old_stream,
    stream,
    table,
    take_apart,
    varint,
)
from tests.paths import VALID
from tests.reference_decoder import MAGIC, Invalid, parse

SMALL_FILES = [path.name for path in sorted(VALID.glob("*.siren")) if path.stat().st_size < 1000]
SMALL = Limits(
    max_file_bytes=2**16,
    max_pixels=2**20,
    max_parameters=5_000,
    max_latents=1_500,
    max_multiply_adds=2**23,
    max_metadata_bytes=2**16,
)


def outcome(data: bytes) -> str:
    """Decode at 8 x 8 under small limits -> "valid" or the class of the error."""
    try:
        picture = sirencodec.decode(data, width=8, height=8, device="cpu", limits=SMALL)
    except SirenCodecError as error:
        return type(error).__name__
    assert picture.samples.shape[:2] == (8, 8)
    return "valid"


# Damage ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SMALL_FILES)
def test_every_truncation(name: str) -> None:
    data = (VALID / name).read_bytes()
    for size in range(len(data)):
        error = TruncatedError if size else NotSirenError
        with pytest.raises(error):
            sirencodec.decode(data[:size])
        with pytest.raises(error):
            sirencodec.read_info(data[:size])


@pytest.mark.parametrize("name", SMALL_FILES)
def test_every_bit_flip_of_the_picture(name: str) -> None:
    """Never a picture; a flipped size may pass the limits before its checksum is looked at."""
    data = (VALID / name).read_bytes()
    parts = take_apart(data)
    picture_bytes = len(join(replace(parts, metadata=None)))
    for bit in range(8 * picture_bytes):
        with pytest.raises((FormatError, LimitError)):
            sirencodec.read_info(flip(data, bit))


@pytest.mark.parametrize(
    "name",
    [
        "xmp.siren",
        "gray-4x4.siren",
        "pyramid-4x3.siren",
        "1-exif-marker.siren",
        "1-gray-4x4.siren",
        "1-pyramid-4x3.siren",
    ],
)
def test_every_bit_flip_of_a_file(name: str) -> None:
    data = (VALID / name).read_bytes()
    for bit in range(8 * len(data)):
        assert outcome(flip(data, bit)) != "valid"


def flip(data: bytes, bit: int) -> bytes:
    flipped = bytearray(data)
    flipped[bit // 8] ^= 1 << bit % 8
    return bytes(flipped)


@pytest.mark.parametrize(
    "head",
    [
        MAGIC,
        MAGIC + b"\0",
        MAGIC + b"\0\0\x04\x04\x02\x00\x1e",
        MAGIC + b"\0\x10\x04\x04\x02\x00\x1e\x08",
        MAGIC + b"\1",
        MAGIC + b"\1\0\x04\x04\x02\x00\x1e",
        MAGIC + b"\1\x10\x04\x04\x02\x00\x1e\x08\1\x66\x6f",
    ],
    ids=len,
)
def test_random_bytes_after_the_head(head: bytes) -> None:
    random = Random(len(head))
    for _ in range(1000):
        assert outcome(head + random.randbytes(random.randrange(80))) != "valid"


# Forgery: mutants with right checksums ---------------------------------------------------------

NUMBERS = (0, 1, 2, 3, 4, 5, 64, 65, 127, 128, 1024, 1025, 16_384, 65_535, 65_536, 2**28 - 1)


class Mutator:
    """Valid files -> mutants, one to three changes each, with checksums of the changed bytes."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        names = ["gray-4x4", "one-pixel", "gray-alpha-16", "rgba", "metadata", "exif-marker", "xmp"]
        names += ["pyramid-4x3", "pyramid-2x3", "pyramid-only-1", "pyramid-metadata"]
        names += ["1-gray-4x4", "1-rgba", "1-metadata", "1-exif-marker", "1-extensions"]
        names += ["1-pyramid-4x3", "1-pyramid-2x3", "1-pyramid-metadata", "1-tiles-largest"]
        self.bases = [take_apart((VALID / f"{name}.siren").read_bytes()) for name in names]
        self.changes = [
            self.header_field,
            self.header_bytes,
            self.flags,
            self.payload_length,
            self.indices,
            self.stream,
            self.network,
            self.network,
            self.pyramid,
            self.segments,
            self.table,
            self.extensions,
            self.metadata_frame,
            self.metadata_content,
            self.metadata_length,
            self.tail,
        ]

    def __call__(self) -> bytes:
        parts = self.random.choice(self.bases)
        for _ in range(self.random.choice((1, 1, 2, 3))):
            parts = self.random.choice(self.changes)(parts)
        return join(parts)

    def header_field(self, parts: Parts) -> Parts:
        name = self.random.choice(field_names(parts))
        value = self.random.choice(NUMBERS)
        return replace(parts, **{name: value})

    def header_bytes(self, parts: Parts) -> Parts:
        name = self.random.choice(field_names(parts))
        padded = varint(self.random.choice(NUMBERS), size=self.random.randrange(1, 6))
        raw = self.random.choice((padded, b"", b"\xff" * 5, self.random.randbytes(3)))
        return replace(parts, **{name: raw})

    def flags(self, parts: Parts) -> Parts:
        flags = self.random.choice((parts.flags ^ 1 << self.random.randrange(8), parts.flags ^ 4))
        version = self.random.choice((*4 * [parts.version], parts.version ^ 1, 255))
        return replace(parts, flags=flags, version=version)

    def payload_length(self, parts: Parts) -> Parts:
        size = len(parts.payload) + self.random.choice((-1, 1, -4, 4, 100))
        return replace(parts, payload_bytes=max(0, self.random.choice((size, size, 0, 2**28 - 1))))

    def indices(self, parts: Parts) -> Parts:
        """Step and model indices, at the edges of their ranges."""
        payload = bytearray(parts.payload)
        position = self.random.randrange(min(34, len(payload)))
        payload[position] = self.random.choice((0, 1, 47, 48, 95, 96, 143, 144, 145, 254, 255))
        return replace(parts, payload=bytes(payload))

    def stream(self, parts: Parts) -> Parts:
        payload, random = parts.payload, self.random
        start = random.randrange(len(payload))
        changed = (
            flip(payload, 8 * start + random.randrange(8)),
            payload[:start],
            payload + random.choice((b"\0", bytes(4), b"\xff" * 4)),
            payload[:start] + b"\xff" * 8 + payload[start + 8 :],
            payload[:start] + bytes(8) + payload[start + 8 :],
            payload[: start // 4 * 4] + random.randbytes(len(payload)),
        )
        return replace(parts, payload=random.choice(changed) or b"\0")

    def segments(self, parts: Parts) -> Parts:
        """Segments damaged, exchanged, left out, called zeros; the table is right about them."""
        random, segments = self.random, list(parts.segments)
        if not segments:
            return parts
        number, data = random.randrange(len(segments)), random.choice(segments) or b""
        changed = (
            None,
            data,
            data[: random.randint(0, len(data))],
            data + random.choice((b"\0", bytes(9), b"\xff")),
            random.randbytes(len(data) + 1),
            flip(data, random.randrange(8 * len(data))) if data else b"\0",
        )
        segments[number] = random.choice(changed)
        return replace(parts, segments=tuple(segments))

    def table(self, parts: Parts) -> Parts:
        """Tables that are not of the segments."""
        random, right = self.random, table(parts.segments)
        if not right:
            return parts
        place = random.randrange(len(right))
        changed = (
            right[:place],
            right + random.choice((b"\0", right)),
            flip(right, random.randrange(8 * len(right))),
            right[:place] + b"\xff\xff\xff\x7f" + right[place + 4 :],
            right[:place] + b"\0" + right[place + 1 :],
        )
        return replace(parts, table=random.choice(changed))

    def extensions(self, parts: Parts) -> Parts:
        random = self.random
        content = b"".join(
            varint(random.choice((0, 2, 64, 1, 2**28 - 2))) + varint(size) + bytes(size)
            for size in random.choices((0, 1, 200), k=random.choice((0, 1, 1, 2)))
        )
        changed = (content, content[:-1], content + b"\2", b"\2\xff\xff\xff\x7f")
        length = random.choice((None, None, None, 0, 2**28 - 1))
        return replace(
            parts,
            flags=parts.flags | 32,
            extensions=random.choice(changed),
            extension_bytes=length,
        )

    def network(self, parts: Parts) -> Parts:
        """Another network of the same or another shape, properly coded, its weights up to huge."""
        random = self.random
        features, layers = random.choice((1, 2, 3, 9)), random.choice((0, 1, 2, 5))
        payload, groups = bytearray(), []
        architecture = Architecture(features, layers, (parts.flags & 3) + 1, 30)
        for rows, columns in architecture.layer_shapes:
            model = random.randrange(144)
            bound = largest_level(model)
            choices = (-bound, bound, 0, 1, random.randint(-bound, bound))
            levels = np.array(random.choices(choices, k=rows * columns), dtype=np.int32)
            payload += bytes([random.choice((0, 100, 160, 254, 255)), model])
            groups.append((levels + bound, frequency_table(model)))
        return replace(
            parts,
            hidden_features=features,
            hidden_layers=layers,
            grids=None,
            tiling=None,
            segments=(),
            table=None,
            flags=parts.flags & ~PYRAMID_FLAG,
            payload=bytes(payload) + (stream if parts.version else old_stream)(groups),
        )

    def pyramid(self, parts: Parts) -> Parts:
        """Another pyramid, properly coded, of any size and latents, its weights up to large."""
        random = self.random
        generator = np.random.default_rng(random.randrange(2**32))
        finest, coarsest = sorted(random.choices(range(7), k=2))
        channels = (parts.flags & 3) + 1
        architecture = Architecture(
            random.choice((1, 2, 5)),
            random.choice((0, 1)),
            channels,
            30,
            tuple(range(finest, coarsest + 1)),
            1,
        )
        size = random.randint(1, 12), random.randint(1, 9)
        picture = pyramid_picture(architecture, size, generator, context=random.choice((0, 0, 9)))
        return replace(
            parts,
            width=size[0],
            height=size[1],
            hidden_features=architecture.hidden_features,
            hidden_layers=architecture.hidden_layers,
            grids=finest + 8 * coarsest,
            prior=1,
            prior_checksum=None,
            flags=parts.flags | PYRAMID_FLAG,
            table=None,
            **coded(picture, architecture, min(parts.version, 1)),
        )

    def metadata_frame(self, parts: Parts) -> Parts:
        section = parts.metadata or frame(blocks(None, None, b"xmp"))
        start = self.random.randrange(len(section))
        changed = (
            flip(section, 8 * start + self.random.randrange(8)),
            section[:start],
            section + self.random.randbytes(3),
            self.random.randbytes(20),
        )
        return replace(parts, flags=parts.flags | 8, metadata=self.random.choice(changed))

    def metadata_content(self, parts: Parts) -> Parts:
        lengths = [self.random.choice((None, None, 0, 1, 5, 40_000)) for _ in range(3)]
        content = blocks(*(None if size is None else bytes(size) for size in lengths))
        changed = (content, content[:-1], content + b"\0", flip(content, 0), content[1:])
        return replace(parts, flags=parts.flags | 8, metadata=frame(self.random.choice(changed)))

    def metadata_length(self, parts: Parts) -> Parts:
        length = self.random.choice((0, 1, 2**28 - 1, b"\xff" * 5, b"\x80\x00", b""))
        metadata = parts.metadata or frame(blocks(None, None, b"xmp"))
        return replace(parts, flags=parts.flags | 8, metadata=metadata, metadata_bytes=length)

    def tail(self, parts: Parts) -> Parts:
        return replace(parts, tail=self.random.choice((b"\0", b"\n", MAGIC, bytes(100))))


def field_names(parts: Parts) -> tuple[str, ...]:
    names = HEADER_FIELDS + (() if parts.grids is None else PYRAMID_FIELDS)
    return names if parts.tiling is None else (*names, "tiling")


def pyramid_picture(
    architecture: Architecture,
    size: tuple[int, int],
    generator: np.random.Generator,
    *,
    context: int = 0,
    layer_level: int = 300,
    layer_step: int = 160,
) -> QuantizedPicture:
    """Random integers up to bounds; kernels up to 8, latents up to all there can be."""
    levels, steps = [], []
    for index, shape in enumerate(matrix_shapes(architecture)):
        bound, step = context, 120
        if index < len(architecture.layer_shapes):
            bound, step = layer_level, layer_step
        elif shape in architecture.kernel_shapes:
            bound, step = 128, nearest_step_index(1 / 16)
        levels.append(generator.integers(-bound, bound + 1, shape).astype(np.int32))
        steps.append(step if levels[-1].any() else 0)
    latents = []
    for exponent in architecture.grids:
        values = generator.laplace(0, generator.choice((0.2, 3, 500)), grid_shape(*size, exponent))
        latents.append(np.clip(values.round(), -LARGEST_LATENT, LARGEST_LATENT).astype(np.int32))
    return QuantizedPicture(QuantizedWeights(tuple(levels), tuple(steps)), tuple(latents))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_mutants_with_right_checksums(seed: int) -> None:
    """500 a seed. Every tenth goes to the reference decoder too, which must agree."""
    mutate = Mutator(seed)
    outcomes = Counter()
    for number in range(500):
        data = mutate()
        result = outcome(data)
        outcomes[result] += 1
        if number % 10 == 0 and result != "LimitError":
            assert reference_outcome(data) == (result == "valid"), data.hex()
    assert outcomes["valid"] >= 50, "mutants should reach all the way to pixels"
    assert outcomes["CorruptError"] >= 150
    assert outcomes["TruncatedError"] >= 25


def test_mutants_of_headers_meet_limits() -> None:
    """Sizes and shapes that a valid file may have, and no reader should follow."""
    mutate = Mutator(0)
    outcomes = Counter(
        outcome(join(mutate.header_field(parts))) for parts in mutate.bases for _ in range(20)
    )
    assert outcomes["LimitError"] >= 10
    assert outcomes["CorruptError"] >= 10


def reference_outcome(data: bytes) -> bool:
    try:
        parse(data)
    except Invalid:
        return False
    return True


# Extremes of what is valid ---------------------------------------------------------------------


def extreme_file(features: int, layers: int, sign: npt.NDArray[Any]) -> bytes:
    """All weights of the largest magnitude a file can express."""
    payload, groups = bytearray(), []
    for rows, columns in Architecture(features, layers, 1, 30).layer_shapes:
        model = 47
        levels = np.resize(sign, rows * columns).astype(np.int32) * LARGEST_LEVEL
        payload += bytes([255, model])
        groups.append((levels + LARGEST_LEVEL, frequency_table(model)))
    parts = Parts(hidden_features=features, hidden_layers=layers, payload=bytes(payload))
    return join(replace(parts, payload=bytes(payload) + stream(groups)))


@pytest.mark.parametrize("exact", [False, True], ids=["float32", "float64"])
@pytest.mark.parametrize("sign", [[1], [-1], [1, -1, 1, 1, -1]], ids=str)
@pytest.mark.parametrize(("features", "layers"), [(1024, 0), (64, 3), (3, 64)])
def test_the_largest_weights_give_finite_values(
    features: int, layers: int, sign: list[int], exact: bool
) -> None:
    """Weights end at 12288 * 240, activations at 1, rows at 1025 entries: no sum passes 3.1e9.

    So neither infinity nor NaN can arise in a picture, in single precision as little as in double.
    """
    data = extreme_file(features, layers, np.array(sign))
    function = sirencodec.open(data, exact=exact, device="cpu")
    axis = np.linspace(-1, 1, 9)
    values = function(np.stack(np.meshgrid(axis, axis), -1))
    assert np.isfinite(values).all()
    assert np.abs(values).max() <= 1025 * LARGEST_LEVEL * 240
    assert sirencodec.decode(data, exact=exact, device="cpu").samples.shape == (4, 4, 1)


@pytest.mark.parametrize("exact", [False, True], ids=["float32", "float64"])
@pytest.mark.parametrize("seed", range(3))
def test_a_pyramid_of_large_numbers_gives_finite_values(seed: int, exact: bool) -> None:
    """Doubled six times and refined by the largest numbers, single precision does not overflow."""
    architecture = Architecture(5, 1, 1, 30, tuple(range(7)), 1)
    generator = np.random.default_rng(seed)
    picture = pyramid_picture(
        architecture, (9, 7), generator, layer_level=LARGEST_LEVEL, layer_step=255
    )
    signs = [1] if seed == 0 else [-1, 1]
    kernels, latents = picture.weights.levels[3], picture.latents[-1]
    kernels[...] = 256 * generator.choice(signs, kernels.shape)  # 16
    latents[...] = LARGEST_LATENT
    steps = list(picture.weights.step_indices)
    for place, shipped in zip((-2, -1), prior_refinement(1), strict=True):
        largest = LARGEST_REFINEMENT_WEIGHT * generator.choice(signs, shipped.shape)
        steps[place] = 120
        picture.weights.levels[place][...] = np.trunc((largest - shipped) / step_size(120))
    picture = replace(picture, weights=QuantizedWeights(picture.weights.levels, tuple(steps)))
    parts = Parts(
        width=9,
        height=7,
        hidden_features=5,
        hidden_layers=1,
        grids=8 * 6,
        flags=PYRAMID_FLAG,
        **coded(picture, architecture),
    )
    function = sirencodec.open(join(parts), exact=exact, device="cpu")
    axis = np.linspace(-1.5, 1.5, 9)
    points = np.stack(np.meshgrid(axis, axis), -1)
    assert np.isfinite(function(points)).all()
    assert np.isfinite(function.gradient(points)).all() or not exact
    assert sirencodec.decode(join(parts), exact=exact, device="cpu").samples.shape == (7, 9, 1)


def test_sines_of_the_largest_phases_are_sines() -> None:
    phases = torch.tensor([3.1e9, -3.1e9, 1e9, 2.5e6, 12345.678], dtype=torch.float32)
    phases = torch.cat([phases, phases.repeat(20)])  # vectorised and scalar code paths
    expected = torch.sin(phases.double()).float()
    torch.testing.assert_close(torch.sin(phases), expected, rtol=0, atol=1e-5)


# Bombs: small files that ask for much ----------------------------------------------------------


def forged_frame(declared_bytes: int) -> bytes:
    """A Zstandard frame whose header says that so much follows; three bytes do."""
    return b"\x28\xb5\x2f\xfd\xe0" + declared_bytes.to_bytes(8, "little") + b"\x19\0\0abc"


def inflating_frame(num_bytes: int) -> bytes:
    """A true Zstandard frame of zeros: 128 KiB from every four bytes, in a window of 128 KiB."""
    count = num_bytes >> 17
    run = (1 << 17 << 3 | 0b010).to_bytes(3, "little") + b"\0"
    last = (1 << 17 << 3 | 0b011).to_bytes(3, "little") + b"\0"
    return b"\x28\xb5\x2f\xfd\x00\x38" + run * (count - 1) + last


SMALL_FILE = Parts(payload=(VALID / "1-gray-4x4.siren").read_bytes()[12:23])
SMALL_PYRAMID = Parts(
    payload=b"\0\x90" * 17, hidden_features=1, grids=0 + 8 * 1, flags=PYRAMID_FLAG, version=0
)
SEGMENTED = replace(SMALL_PYRAMID, version=1, tiling=10, segments=(None,))  # 2^16; all shared
BOMBS: dict[str, tuple[Parts, dict[str, int], type[SirenCodecError]]] = {
    "frame that declares 8 GiB": (
        replace(SMALL_FILE, flags=8, metadata=forged_frame(2**33)),
        {},
        CorruptError,
    ),
    "frame that declares 2^63": (
        replace(SMALL_FILE, flags=8, metadata=forged_frame(2**63)),
        {},
        CorruptError,
    ),
    "frame that inflates to 4 GiB": (
        replace(SMALL_FILE, flags=8, metadata=inflating_frame(2**32)),
        {},
        LimitError,
    ),
    "65535 x 65535": (replace(SMALL_FILE, width=65535, height=65535), {}, LimitError),
    "16384 x 16384 latents": (
        replace(SMALL_PYRAMID, width=16384, height=16384, grids=0),
        {"width": 1, "height": 1},
        LimitError,
    ),
    "a million latents without a stream": (
        replace(SMALL_PYRAMID, width=1024, height=1024),
        {"width": 1, "height": 1},
        CorruptError,
    ),
    "16384 x 16384 zeros": (
        replace(SEGMENTED, width=16384, height=16384),
        {"width": 1, "height": 1},
        LimitError,
    ),
    "a million latents in a segment of nothing": (
        replace(SEGMENTED, width=1024, height=1024, segments=(b"",)),
        {"width": 1, "height": 1},
        CorruptError,
    ),
    "a segment of 256 MiB": (
        replace(SEGMENTED, table=varint(2**28 - 1) + b"\0\0"),
        {},
        TruncatedError,
    ),
    "a table of a million segments": (
        replace(SEGMENTED, width=65535, height=65535, tiling=32, table=b"\0" * 200),
        {},
        CorruptError,
    ),
    "network of 67 million weights": (
        replace(SMALL_FILE, hidden_features=1024, hidden_layers=64),
        {},
        LimitError,
    ),
    "network of 4 million weights without a stream": (
        replace(SMALL_FILE, hidden_features=1020, hidden_layers=4, payload=b"\xff\x2f" * 6),
        {},
        CorruptError,
    ),
    "more pixels than the limit": (SMALL_FILE, {"width": 16385, "height": 16384}, LimitError),
    "a single long row": (SMALL_FILE, {"width": 2**28, "height": 1}, LimitError),
    "a third of a terasine in a network of 137 weights": (
        replace(SMALL_FILE, width=65535, height=65535, hidden_features=1, hidden_layers=64),
        {"width": 2048, "height": 1024},
        LimitError,
    ),
    "more arithmetic than the limit": (
        replace(SMALL_FILE, hidden_features=1024, hidden_layers=3),
        {"width": 16384, "height": 16384},
        LimitError,
    ),
}
DECODE_BOMBS = """
import json, resource, sys, time
import sirencodec
from pathlib import Path

small = Path(sys.argv[1]).read_bytes()
sirencodec.decode(small, device="cpu")  # whatever is set up by a first decode
MIB = 2**20
address_space = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (address_space + 512 * MIB,) * 2)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
results = {}
for path, size in json.loads(sys.argv[2]):
    try:
        sirencodec.decode(Path(path).read_bytes(), device="cpu", **size)
        results[path] = "valid"
    except BaseException as error:
        results[path] = type(error).__name__
growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
json.dump({"results": results, "growth_bytes": 1024 * growth}, sys.stdout)
"""


@pytest.fixture(scope="module")
def bombs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Decode all bombs in a process that may use 512 MiB more than it does after a first decode."""
    folder = tmp_path_factory.mktemp("bombs")
    cases = []
    for name, (parts, size, _) in BOMBS.items():
        (folder / name).write_bytes(join(parts))
        cases.append((str(folder / name), size))
    command = [sys.executable, "-c", DECODE_BOMBS, str(VALID / "gray-4x4.siren"), json.dumps(cases)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    report: dict[str, Any] = json.loads(done.stdout)
    report["results"] = {Path(path).name: result for path, result in report["results"].items()}
    return report


@pytest.mark.skipif(sys.platform != "linux", reason="needs RLIMIT_AS and /proc")
@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_within_memory(name: str, bombs: dict[str, Any]) -> None:
    assert bombs["results"][name] == BOMBS[name][2].__name__


@pytest.mark.skipif(sys.platform != "linux", reason="needs RLIMIT_AS and /proc")
def test_bombs_take_little_memory(bombs: dict[str, Any]) -> None:
    assert bombs["growth_bytes"] < 192 * 2**20
