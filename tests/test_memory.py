"""Decoding takes little memory besides its output, however large that or the stored image is."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sirencodec.bitstream.format import METADATA_FLAG
from sirencodec.bitstream.metadata_section import write_metadata
from sirencodec.image.metadata import Metadata
from tests.broken_files import join, take_apart
from tests.paths import VALID
from tests.unit.image.builders import make_exif

SMALL_FILE = VALID / "gray-4x4.siren"
ALLOWED_BYTES = 128 * 2**20
DECODE = """
import json, resource, sys
from pathlib import Path
import sirencodec

small, large, size = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2]).read_bytes(), sys.argv[3]
sirencodec.decode(small, device="cpu", width=100)  # whatever is set up by a first decode
resident = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
samples = sirencodec.decode(large, device="cpu", **json.loads(size)).samples
status = Path("/proc/self/status").read_text()  # ru_maxrss would count whoever started this
peak = 1024 * int(status.split("VmHWM:")[1].split()[0])
json.dump({"shape": samples.shape, "above_output": peak - resident - samples.nbytes}, sys.stdout)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("stored", "size"),
    [
        pytest.param((4, 4), (8192, 8192), id="large output"),
        pytest.param((16384, 2048), (64, 1), id="all points in one row of output"),
        pytest.param((4, 4), (1 << 20, 4), id="long rows"),
    ],
)
def test_memory_above_the_output(
    stored: tuple[int, int], size: tuple[int, int], tmp_path: Path
) -> None:
    parts = take_apart(SMALL_FILE.read_bytes())
    large = tmp_path / "large.siren"
    large.write_bytes(join(replace(parts, width=stored[0], height=stored[1])))
    wanted = json.dumps({"width": size[0], "height": size[1]})
    command = [sys.executable, "-c", DECODE, str(SMALL_FILE), str(large), wanted]
    report = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert report["shape"] == [size[1], size[0], 1]
    assert report["above_output"] < ALLOWED_BYTES


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("orientation", [3, 6])
def test_memory_above_the_output_of_a_turned_picture(orientation: int, tmp_path: Path) -> None:
    """Which is made upright a band at a time; twice 137 MiB would be too many."""
    parts = take_apart((VALID / "1-rgb-16.siren").read_bytes())
    metadata = write_metadata(Metadata(exif=make_exif(orientation=orientation)))
    parts = replace(parts, metadata=metadata, flags=parts.flags | METADATA_FLAG)
    large = tmp_path / "large.siren"
    large.write_bytes(join(replace(parts, width=6000, height=4000)))
    wanted = json.dumps({"strip": True})
    command = [sys.executable, "-c", DECODE, str(SMALL_FILE), str(large), wanted]
    report = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert report["shape"] == ([4000, 6000, 3] if orientation == 3 else [6000, 4000, 3])
    assert report["above_output"] < ALLOWED_BYTES


IN_PILLOW = """
import resource, sys
from pathlib import Path
import PIL.Image, sirencodec

with PIL.Image.open(sys.argv[1]) as image:  # whatever is set up by a first decode
    image.load()
resident = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
with PIL.Image.open(sys.argv[2]) as image:
    image.load()
status = Path("/proc/self/status").read_text()
peak = 1024 * int(status.split("VmHWM:")[1].split()[0])
print(peak - resident - 4 * image.width * image.height)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("name", ["1-rgba.siren", "1-rgb-16.siren"])
def test_memory_above_the_copy_of_pillow(name: str, tmp_path: Path) -> None:
    """Samples of 16 bits, too, are rounded some rows at a time."""
    large = tmp_path / "large.siren"
    parts = take_apart((VALID / name).read_bytes())
    large.write_bytes(join(replace(parts, width=6000, height=6000)))
    command = [sys.executable, "-W", "ignore", "-c", IN_PILLOW, str(SMALL_FILE), str(large)]
    done = subprocess.run(command, capture_output=True, check=True)
    assert int(done.stdout) < ALLOWED_BYTES
