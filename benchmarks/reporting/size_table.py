"""Run of ``size`` -> a table: what an encode and a decode take, and what the file is worth."""

from collections.abc import Mapping
from typing import Any

from benchmarks.measuring.codecs import CODECS, is_ours
from benchmarks.measuring.sizes import MEGA
from benchmarks.reporting.tables import markdown

MIB = 2**20


def size_table(run: Mapping[str, Any]) -> str:
    """Run -> a row a picture, codec, effort and setting; of others only those beside our rates.

    Peaks are those of whole processes, interpreter and libraries included. The last column is what
    an encode's peak adds for a pixel to that of the smallest picture of the same row.
    """
    points = sorted(run["points"], key=_order)
    header = ["megapixels", "codec", "effort", "bits a pixel", "PSNR", "SSIMULACRA2"]
    header += ["encode s", "decode s", "encode MiB", "decode MiB", "bytes more a pixel"]
    smallest: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    rows = []
    for point in points:
        first = smallest.setdefault(_group(point), point)
        rows.append(
            [
                f"{_megapixels(point):.2f}",
                CODECS[point["codec"]].label,
                str(point.get("effort", "")),
                f"{point['bpp']:.3f}",
                f"{point['psnr_db']:.2f}",
                f"{point['ssimulacra2']:.1f}",
                f"{point['encode_s']:.1f}",
                f"{point['decode_s']:.2f}",
                f"{point['encode_peak_bytes'] / MIB:.0f}",
                f"{point['decode_peak_bytes'] / MIB:.0f}",
                _bytes_more(first, point),
            ]
        )
    return markdown(header, rows)


def _bytes_more(first: Mapping[str, Any], point: Mapping[str, Any]) -> str:
    """Two points of one codec -> bytes of memory for each pixel that the second has more."""
    pixels = (_megapixels(point) - _megapixels(first)) * MEGA
    if pixels < 1:
        return ""
    return f"{(point['encode_peak_bytes'] - first['encode_peak_bytes']) / pixels:.0f}"


def _megapixels(point: Mapping[str, Any]) -> float:
    return float(8 * point["bytes"] / point["bpp"] / MEGA)


def _group(point: Mapping[str, Any]) -> tuple[Any, ...]:
    return not is_ours(point["codec"]), point["codec"], point.get("effort") or 0, point["setting"]


def _order(point: Mapping[str, Any]) -> tuple[Any, ...]:
    return (*_group(point), _megapixels(point))
