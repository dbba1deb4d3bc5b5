"""A run's results on disk: a journal while it goes on, one JSON file once it is done.

`NAME.jsonl` grows by one line a point, each flushed to the disk, so that whatever stops a run, what
was finished stays. At the end everything goes into `NAME.json` at once, one line a point, and the
journal is removed. A run whose name exists goes on where it was: finished points are not repeated.
Only one process at a time may write to a run.
"""

import fcntl
import json
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Self

from benchmarks.measuring.measure import Key, Point

# What tells a point from the others of its run, by kind of run; other kinds as the first.
KEY_FIELDS = {
    "rate-distortion": ("codec", "variant", "effort", "setting", "image"),
    "speed": ("task", "codec", "effort", "width", "threads", "device"),
    "activations": ("part", "case"),
}


class RunError(ValueError):
    """A run cannot be gone on with as asked."""


class RunStore:
    """Points of one run, in memory and on disk; as a context, for writing.

    Attributes:
        run: all but the points: kind, dataset, seed, images, sessions.
        points: finished points by key.
    """

    def __init__(self, path: Path, kind: str) -> None:
        """Open the run at ``path``, NAME.json, taking up what earlier sessions have finished.

        Raises:
            RunError: if there is a run of another kind.
        """
        self._path = path
        self._journal_path = path.with_suffix(".jsonl")
        self._lock = threading.Lock()
        self._journal: BinaryIO | None = None
        self.run: dict[str, Any] = {"kind": kind, "sessions": []}
        self.points: dict[Key, Point] = {}
        self._load()
        if self.run["kind"] != kind:
            raise RunError(f"{path} holds a run of kind {self.run['kind']}, not {kind}")

    def _load(self) -> None:
        """Take up what is on disk."""
        if self._path.exists():
            self.run = json.loads(self._path.read_text())
            stored = self.run.pop("points")
            self.points = {self._key(point): point for point in stored}
        for entry in _read_journal(self._journal_path):
            if "point" in entry:
                self.points[self._key(entry["point"])] = entry["point"]
            else:
                self.run = entry["run"]

    def start_session(self, session: dict[str, Any], facts: dict[str, Any]) -> None:
        """Begin to work on the run: note who and where, and facts about the run itself.

        Raises:
            RunError: if a fact contradicts what the run has been so far.
        """
        changed = dict(self.run)
        for name, value in facts.items():
            if name == "images":
                value = _merged_images(self.run.get("images", {}), value)
            elif name in self.run and self.run[name] != value:
                raise RunError(f"the run has {name} {self.run[name]!r}, not {value!r}")
            changed[name] = value
        self.run = changed | {"sessions": [*self.run["sessions"], session]}
        _cut_damaged_end(self._journal_path)
        self._append({"run": self.run})

    def add(self, point: Point) -> None:
        """Keep a finished point, on disk before this returns."""
        point = point | {"session": len(self.run["sessions"]) - 1}
        with self._lock:
            self.points[self._key(point)] = point
            self._append({"point": point})

    def whole_run(self) -> dict[str, Any]:
        """The run with its points in order."""
        keys = sorted(self.points, key=lambda key: [(part is not None, part) for part in key])
        return self.run | {"points": [self.points[key] for key in keys]}

    def _key(self, point: Point) -> Key:
        fields = KEY_FIELDS.get(self.run["kind"], KEY_FIELDS["rate-distortion"])
        return tuple(point.get(field) for field in fields)

    def _append(self, entry: dict[str, Any]) -> None:
        if self._journal is None:
            raise RuntimeError("a run can be written to only within its context")
        self._journal.write(json.dumps(entry).encode() + b"\n")
        self._journal.flush()
        os.fsync(self._journal.fileno())

    def __enter__(self) -> Self:
        """Open the run for writing, which one process at a time may do.

        Raises:
            RunError: if another one is doing it.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        journal = self._journal_path.open("ab")
        try:
            fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            journal.close()
            raise RunError(f"another process is writing to {self._path}") from error
        self._journal = journal
        self._load()  # what another process may have finished meanwhile
        return self

    def __exit__(self, *error: object) -> None:
        """Journal -> the run's JSON file, in one step, whatever ended the block.

        Sessions at the end that brought nothing are left out.
        """
        if self.points:
            last = max(point["session"] for point in self.points.values())
            del self.run["sessions"][last + 1 :]
            write_json(self._path, self.whole_run())
        self._journal_path.unlink()
        if self._journal is not None:
            self._journal.close()


def read_run(path: Path) -> dict[str, Any]:
    """Run's file, or the journal of one that still goes on -> run with its list of points."""
    return RunStore(path.with_suffix(".json"), _peek_kind(path)).whole_run()


def merged_run(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Runs of one kind and data set -> one run of all their points.

    Where two have measured the same point, the later run's counts.

    Raises:
        RunError: if they are of different kinds, data sets or seeds, or an image differs.
    """
    merged = runs[0]
    for run in runs[1:]:
        if changed := [name for name in ("kind", "dataset", "seed") if run[name] != merged[name]]:
            raise RunError(f"runs of different {', '.join(changed)} cannot be shown together")
        before = len(merged["sessions"])
        moved = [point | {"session": before + point["session"]} for point in run["points"]]
        fields = KEY_FIELDS.get(run["kind"], KEY_FIELDS["rate-distortion"])
        points = {
            tuple(point.get(field) for field in fields): point
            for point in (*merged["points"], *moved)
        }
        merged = merged | {
            "images": _merged_images(merged["images"], run["images"]),
            "sessions": [*merged["sessions"], *run["sessions"]],
            "points": list(points.values()),
        }
    return merged


def write_json(path: Path, run: dict[str, Any]) -> None:
    """Run -> file, whole or not at all; one line a fact and one a point, for readable diffs."""
    lines = [f"{json.dumps(name)}: {json.dumps(run[name])}" for name in run if name != "points"]
    points = ",\n".join(json.dumps(point) for point in run.get("points", []))
    lines.append(f'"points": [\n{points}\n]')
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    temporary.replace(path)


def _merged_images(known: dict[str, str], new: dict[str, str]) -> dict[str, str]:
    """Hashes of a run's images by name, and more -> all of them."""
    for image in known.keys() & new.keys():
        if known[image] != new[image]:
            raise RunError(f"image {image} is another one than the run's")
    return known | new


def _peek_kind(path: Path) -> str:
    for candidate in (path.with_suffix(".json"), path.with_suffix(".jsonl")):
        if candidate.exists():
            if candidate.suffix == ".json":
                return str(json.loads(candidate.read_text())["kind"])
            return str(_read_journal(candidate)[0]["run"]["kind"])
    raise FileNotFoundError(path)


def _read_journal(path: Path) -> list[dict[str, Any]]:
    """Journal -> its entries; a last line that was cut off while being written is left out."""
    if not path.exists():
        return []
    complete, _, _ = path.read_bytes().rpartition(b"\n")
    return [json.loads(line) for line in complete.splitlines()]


def _cut_damaged_end(path: Path) -> None:
    """Remove a last line that was cut off, so that the next entry starts on a line of its own."""
    if path.exists():
        complete, newline, _ = path.read_bytes().rpartition(b"\n")
        os.truncate(path, len(complete + newline))
