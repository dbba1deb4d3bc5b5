"""Run of kinds of content -> Markdown tables."""

from collections import defaultdict
from typing import Any

from benchmarks.measuring.codecs import CODECS, OURS, OURS_FOR_PSNR
from benchmarks.measuring.content import BACKGROUNDS, LOSSLESS, RIVALS
from benchmarks.measuring.kinds import KINDS
from benchmarks.measuring.measure import Point
from benchmarks.reporting.tables import markdown

LOSSY = (OURS, OURS_FOR_PSNR, *RIVALS)
LABELS = {name: CODECS[name].label for name in LOSSY}
LABELS |= {"webp-lossless": "WebP lossless", "png": "PNG"}


def content_table(run: dict[str, Any]) -> str:
    """Run -> a row a kind: bytes without loss and of ours, and what that many bytes come to.

    Of pictures with alpha, over white.
    """
    header = ["", *(LABELS[name] for name in LOSSLESS), "bytes of ours"]
    header += [f"{LABELS[name]}: dB, score" for name in LOSSY]
    rows = []
    for kind, points in _by_kind(run).items():
        sizes = [f"{points[name]['bytes']:,}" for name in (*LOSSLESS, OURS)]
        size = points[OURS]["bytes"]
        rows.append([kind, *sizes, *(_quality(points[name], size) for name in LOSSY)])
    return markdown(header, rows)


def short_content_table(run: dict[str, Any]) -> str:
    """Run -> a row a kind: bytes without loss, bytes of ours, and the better tune of both codecs.

    PSNR, each codec tuned for it.
    """
    header = ["", "WebP without loss, bytes", "ours, bytes", "ours", "AVIF in as many bytes"]
    rows = []
    for kind, points in _by_kind(run).items():
        size = points[OURS]["bytes"]
        pair = [_decibels(points[name], size) for name in (OURS_FOR_PSNR, "avif-444-psnr")]
        rows.append([kind, f"{points['webp-lossless']['bytes']:,}", f"{size:,}", *pair])
    return markdown(header, rows)


def alpha_table(run: dict[str, Any]) -> str:
    """Run -> a row a picture with alpha and codec: bytes, PSNR over backgrounds, alpha."""
    header = ["", "bytes", *(f"on {background}, dB" for background in BACKGROUNDS)]
    header += ["least alpha where opaque", "most where transparent"]
    rows = []
    for kind, points in _by_kind(run).items():
        for name, label in LABELS.items():
            point = points[name]
            if "least_opaque" in point:
                row = [f"{kind}, {label}", f"{point['bytes']:,}"]
                row += [_in_words(value) for value in point["psnr_db"]]
                rows.append([*row, str(point["least_opaque"]), str(point["most_transparent"])])
    return markdown(header, rows)


def _by_kind(run: dict[str, Any]) -> dict[str, dict[str, Point]]:
    """Run -> kind -> codec -> point, in the order in which kinds are made."""
    found: dict[str, dict[str, Point]] = defaultdict(dict)
    for point in run["points"]:
        found[point["image"]][point["codec"]] = point
    return {kind: found[kind] for kind in KINDS if kind in found}


def _decibels(point: Point, most_bytes: int) -> str:
    """PSNR over white; said where the smallest file there is takes more bytes than allowed."""
    text = _in_words(point["psnr_db"][BACKGROUNDS.index("white")])
    too_large = point["bytes"] > 1.05 * most_bytes  # ours tuned otherwise may differ a little
    return f"{text} in {point['bytes']:,}" if too_large else text


def _quality(point: Point, most_bytes: int) -> str:
    score = f", {point['ssimulacra2']:.0f}" if "ssimulacra2" in point else ""
    return _decibels(point, most_bytes) + score


def _in_words(psnr_db: float) -> str:
    return "exact" if psnr_db >= 100 else f"{psnr_db:.1f}"
