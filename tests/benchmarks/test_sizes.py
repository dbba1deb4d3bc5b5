"""One picture at several sizes: what is measured of each, and the table of it."""

from __future__ import annotations

from pathlib import Path

import PIL.Image

from benchmarks.measuring.pixels import read_pixels
from benchmarks.measuring.sizes import write_sizes
from benchmarks.reporting.size_table import size_table
from tests.pictures import make_clouds

MIB = 2**20


def test_sizes_are_of_the_whole_picture_and_none_is_enlarged(tmp_path: Path) -> None:
    PIL.Image.fromarray(make_clouds(200, 100)).save(tmp_path / "clouds.png")
    files = write_sizes(tmp_path / "clouds.png", (0.02, 0.005, 0.021), tmp_path)
    assert [file.name for file in files] == ["clouds-0.005mp.png", "clouds-0.02mp.png"]
    assert [read_pixels(file).shape for file in files] == [(50, 100, 3), (100, 200, 3)]


def point(megapixels: float, peak_mib: int, effort: int = 0) -> dict[str, object]:
    return {
        "codec": "sirencodec",
        "effort": effort,
        "setting": 0.25,
        "image": f"a-{megapixels:g}mp",
        "bytes": round(0.25 * megapixels * 1_000_000 / 8),
        "bpp": 0.25,
        "psnr_db": 31.0,
        "ssimulacra2": 60.0,
        "encode_s": 12.0,
        "decode_s": 0.5,
        "encode_peak_bytes": peak_mib * MIB,
        "decode_peak_bytes": 100 * MIB,
    }


def test_the_table_says_what_memory_a_pixel_takes() -> None:
    points = [point(1.0, 300), point(0.4, 240), point(0.4, 250, effort=4)]
    rows = size_table({"points": points}).splitlines()[2:]
    assert [row.split("|")[1].strip() for row in rows] == ["0.40", "1.00", "0.40"]
    bytes_more = [row.split("|")[11].strip() for row in rows]
    assert bytes_more == ["", str(round(60 * MIB / 600_000)), ""]
