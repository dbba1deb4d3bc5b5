"""Points of a study -> numbers over seeds, as the page shows them."""

from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Any

from benchmarks.measuring.measure import Point

Run = dict[str, Any]
Verdict = tuple[str, str, str]
"""What is claimed, what was measured, and whether it holds."""

SAME_DB = 0.1  # differences of means below this are none


def select(run: Run, part: str, **wanted: Any) -> list[Point]:
    """Run -> the points of a part that have these values, in order.

    Raises:
        ValueError: if there are none.
    """
    found = [
        point
        for point in run["points"]
        if point["part"] == part and all(point[name] == value for name, value in wanted.items())
    ]
    if not found:
        raise ValueError(f"no points of {part} with {wanted}")
    return found


def values(points: Iterable[Point], name: str) -> list[float]:
    """Points -> one of their numbers; lists of numbers are joined."""
    found: list[float] = []
    for point in points:
        value = point[name]
        found += value if isinstance(value, list) else [value]
    return found


def distinct(points: Iterable[Point], name: str) -> list[Any]:
    """Points -> the values one of their facts has, in the order they first come or rising."""
    found = list(dict.fromkeys(point[name] for point in points))
    return sorted(found) if all(isinstance(value, int | float) for value in found) else found


def number(value: float, digits: int = 2) -> str:
    """Number -> text with a real minus."""
    return f"{value:.{digits}f}".replace("-", "−")


def spread(numbers: Sequence[float], digits: int = 2) -> str:
    """Numbers over seeds -> mean and range."""
    mean, lowest, highest = fmean(numbers), min(numbers), max(numbers)
    texts = number(mean, digits), number(lowest, digits), number(highest, digits)
    return texts[0] if len(set(texts)) == 1 else f"{texts[0]} ({texts[1]} to {texts[2]})"


def listed(items: Sequence[Any]) -> str:
    """Items -> "a, b and c"."""
    texts = [str(item) for item in items]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"


def spread_of(points: Sequence[Point], name: str, digits: int = 2) -> str:
    """Points -> mean and range of one of their numbers."""
    return spread(values(points, name), digits)


def yes(holds: bool, note: str = "") -> str:
    """Whether a statement holds -> "yes", with a note, or "no"."""
    return ("yes" if holds else "**no**") + (f", {note}" if holds and note else "")
