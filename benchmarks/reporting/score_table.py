"""Scores that were asked for and reached -> a table and a sentence."""

from collections.abc import Mapping
from typing import Any

from benchmarks.measuring.scores import PROMISED


def score_table(run: Mapping[str, Any]) -> str:
    """Run of ``scores`` -> by tune, effort and quality: what was reached, at what rate."""
    groups: dict[tuple[str, int, float], list[Mapping[str, Any]]] = {}
    for point in run["points"]:
        key = (point["variant"], point["effort"], point["setting"])
        groups.setdefault(key, []).append(point)
    lines = [
        "| tune | effort | asked | reached | within 2 points | bits a pixel | PSNR |",
        "| --- | --: | --: | --: | --: | --: | --: |",
    ]
    for (tune, effort, asked), points in sorted(groups.items()):
        cells = (
            *(tune, str(effort), f"{asked:g}", _range(points, "ssimulacra2", 1)),
            f"{sum(map(is_kept, points))} of {len(points)}",
            *(_range(points, "bpp", 2), _range(points, "psnr_db", 1)),
        )
        lines.append(f"| {' | '.join(cells)} |")
    kept, all_points = sum(map(is_kept, run["points"])), len(run["points"])
    return "\n".join([*lines, "", f"{kept} of {all_points} files are within {PROMISED:g} points."])


def is_kept(point: Mapping[str, Any]) -> bool:
    """Whether a file has the score that was asked for, within what is promised."""
    return bool(abs(point["ssimulacra2"] - point["setting"]) <= PROMISED)


def _range(points: list[Mapping[str, Any]], field: str, digits: int) -> str:
    """Least to largest of a field."""
    values = [point[field] for point in points]
    return f"{min(values):.{digits}f} to {max(values):.{digits}f}"
